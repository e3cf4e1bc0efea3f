#!/usr/bin/env bash
# SQL and the daemon are of one release, and every kept release has what its upgrade needs.
set -euo pipefail
found=0

version=$("$BUILD/coffer" --version)
release=$(psql -XAtqc 'SELECT rule.release()')
[ "coffer $release" = "$version" ] || {
	echo "sql/rule/release.sql: $release, and configure.ac says $version"
	found=1
}
for kept in "$SOURCE"/tests/migrations/releases/[0-9]*/; do
	for file in commit dump.sql.gz kept.json log throwaway-root-key; do
		[ -s "$kept$file" ] || {
			echo "${kept#"$SOURCE/"}$file: is missing: make release-dump"
			found=1
		}
	done
done
exit "$found"
