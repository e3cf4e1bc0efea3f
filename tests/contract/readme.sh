#!/usr/bin/env bash
# The tables in README.md are what the binary prints.
set -euo pipefail
found=0
for option in endpoints settings errors; do
	block=$(sed -n "/^<!-- coffer --$option -->\$/,/^<!-- end -->\$/p" "$SOURCE/README.md" |
	    sed '/^<!-- .* -->$/d; /^```/d; /^$/d')
	if ! difference=$(diff --label README.md --label "coffer --$option" -u <(echo "$block") \
	    <("$BUILD/coffer" "--$option" | sed '/^$/d')); then
		echo "$difference"
		found=1
	fi
done
exit "$found"
