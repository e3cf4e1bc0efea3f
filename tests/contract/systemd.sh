#!/usr/bin/env bash
# The unit files, with the binary where it was built: systemd finds nothing wrong, and little that the service could reach.
set -euo pipefail
units=$(mktemp -d)
trap 'rm -rf -- "$units"' EXIT

cp -- "$SOURCE/src/systemd/coffer.socket" "$units"
sed "s|^ExecStart=[^ ]*/coffer |ExecStart=$BUILD/coffer |" "$BUILD/src/systemd/coffer.service" >"$units/coffer.service"
grep -F "ExecStart=$BUILD/coffer " "$units/coffer.service" >/dev/null
said=$(systemd-analyze verify --man=no "$units/coffer.service" "$units/coffer.socket" 2>&1) && [ -z "$said" ] || {
	echo "$said"
	exit 1
}
# In tenths of the exposure level: 10 is what has no restrictions.
systemd-analyze security --offline=yes --threshold=20 --no-pager "$units/coffer.service" >"$units/security" || {
	cat "$units/security"
	exit 1
}
