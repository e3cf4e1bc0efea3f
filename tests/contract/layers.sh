#!/usr/bin/env bash
# Includes point one way: a file includes files of its own folder and of lower ones, and no cycle of
# modules arises.  A module is a .c file and its header.  It reads sources only.
#
#     layers.sh [SOURCE]
set -euo pipefail
cd -- "${1:-${SOURCE:-.}}/src"
found=0

# What each folder may include besides itself.  Files beside the folders are in `top`.
declare -A lower=(
	[base]=''
	[keys]='base'
	[db]='base keys'
	[job]='base keys db'
	[audit]='base keys db job'
	[call]='base keys db job audit'
	[http]='base keys db job audit call'
	[command]='base keys db job audit call http'
	[top]='base keys db job audit call http command'
)

# Commands do without requests and without the daemon's service.
not_for_commands='call/request.h http/http_request.h service.h'

folder_of() {
	case $1 in */*) echo "${1%%/*}" ;; *) echo top ;; esac
}

# Files of src/ with each of our headers that they include: FILE HEADER.
includes() {
	find . -name '*.[ch]' -printf '%P\n' | sort | xargs grep -HE '^#include "' |
	    sed -E 's/^([^:]*):#include "([^"]*)".*/\1 \2/'
}

while read -r file header; do
	folder=$(folder_of "$file")
	below=$(folder_of "$header")
	if [ -z "${lower[$folder]+known}" ]; then
		echo "$file: $folder/ has no layer in layers.sh"
	elif [ ! -e "$header" ]; then
		echo "$file includes $header, which is not under src/"
	elif [ "$folder" = command ] && [[ " $not_for_commands " == *" $header "* ]]; then
		echo "$file includes $header, which commands do without"
	elif [ "$folder" != "$below" ] && [[ " ${lower[$folder]} " != *" $below "* ]]; then
		echo "$file includes $header: $below/ is above $folder/"
	else
		continue
	fi
	found=1
done < <(includes)

# tsort names the members of each cycle.
if ! cycle=$(includes | sed -E 's/\.[ch]( |$)/\1/g' | tsort 2>&1 >/dev/null); then
	echo "$cycle"
	found=1
fi
exit "$found"
