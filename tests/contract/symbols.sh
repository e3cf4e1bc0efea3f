#!/usr/bin/env bash
# Every global name begins with the name of its module, or with the singular of that.
set -euo pipefail
found=0
mapfile -t objects < <(find "$BUILD/src" -name '*.o' | sort)
[ ${#objects[@]} -gt 0 ] || { echo "no objects in $BUILD/src"; exit 1; }
for object in "${objects[@]}"; do
	module=${object##*/}
	module=${module##*-}	# automake puts the name of the program before it
	module=${module%.o}
	while read -r name; do
		[[ $name == "${module%s}"* || $name == main ]] && continue
		echo "$module.c: $name"
		found=1
	done < <(nm --defined-only --extern-only --format=just-symbols -- "$object" | grep -v '^__')
done
exit "$found"
