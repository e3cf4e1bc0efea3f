-- A replica of the audit alone: what asks for what is stored now is refused there.
BEGIN;
\ir ../setup.sql
GRANT USAGE ON SCHEMA test TO PUBLIC;

CREATE FUNCTION test.asked() RETURNS TABLE (question text) LANGUAGE sql AS $$
    SELECT * FROM unnest(ARRAY[
        'api_key', 'version', 'secret_last_read', 'api_key_events(''x'')', 'api_keys_unused()',
        'api_keys_expiring()', 'key_users(gen_random_uuid())',
        'principal_events(gen_random_uuid())', 'principal_secrets(gen_random_uuid())',
        'principal_keys(gen_random_uuid())', 'refusals()', 'secrets_unread()',
        'secret_readers(gen_random_uuid())', 'versions_old()', 'versions_unprotected()',
        'versions_expiring()'])
$$;
CREATE FUNCTION test.answer(question text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    SET LOCAL ROLE coffer_auditor;
    EXECUTE 'SELECT count(*) FROM auditor.' || question;
    RESET ROLE;
    RETURN 'an answer';
EXCEPTION
    WHEN SQLSTATE 'SM900' THEN
        RETURN SQLERRM;
END
$$;

SELECT is(answer(question), 'an answer', format('auditor.%s answers', question)) FROM asked();
-- What a subscription has not brought. No replica looks after foreign keys.
SET LOCAL session_replication_role = replica;
DELETE FROM store.api_key;
DELETE FROM store.principal;
DELETE FROM store.secret;
DELETE FROM store.organization;
SET LOCAL session_replication_role = origin;
SELECT is(answer(question), 'this is a replica of the audit alone, without what is stored now',
          format('on a replica of the audit auditor.%s is refused (SM900)', question))
  FROM asked();
SELECT is(answer(question), 'an answer', format('and auditor.%s answers', question))
  FROM unnest(ARRAY['event', 'change', 'seal', 'epoch', 'month', 'signer', 'verify()',
                    'secret_reads(gen_random_uuid())', 'key_uses(gen_random_uuid())', 'changes()',
                    'secret_last_revision(gen_random_uuid())']) AS question;
DELETE FROM audit.event;
SELECT is(answer('version'), 'an answer', 'a database in which nothing has happened is none');

SELECT finish();
ROLLBACK;
