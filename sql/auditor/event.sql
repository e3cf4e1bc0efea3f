CREATE VIEW auditor.event WITH (security_barrier) AS
SELECT e.* FROM audit.event e;
COMMENT ON VIEW auditor.event IS
    'Every call: who (principal_id, api_key_id, or database_role for what a DBA did), when (at), from where (ip), what (method, project_id, secret_id, revision, request) and with what result (status, error).';
