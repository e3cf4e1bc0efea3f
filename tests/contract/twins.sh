#!/usr/bin/env bash
# Each file of src/ and sql/ has its twin in tests/, and each twin its file.
set -euo pipefail
cd -- "$SOURCE"
found=0

fault() {
	echo "$@"
	found=1
}

# elsewhere WHY: files without a twin and where they are tested instead, a line each.
declare -A elsewhere
elsewhere() {
	local file test

	while read -r file test; do
		elsewhere[$file]=$test
		[ -e "$file" ] || fault "$file, which is tested elsewhere because $1, is not there"
		[ -e "tests/$test" ] || fault "$file: no tests/$test"
	done
}

elsewhere 'it is what a deploy does' <<END
sql/reset.sql migrations/test_migrate.py
sql/state.sql migrations/test_migrate.py
END
elsewhere 'the binary prints it, and documents are compared with that' <<END
src/command/completion.c contract/completion.sh
src/command/manual.c contract/man.sh
src/command/tables.c contract/documents.sh
END
elsewhere 'it says how all of the service goes together' <<END
src/main.c system/service/test_start.py
src/readiness.c system/service/test_readiness.py
src/reload.c system/keys/test_root_key_sources.py
src/service.c system/service/test_stop.py
END
elsewhere 'it is one step of a request, from and to the network' <<END
src/call/authenticate.c system/contract/test_contract_errors.py
src/call/call.c system/contract/test_contract_shapes.py
src/http/connection.c system/http/test_connections.py
src/http/connections.c system/http/test_connections.py
src/http/listen.c system/service/test_stop.py
src/http/health.c system/http/test_http.py
src/http/rate.c system/http/test_rates.py
src/http/http_request.c system/http/test_http.py
src/http/respond.c system/http/test_http.py
src/http/scrape.c system/service/test_metrics.py
src/base/systemd.c system/service/test_systemd.py
src/http/tls.c system/http/test_tls.py
END
elsewhere 'it is a conversation with PostgreSQL' <<END
src/db/drift.c system/database/test_preflight.py
src/command/command.c system/service/test_doctor.py
src/job/job.c system/database/test_two_daemons.py
src/job/rekey.c system/keys/test_keys.py
src/audit/seal.c system/audit/test_audit_proof.py
src/db/session.c system/database/test_outage.py
src/db/statements.c system/service/test_start.py
END
elsewhere 'it is a part of the verification, which is tested as one' <<END
src/command/verify/chain.c src/command/verify/verify_test.c
src/command/verify/evidence.c src/command/verify/verify_test.c
src/command/verify/rows.c src/command/verify/verify_test.c
END
elsewhere 'it reads what an operator function is given' <<END
sql/rule/backup.sql sql/operator/secret_restore_test.sql
END
elsewhere 'it is a command' <<END
src/command/audit_report.c system/audit/test_audit_proof.py
src/command/command_api_key.c system/service/test_start.py
src/command/commands.c system/service/test_start.py
src/command/dispatch.c system/service/test_start.py
src/command/synopsis.c system/service/test_start.py
src/command/command_audit.c system/audit/test_audit_attacks.py
src/command/command_doctor.c system/service/test_doctor.py
src/command/command_health.c system/service/test_health.py
src/command/command_recover.c system/keys/test_recover.py
src/command/command_restore.c system/keys/test_write_back.py
src/command/command_root_key.c system/keys/test_keys.py
END
while read -r file; do
	twin=tests/${file%.*}_test.${file##*.}
	if [ -n "${elsewhere[$file]-}" ]; then
		[ ! -e "$twin" ] || fault "$file has a twin, and is said to be tested elsewhere"
	elif [ ! -e "$twin" ]; then
		fault "$file: no $twin"
	fi
done < <(find sql src -name '*.sql' -o -name '*.c' | sort)

while read -r twin; do
	file=${twin#tests/}
	# Of all functions, not of one file.
	case $file in sql/catalogue_test.sql | sql/protection_test.sql | sql/permission_test.sql | \
	    sql/secret_state_test.sql | sql/auditor/right_test.sql) continue ;; esac
	[ -e "${file/_test./.}" ] || fault "$twin: no ${file/_test./.}"
done < <(find tests/sql tests/src -name '*_test.*' | sort)
exit "$found"
