#!/usr/bin/env bash
# Each library that the daemon is linked to is in a package that the image of docker/Dockerfile installs.
set -euo pipefail
found=0

# Debian 13 has other names for packages whose time_t is wider.
named=$(sed -n '/^FROM .* AS coffer$/,$p' "$SOURCE/docker/Dockerfile" | tr -s ' \\' '\n')
while read -r name path; do
	package=$(dpkg -S "$path" 2>/dev/null || dpkg -S "$(realpath "$path")")
	package=${package%%:*}
	package=${package%t64}
	[ "$package" = libc6 ] || grep -qxF -- "$package" <<<"$named" || {
		echo "docker/Dockerfile does not install $package, which has $name"
		found=1
	}
done < <(ldd "$BUILD/coffer" | sed -n 's/^[[:space:]]*\([^ ]*\) => \(\/[^ ]*\) .*/\1 \2/p' |
    grep -wF -f <(objdump -p "$BUILD/coffer" | awk '$1 == "NEEDED" { print $2 }'))
exit "$found"
