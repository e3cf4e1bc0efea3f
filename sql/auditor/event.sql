-- Every call.

CREATE VIEW auditor.event AS
SELECT e.* FROM audit.event e;
COMMENT ON VIEW auditor.event IS
    'Every call: who (principal_id, api_key_id, or database_role for what a DBA did), when (at), '
    'from where (ip), what (method, project_id, secret_id, revision, request; of methods key_*, '
    'job.key_* and operator.key_* secret_id is the id of the key) and with what result (status, '
    'error). The member snapshot of request holds the name, the path, the managed key and the '
    'times that the secret, the version or the key had then.';
