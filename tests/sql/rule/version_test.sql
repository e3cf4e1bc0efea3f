-- What the state of a version allows: the table of the contract, cell by cell.
BEGIN;
\ir ../setup.sql

-- A new version of secret "ready" in a state; gives its revision.
CREATE FUNCTION test.make_version_in(state text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v_revision CONSTANT text := (call('secret_version_create', 'ready', data => 'value')).body
        ->> 'revision';
BEGIN
    CASE state
        WHEN 'enabled' THEN NULL;
        WHEN 'disabled' THEN PERFORM given('secret_version_disable', 'ready', v_revision);
        WHEN 'scheduled' THEN PERFORM given('secret_version_delete', 'ready', v_revision);
        WHEN 'purged' THEN
            DELETE FROM store.version WHERE secret_id = secret('ready')::uuid
                AND revision = v_revision::integer;
        WHEN 'expired' THEN PERFORM expire('ready', v_revision::integer, 'disable');
        WHEN 'gone' THEN PERFORM expire('ready', v_revision::integer, 'delete');
    END CASE;
    RETURN v_revision;
END
$$;

-- What an operation answers on a new version in a state, and the status that the version then has.
CREATE FUNCTION test.cell(operation text, state text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v_revision CONSTANT text := make_version_in(state);
    v_answer   CONSTANT test.answer := call(operation, 'ready', v_revision);
BEGIN
    RETURN concat_ws(' ', v_answer.status,
                     replace(v_answer.body ->> 'precondition', 'resource_not_usable', 'not usable'),
                     replace((call('secret_version_get', 'ready', v_revision)).body ->> 'status',
                             '_for_deletion', ''));
END
$$;

SELECT operator.quota_set(organization('acme'), 'secret_version', 1000);

-- "expired" was to be disabled then, "gone" to be deleted.
CREATE TEMP TABLE state (operation text, enabled text, disabled text, scheduled text, purged text,
                         expired text, gone text);
INSERT INTO state VALUES
    -- enabled                   disabled                   scheduled                   purged
    -- expired                    gone
    ('secret_version_get',     '200 enabled',            '200 disabled',            '200 scheduled',
     '404', '200 disabled',            '404'),
    ('secret_version_access',  '200 enabled',            '412 not usable disabled',
     '412 not usable scheduled', '404', '412 not usable disabled', '404'),
    ('secret_version_update',  '200 enabled',            '200 disabled',
     '412 not usable scheduled', '404', '200 disabled',            '404'),
    ('secret_version_enable',  '200 enabled',            '200 enabled',
     '412 not usable scheduled', '404', '200 enabled',             '404'),
    ('secret_version_disable', '200 disabled',           '200 disabled',
     '412 not usable scheduled', '404', '200 disabled',            '404'),
    ('secret_version_delete',  '204 scheduled',          '204 scheduled',
     '412 not usable scheduled', '404', '204 scheduled',           '404'),
    ('secret_version_restore', '412 not usable enabled', '412 not usable disabled', '200 enabled',
     '404', '412 not usable disabled', '404');

SELECT is(cell(operation, state), expected,
          format('%s of a version that is %s answers %s', operation, state, expected))
  FROM state,
       LATERAL (VALUES ('enabled', enabled), ('disabled', disabled), ('scheduled', scheduled),
                ('purged', purged),
                       ('expired', expired), ('gone', gone)) AS t(state, expected);

SELECT is_empty($$SELECT proname FROM pg_proc
                   WHERE pronamespace = 'endpoint'::regnamespace
                     AND proname LIKE 'secret\_version\_%'
                     AND proname NOT IN ('secret_version_create', 'secret_version_list',
                                         'secret_version_access_by_path')
                  EXCEPT SELECT operation FROM state$$,
                'every endpoint that is about one version is in the table');

-- Which version -------------------------------------------------------------------

SELECT make_secret('several'), make_version('several'), make_version('several'),
       make_version('several'),
       make_version('several'),
       given('secret_version_delete', 'several', '4'),
           given('secret_version_disable', 'several', '3');
SELECT is((rule.version_require(stored('several'), asked)).revision, expected,
          format('rule.version_require gives %s for %s', expected, asked))
  FROM (VALUES ('1', 1), ('4', 4), ('latest', 4), ('latest_enabled', 2)) AS t(asked, expected);
SELECT expire('several', 2, 'disable');
SELECT is((rule.version_require(stored('several'), 'latest_enabled')).revision, 1,
          'a version that has expired is not enabled');
SELECT expire('several', 1, 'delete'), expire('several', 4, 'delete');
SELECT is((rule.version_require(stored('several'), 'latest')).revision, 3,
          'nor there, if it was to be deleted, whatever its status was');
SELECT is(raised($$SELECT rule.version_require(stored('several'), 'latest_enabled')$$),
          'SM404 404 {"message":"resource is not '
          'found","resource":"secret_version","resource_id":"latest_enabled","type":"not_found"}',
          'rule.version_require refuses what is not there, as it was asked for (SM404)');

-- Expiry ----------------------------------------------------------------------------

SELECT make_secret('short'), make_version('short'), make_version('short'), make_version('short'),
       make_version('short'), make_version('short'),
       given('secret_version_delete', 'short', '4'), given('secret_version_disable', 'short', '5'),
       backdate('short'),
       expire('short', 1, 'disable'), expire('short', 2, 'delete'), expire('short', 4, 'delete'),
       expire('short', 5, 'disable');
SELECT max(id) AS before FROM audit.event \gset
SELECT is(rule.version_expire(stored('short')), 3::bigint,
          'rule.version_expire counts the versions that time has changed');
SELECT results_eq($$SELECT revision, status, updated_at IN (expires_at, long_ago())
                  FROM store.version
                     WHERE secret_id = secret('short')::uuid ORDER BY revision$$,
                  $$VALUES (1, 'disabled', true), (3, 'enabled', true), (5, 'disabled', true)$$,
                  'disables or removes them as of their expiry, and leaves what is disabled '
                  'already');
SELECT is(array_agg(audited(id) ORDER BY id),
          '{job.version_expire 200 by postgres on short/1 in main,job.version_expire 200 by '
          'postgres on short/2 in main,'
          'job.version_expire 200 by postgres on short/4 in main}',
              'with a row in the audit for each')
  FROM audit.event WHERE id > :before;
SELECT is(rule.version_expire(stored('short')), 0::bigint, 'once');

SELECT given('secret_version_enable', 'short', '1'), expire('short', 1, 'delete');
SELECT is((call('secret_version_create', 'short', data => 'x')).status, 200,
          'a call that changes a secret');
SELECT is((stored('short', 1)).revision, NULL, 'lets expire what has expired');

SELECT finish();
ROLLBACK;
