#!/usr/bin/env bash
# The tables of permission sets and quotas in doc/operate.md are what SQL says.
set -euo pipefail
found=0

# compare NAME: the lines of that block in doc/operate.md with standard input.
compare() {
	local block difference

	block=$(sed -n "/^<!-- $1 -->\$/,/^<!-- end -->\$/p" "$SOURCE/doc/operate.md" | grep '^| `') || block=
	difference=$(diff --label doc/operate.md --label "$1" -u <(echo "$block") -) || {
		echo "$difference"
		found=1
	}
}

compare 'permission sets' < <(psql -XAtqv ON_ERROR_STOP=1 <<'END'
SELECT format('| `%s` | %s | %s |', permission_set,
              string_agg(action, ', ' ORDER BY ordinality) FILTER (WHERE resource = 'secret'),
              string_agg(action, ', ' ORDER BY ordinality) FILTER (WHERE resource = 'key'))
  FROM unnest('{secret,key}'::text[]) AS resource,
       unnest('{read,access,encrypt,decrypt,create,write,delete,restore,audit,watch}'::text[]) WITH ORDINALITY AS a(action, ordinality),
       unnest(rule.caller_permission_sets_known()) AS permission_set
 WHERE permission_set = ANY (rule.caller_permission_sets(action, resource))
 GROUP BY permission_set
 ORDER BY permission_set COLLATE "C";
END
)

# The resources are those that operator.quota_set takes; the third column is prose.
compare 'quotas' < <(psql -XAtqv ON_ERROR_STOP=1 <<'END' |
SELECT format('| `%s` | %s |', r.resource, rule.quota_of(gen_random_uuid(), r.resource))
  FROM pg_proc p,
       unnest(string_to_array(translate((regexp_match(p.prosrc, 'resource IN \(([^)]*)\)'))[1], ''' ', ''), ',')) AS r(resource)
 WHERE p.oid = 'operator.quota_set'::regproc;
END
    while read -r line; do grep -F -- "$line" "$SOURCE/doc/operate.md" || echo "$line"; done)
exit "$found"
