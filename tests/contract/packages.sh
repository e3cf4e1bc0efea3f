#!/usr/bin/env bash
# Each file that `make install` installs is in one Debian package, and the packages have the version of configure.ac.
set -euo pipefail
found=0
cd -- "$SOURCE"

fault() {
	echo "$*"
	found=1
}

version=$("$BUILD/coffer" --version)
[ "$(sed -n '1s/^coffer (\([^)]*\)).*/\1/p' debian/changelog)" = "${version#coffer }" ] ||
    fault "debian/changelog: $(sed -n 1p debian/changelog), and configure.ac says $version"

installed=$(mktemp -d)
trap 'rm -rf -- "$installed"' EXIT
make --silent -C "$BUILD" install DESTDIR="$installed" prefix=/usr \
    zshcompletiondir=/usr/share/zsh/vendor-completions >"$installed.log" 2>&1 || { cat "$installed.log"; exit 1; }
rm -f -- "$installed.log"
mapfile -t files < <(cd -- "$installed" && find . ! -type d -printf '%P\n' | sort)
mapfile -t patterns < <(cat debian/*.install)

# covers PATTERN FILE: the pattern names the file or its folder; of {a,b} it names either.
covers() {
	local pattern

	[[ $1 != '{lib,'* ]] || { covers "${1#'{lib,usr/lib}/'}" "${2#usr/lib/}"; return; }
	pattern=$1
	# shellcheck disable=SC2053 # It is a pattern.
	[[ $2 == $pattern || $2 == $pattern/* ]]
}
for file in "${files[@]}"; do
	count=0
	for pattern in "${patterns[@]}"; do
		! covers "$pattern" "$file" || count=$((count + 1))
	done
	[ "$count" -eq 1 ] || fault "$file is in $count packages: debian/*.install"
done
for pattern in "${patterns[@]}"; do
	for file in "${files[@]}"; do
		! covers "$pattern" "$file" || continue 2
	done
	fault "debian/*.install: nothing is installed as $pattern"
done
exit "$found"
