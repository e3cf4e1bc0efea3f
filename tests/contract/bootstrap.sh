#!/usr/bin/env bash
# What bootstrap does not understand ends at once, with status 2 and how it is called; nothing is made by a stop.
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

# Where nothing is, nothing is stopped, nor made.
nowhere=$(mktemp -u)
! "$SOURCE/bootstrap" postgres stop "$nowhere" 2>/dev/null || {
	echo "bootstrap postgres stop says that $nowhere is stopped"
	found=1
}
[ ! -e "$nowhere" ] || {
	echo "bootstrap postgres stop has made $nowhere"
	rmdir -- "$nowhere"
	found=1
}
exit "$found"
