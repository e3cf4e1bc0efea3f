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
mapfile -t outside_fail < <(printf '%s\n' "${sql[@]}" | grep -vE '^sql/(fail|lint)\.sql$')
mapfile -t outside_crypto < <(printf '%s\n' "${sql[@]}" | grep -vx sql/rule/crypto.sql)
mapfile -t named < <(printf '%s\n' "${sql[@]}" | grep -vx sql/api.sql)
migrations=(migrations/[0-9]*.sql)

fault 'RAISE outside sql/fail.sql' '\bRAISE\b' "${outside_fail[@]}"
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
done < <(sed -E "/^COMMENT ON/,/;\$/d; s/E'([^']|'')*'//g; s/--.*//" sql/*/*.sql sql/{type,argument,fail,api}.sql | grep -F '\' || true)

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

# Names. A function stands in the folder of its schema, and its name begins with that of its file. A
# question returns boolean. A function of schema rule that refuses is named so. An integrity failure
# and a challenge are no refusals, and rule.arguments refuses for all arguments at once.
while IFS= read -r line; do
	echo "$line"
	found=1
done < <(awk '
	FNR == 1 {
		parts = split(FILENAME, path, "/")
		schema = parts == 3 ? path[2] : ""
		file = path[parts]
		sub(/\.sql$/, "", file)
		function_name = ""
	}
	/^CREATE FUNCTION / {
		split($3, name, /[.(]/)
		function_name = name[2]
		place = FILENAME ":" FNR ": " name[1] "." name[2]
		if (schema != "" ? name[1] != schema : name[1] != file)
			print place " is of another schema"
		if (schema != "" && name[2] !~ "^" file "(s|es)?(_|$)")
			print place " does not begin with the name of its file"
		if (name[2] ~ /_must(_|$)/)
			print place " does not say refuse or require"
	}
	/^RETURNS / && function_name ~ /_(is|are|has)_/ && $2 != "boolean" {
		print place " is a question and does not return boolean"
	}
	/^\$\$;/ { function_name = "" }
	schema == "rule" && function_name != "" && function_name !~ /_(refuse|require)(_|$)/ && function_name != "arguments" &&
	/fail\.[a-z_]+\(/ && !/fail\.(integrity|challenge)\(/ {
		print place " refuses, and is not named so"
	}
	' "${named[@]}")

# Each refusal has a code of its own.
while read -r code count; do
	[ "$count" -eq 1 ] || { echo "$code: raised by $count functions"; found=1; }
done < <(grep -o "ERRCODE = '[^']*'" sql/fail.sql | sort | uniq -c | awk '{ print $4, $1 }')

# Width.
while IFS= read -r line; do
	echo "$line: wider than 100 columns"
	found=1
done < <(find sql tests/sql tests/isolation -name '*.sql' -print0 |
	xargs -0 awk 'length($0) > 100 { print FILENAME ":" FNR }')

# A function that runs with the rights of its owner looks names up in no schema that others write to.
while IFS= read -r line; do
	echo "$line: SECURITY DEFINER without SET search_path"
	found=1
done < <(awk '
	/^CREATE FUNCTION / { place = FILENAME ":" FNR; definer = path = 0 }
	/SECURITY DEFINER/ { definer = 1 }
	/^ *SET search_path = pg_catalog, pg_temp$/ { path = 1 }
	/AS \$/ { if (definer && !path) print place; definer = 0 }
	' "${sql[@]}")
exit "$found"
