#!/usr/bin/env bash
# The tables in doc/ are what the binary prints.
set -euo pipefail
found=0

# compare OPTION PAGE: that block of the page with what the option prints.
compare() {
	local block difference

	block=$(sed -n "/^<!-- coffer --$1 -->\$/,/^<!-- end -->\$/p" "$SOURCE/$2" |
	    sed '/^<!-- .* -->$/d; /^```/d; /^$/d')
	difference=$(diff --label "$2" --label "coffer --$1" -u <(echo "$block") \
	    <("$BUILD/coffer" "--$1" | sed '/^$/d')) || {
		echo "$difference"
		found=1
	}
}

compare endpoints doc/api.md
compare errors doc/errors.md
compare settings doc/settings.md
exit "$found"
