#!/usr/bin/env bash
# Sources and file names do without the words that the glossary of doc/architecture.md has replaced.
# An underscore ends a word.  Documents have tests/lint/documents.py for it.
set -euo pipefail
cd "$SOURCE"

words='doors?|greet(s|ed|ings?)?|witness(es|ed)?|patience|park(s|ed|ing)|bells?|frames?'
words+='|hints|spool(s|ed)?|cipher_(seal|open)|whoever'
whole="(^|[^a-z])($words)([^a-z]|$)"

# The list of documents.py and this one; pgBackRest and PostgreSQL have settings of these names.
elsewhere='^tests/(lint/documents\.py|contract/words\.sh|fabric/test_(pgbackrest|patroni)\.py):'

files() {
	find src sql migrations tests -type f \( -name '*.[ch]' -o -name '*.sql' -o -name '*.py' \
	    -o -name '*.sh' -o -name migrate \) ! -name '00*.sql' ! -path '*/releases/*' | sort
}

found=$(files | xargs grep -niE -e "$whole" /dev/null | grep -vE "$elsewhere" || :
files | grep -iE "$whole" || :)
[ -z "$found" ] || { echo "$found" | cut -c1-150; exit 1; }
