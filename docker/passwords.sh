#!/bin/bash
# Give the login roles their passwords, from the environment of the container.
set -eu

for role in api operator auditor migrate; do
	password=${role^^}_PASSWORD
	psql -Xqv ON_ERROR_STOP=1 --username=postgres --dbname=coffer <<-END
	SET log_min_error_statement = panic;
	ALTER ROLE coffer_$role PASSWORD '${!password}';
	END
done
