#!/usr/bin/env bash
# Each header includes what it needs: it compiles alone.
set -euo pipefail
cd -- "$SOURCE/src"
found=0
read -ra flags <<<"$(pkg-config --cflags libpq libevent json-c)"
while read -r header; do
	"${CC:-cc}" -std=gnu11 -Wall -Wextra -Werror -fsyntax-only -I. -I"$BUILD" "${flags[@]}" -x c "$header" || found=1
	twin=${header%.h}.c
	if [ -e "$twin" ] && ! grep -qm1 "^#include \"$header\"" "$twin"; then
		echo "$twin does not include $header"
		found=1
	fi
done < <(find . -name '*.h' -printf '%P\n' | sort)
exit "$found"
