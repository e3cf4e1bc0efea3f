#!/usr/bin/env bash
# Functions that C may not call, and those that only one module may call.
set -euo pipefail
cd -- "$SOURCE/src"
found=0
mapfile -t files < <(find . -name '*.[ch]' -printf '%P\n' | sort)

# fault WHY PATTERN [EXCEPT...]: print the lines with the pattern, of all files but those named.
fault() {
	local why=$1 pattern=$2 file lines

	shift 2
	for file in "${files[@]}"; do
		[[ " $* " != *" ${file##*/} "* ]] || continue
		if lines=$(grep -nE -- "$pattern" "$file"); then
			sed "s|^|$file:|" <<<"$lines"
			echo "    $why"
			found=1
		fi
	done
}

# calls WHY 'A B' [EXCEPT...]: the same for calls of one of these functions.
calls() {
	fault "$1" "\\b(${2// /|})[[:space:]]*\\(" "${@:3}"
}

calls 'knows no bound, or no error' \
    'sprintf vsprintf strcpy strcat strncpy strncat strtok atoi atol atoll gets alloca'
calls 'memory is taken and given back in memory.c, which wipes it' \
    'malloc calloc realloc reallocarray free strdup strndup asprintf vasprintf' memory.c
calls 'a request is answered once, in respond.c' \
    'evhttp_send_reply evhttp_send_error evhttp_send_reply_start evhttp_send_reply_chunk evhttp_send_reply_end' respond.c scrape.c
calls 'the words of PostgreSQL, and a trace, may quote what it was given' \
    'PQresultErrorMessage PQresultVerboseErrorMessage PQtrace'
calls 'a value of PostgreSQL is read in columns.c, which checks its type and length' \
    'PQgetvalue PQgetlength PQgetisnull PQntuples PQnfields PQftype PQfformat PQfnumber PQfsize' columns.c
calls 'JSON of PostgreSQL is parsed in columns.c, which checks its type' 'json_tokener_parse' columns.c receipt_log.c
calls 'the words of libpq on a lost connection are for session.c' 'PQerrorMessage' session.c
calls 'a write that was cancelled may have been done' 'PQcancel PQrequestCancel'
fault 'what a SQLSTATE means is in errors.c' '"(08|0A|2[0-9]|40|42|5[3578]|XX|SM)[0-9A-Z]{3}"' errors.c settings.c
fault 'a function has one way out: out' '\bgoto[[:space:]]+([^o]|o[^u]|ou[^t]|out[^;])'
exit "$found"
