#!/usr/bin/env bash
# What stands where in sql/ and migrations/.
set -euo pipefail
cd -- "$SOURCE"
found=0

# code FILE...: the lines with file and number, without comments.
code() {
	local file

	for file; do
		sed 's/--.*//' "$file" | grep -n '' | sed "s|^|$file:|"
	done
}

# fault WHAT PATTERN FILE...: print the lines with the pattern.
fault() {
	local lines

	if lines=$(code "${@:3}" | grep -E -- "$2"); then
		printf '%s:\n%s\n' "$1" "$lines"
		found=1
	fi
}

mapfile -t sql < <(find sql -name '*.sql' | sort)
mapfile -t outside_fail < <(printf '%s\n' "${sql[@]}" | grep -vE '^sql/(fail/|lint\.sql$)')
mapfile -t outside_crypto < <(printf '%s\n' "${sql[@]}" | grep -vx sql/rule/crypto.sql)
migrations=(migrations/[0-9]*.sql)

fault 'RAISE outside sql/fail' '\bRAISE\b' "${outside_fail[@]}"
fault 'pgcrypto outside sql/rule/crypto.sql' '\bcrypto\.' "${outside_crypto[@]}"
fault 'catches all' '\bWHEN OTHERS\b' "${sql[@]}" "${migrations[@]}"
# Functions come and go with each deploy: what is stored is made elsewhere, and knows none of them.
fault 'stored object in sql/' ':[0-9]+: *(CREATE|ALTER|DROP) (TABLE|INDEX|UNIQUE INDEX|SEQUENCE|TRIGGER|SCHEMA|ROLE|EXTENSION)\b' "${sql[@]}"
# Those of schema store belong to its triggers, and so to what is stored.
fault 'function in a migration' '\b(CREATE|ALTER|DROP)( OR REPLACE)? (FUNCTION|PROCEDURE|VIEW) ([^s]|s[^t])' "${migrations[@]}"
fault 'CREATE OR REPLACE' '\bCREATE OR REPLACE\b' "${sql[@]}"
# With standard_conforming_strings off such a literal is read differently. A deploy, which reads comments, sets it on.
while IFS= read -r line; do
	echo "backslash in a literal without E: $line"
	found=1
done < <(sed -E "/^COMMENT ON/,/;\$/d; s/--.*//; s/E'([^']|'')*'//g" sql/*/*.sql sql/{type,argument,door}.sql | grep -F '\' || true)

# Dynamic SQL says why: `dynamic` in a comment on the line or the two before it, once for several in a row.
while IFS= read -r line; do
	echo "EXECUTE without a reason: $line"
	found=1
done < <(awk '
	FNR == 1 { said = -9 }
	tolower($0) ~ /--.*dynamic/ { said = FNR }
	/(^|[ ;(])EXECUTE [^O]/ {
		if (FNR - said > 2) print FILENAME ":" FNR; else said = FNR
	}' "${sql[@]}")
exit "$found"
