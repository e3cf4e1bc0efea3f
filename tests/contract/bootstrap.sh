#!/usr/bin/env bash
# What bootstrap does not understand ends at once, with status 2 and how it is called: nothing has been made by then.
set -euo pipefail
found=0

# misused ARGUMENT...: bootstrap refuses them.  The time is for one that never ends.
misused() {
	local status=0 said

	said=$(timeout 60 "$SOURCE/bootstrap" "$@" 2>&1) || status=$?
	[[ $status -eq 2 && $said == 'usage: bootstrap '* ]] || {
		printf 'bootstrap %s: status %s\n%s\n' "$*" "$status" "$said"
		found=1
	}
}

misused
misused walk
misused run --port
misused run --var
misused run --port 8080 --var
misused run 8080
misused run --loud yes
misused check all
misused postgres start
exit "$found"
