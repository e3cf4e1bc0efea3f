#!/usr/bin/env bash
# Each question of an auditor has a comment and an example in doc/audit.md, and the examples work.
set -euo pipefail
examples=$(sed -n '/^## What an auditor asks$/,/^## Seals/p' "$SOURCE/doc/audit.md" | sed -n '/^```sql$/,/^```$/p' | sed '/^```/d')
found=0

while read -r name comment; do
	[ -n "$comment" ] || { echo "auditor.$name has no comment"; found=1; }
	# A page of it is for the API.
	grep -qE "auditor\.$name\>" <<<"$examples" || [ "$name" = event_page ] ||
		{ echo "auditor.$name has no example in doc/audit.md"; found=1; }
done < <(psql -XAtqF ' ' -c "
	SELECT proname, obj_description(oid, 'pg_proc') FROM pg_proc WHERE pronamespace = 'auditor'::regnamespace
	UNION ALL
	SELECT relname, obj_description(oid, 'pg_class') FROM pg_class WHERE relnamespace = 'auditor'::regnamespace AND relkind = 'v'")

psql -Xqv ON_ERROR_STOP=1 -c 'SET ROLE coffer_auditor' -f - <<<"$examples" 2>&1 >/dev/null || found=1
exit "$found"
