#!/usr/bin/env bash
# An endpoint is one row of the binary's table, one file and one function, all of one name.
set -euo pipefail
cd -- "$SOURCE"
found=0

fault() {
	echo "$@"
	found=1
}

# Rows that no function of the database answers.
local=' metadata live ready '
declare -A rows
while read -r _ _ function; do
	[[ $local == *" $function "* ]] && continue
	[ -z "${rows[$function]-}" ] || fault "$function: two rows"
	rows[$function]=1
	[ -e "sql/endpoint/$function.sql" ] || fault "$function: a row without sql/endpoint/$function.sql"
done < <("$BUILD/coffer" --endpoints)
[ ${#rows[@]} -gt 0 ] || fault 'coffer --endpoints prints nothing'

for file in sql/endpoint/*.sql; do
	name=${file##*/}
	name=${name%.sql}
	[ -n "${rows[$name]-}" ] || fault "$file: no row in coffer --endpoints"
	functions=$(sed -n 's/^CREATE FUNCTION \([a-z_.]*\)(.*/\1/p' "$file")
	[ "$functions" = "endpoint.$name" ] || fault "$file: makes ${functions//$'\n'/ }"
done
exit "$found"
