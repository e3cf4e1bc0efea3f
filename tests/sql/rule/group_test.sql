-- Calls that share a transaction with others, which the daemon says with "grouped".
BEGIN;
\ir ../setup.sql

SELECT kek_id AS kek FROM store.dek WHERE secret_id = secret('ready')::uuid \gset
SELECT make_secret('once',
                   '{"ephemeral_policy": {"expires_once_accessed": true, "action": "delete"}}'),
       make_version('once', 'one');

CREATE FUNCTION test.read_in_group(secret text, kek text) RETURNS test.answer LANGUAGE sql AS $$
    SELECT test.api_call('secret_version_access',
                      test.request(secret, '1',
                                   extra => test.key_of(test.secret(secret), kek)
                                       || '{"grouped": true}'),
                      key => test.access_key(test.secret(secret), kek))
$$;

SELECT max(id) AS before FROM audit.event \gset
SELECT is((read_in_group('once', :'kek')).text, '{"need":"alone"}',
          'a version to be read once is not read in a group: it asks to be alone (SM001)');
SELECT is((stored('once', 1)).status, 'enabled', 'and is not used up');
SELECT is((SELECT max(id) FROM audit.event), :before::bigint, 'nor is there a row in the audit');
SELECT is((read_in_group('ready', :'kek')).status, 200, 'any other is read in a group');
SELECT is((call('secret_version_access', 'once', '1')).status, 200, 'alone it is read');
SELECT is(brief(read_in_group('once', :'kek')), '404 not_found secret_version', 'once');

SELECT lives_ok($$SELECT rule.group_refuse('{}')$$, 'rule.group_refuse lets a call alone pass');
SELECT is(raised($$SELECT rule.group_refuse('{"grouped": true}')$$), 'SM001 0 {"need":"alone"}',
          'and stops one in a group (SM001)');

SELECT finish();
ROLLBACK;
