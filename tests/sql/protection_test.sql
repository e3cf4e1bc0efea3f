-- Protection, the right to delete and the seven days to restore hold against every way to destroy a
-- value.
BEGIN;
\ir setup.sql

CREATE FUNCTION test.expiring(action text,
                              after interval DEFAULT '1 hour') RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_build_object('ephemeral_properties', jsonb_build_object(
        'expires_at', rule.render_time(clock_timestamp() + after), 'action', action))
$$;
CREATE FUNCTION test.policy(action text, time_to_live text DEFAULT '60s') RETURNS jsonb LANGUAGE sql
    AS $$
    SELECT jsonb_build_object('ephemeral_policy',
                              jsonb_build_object('time_to_live', time_to_live, 'action', action))
$$;

-- Secrets by where their policy is from: each with one version. Those that are protected become so
-- last.
CREATE FUNCTION test.make_ephemeral(name text, created jsonb,
                                    later jsonb DEFAULT NULL) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM test.make_secret(name, created);
    IF later IS NOT NULL THEN
        PERFORM test.given('secret_update', name, body => later);
    END IF;
    PERFORM test.make_version(name);
END
$$;

-- What becomes of version 1 when its time has come, with and without the job: "gone", its status,
-- or "... (restored)".
CREATE FUNCTION test.after_expiry(secret text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v_status text;
    v_id     CONSTANT uuid := test.secret(secret);
BEGIN
    UPDATE store.version v SET expires_at = clock_timestamp() WHERE v.secret_id = v_id
        AND v.revision = 1;
    v_status := (test.call('secret_version_get', secret, '1')).body ->> 'status';
    PERFORM job.version_expire();
    IF v_status IS DISTINCT FROM (test.call('secret_version_get', secret, '1')).body ->> 'status'
        THEN
        RETURN 'the job makes a difference';
    ELSIF v_status = 'scheduled_for_deletion' THEN
        UPDATE store.version v SET deletion_requested_at = v.deletion_requested_at
            - interval '6 days'
         WHERE v.secret_id = v_id AND v.revision = 1;
        PERFORM job.version_purge();
        PERFORM test.given('secret_version_restore', secret, '1');
        PERFORM job.version_expire();
        RETURN 'restored, ' || coalesce(convert_from(decode(
            (test.call('secret_version_access', secret, '1')).body ->> 'data', 'base64'), 'UTF8'),
                'but unreadable');
    END IF;
    RETURN coalesce(v_status, 'gone');
END
$$;

-- Who may, and on what -------------------------------------------------------------

SELECT is(brief(call(endpoint, secret, CASE endpoint WHEN 'secret_version_update' THEN '1' END,
                     body, caller => caller)),
          expected, format('%s %s by %s on %s', endpoint, body, caller, secret))
  FROM (VALUES
    ('secret_version_update', expiring('delete'), 'only write', 'ready',
     '403 permissions_denied delete secret_version'),
    ('secret_version_update', expiring('delete'), 'only write', 'protected',
     '403 permissions_denied delete secret_version'),
    ('secret_version_update', expiring('delete'), 'only delete', 'ready',
     '403 permissions_denied write secret_version'),
    ('secret_version_update', expiring('delete'), 'owner', 'protected',
     '412 precondition_failed protected_resource'),
    ('secret_version_update',
     '{"ephemeral_properties": {"expires_once_accessed": true, "action": "delete"}}', 'owner',
     'protected', '412 precondition_failed protected_resource'),
    ('secret_version_update', expiring('disable'), 'only write', 'protected', '200'),
    ('secret_update', policy('delete'), 'only write', 'ready',
     '403 permissions_denied delete secret'),
    ('secret_update', policy('delete'), 'owner', 'protected',
     '412 precondition_failed protected_resource'),
    ('secret_update', policy('disable'), 'only write', 'protected', '200'),
    ('secret_delete', '{}', 'owner', 'protected', '412 precondition_failed protected_resource')
  ) AS t(endpoint, body, caller, secret, expected);
SELECT is((call('secret_version_update', 'protected', '1', expiring('delete'))).text,
          '{"help_message":"cannot let versions of a protected secret be '
          'deleted","message":"precondition is not respected",'
          '"precondition":"protected_resource","type":"precondition_failed"}',
              'in the form of the contract');

-- A client that sends back what it got changes nothing, and may.
SELECT make_ephemeral('echo', policy('delete') || '{"protected": true}');
SELECT is(brief(call('secret_update', 'echo', body => (call('secret_get', 'echo')).body,
                     caller => 'only write')), '200',
          'the policy that a protected secret has is no change');
SELECT is(brief(call('secret_version_update', 'echo', '1',
                     (call('secret_version_get', 'echo', '1')).body,
                     caller => 'only write')), '200', 'nor are the properties of its version');
SELECT is(brief(call('secret_update', 'echo', body => policy('delete', '59s'))),
          '412 precondition_failed protected_resource', 'another time is');
SELECT is(brief(call('secret_version_update', 'echo', '1', expiring('delete', '1 s'))),
          '412 precondition_failed protected_resource', 'of a version, too');
SELECT is(after_expiry('echo'), 'gone', 'what was sent back keeps its meaning');

-- What time does then --------------------------------------------------------------

SELECT make_ephemeral('created', policy('delete')),
       make_ephemeral('created-protected', policy('delete') || '{"protected": true}'),
       make_ephemeral('created-disable', policy('disable')),
       make_ephemeral('added', '{}', policy('delete')),
           make_ephemeral('replaced', policy('disable'), policy('delete')),
       make_ephemeral('shortened', policy('delete', '31536000s'), policy('delete', '1s')),
       make_ephemeral('changed', '{}'), make_ephemeral('changed-created', policy('delete')),
       make_ephemeral('changed-disabled', '{}'), make_ephemeral('enabled', '{}', policy('delete')),
       make_ephemeral('enabled-created', policy('delete'));
SELECT given('secret_version_update', 'changed', '1', expiring('delete')),
       given('secret_version_update', 'changed-created', '1', expiring('delete', '2 hours')),
       given('secret_version_update', 'changed-disabled', '1', expiring('delete')),
       given('secret_version_disable', 'changed-disabled', '1'),
       given('secret_version_disable', 'enabled', '1'),
           given('secret_version_enable', 'enabled', '1'),
       given('secret_version_disable', 'enabled-created', '1'),
           given('secret_version_enable', 'enabled-created', '1');
SELECT is(after_expiry(secret), expected, title)
  FROM (VALUES
    ('created', 'gone', 'a policy of the creation deletes at once'),
    ('created-protected', 'gone', 'on a protected secret, too'),
    ('created-disable', 'disabled', 'one that disables does'),
    ('added', 'restored, value', 'a policy that was added leaves seven days'),
    ('replaced', 'restored, value', 'so does one that was changed'),
    ('shortened', 'restored, value', 'in its time alone, too'),
    ('changed', 'restored, value', 'so does the expiry of a version that was set'),
    ('changed-created', 'restored, value', 'in the place of that of its policy, too'),
    ('enabled', 'restored, value', 'what is enabled again is as its policy is'),
    ('enabled-created', 'gone', 'whichever that is')
  ) AS t(secret, expected, title);

UPDATE store.version SET expires_at = clock_timestamp()
WHERE secret_id = secret('changed-disabled')::uuid;
SELECT is((call('secret_version_restore', 'changed-disabled', '1')).body
          - '{secret_id,srn,created_at,updated_at}'::text[],
          '{"revision": 1, "status": "disabled", "deleted_at": null, "description": "", "latest": '
          'true,
            "ephemeral_properties": null, "deletion_requested_at": null, "region": "fr-par"}',
          'a disabled version that expires by a change comes back disabled, and without the '
          'expiry');

-- Read once ------------------------------------------------------------------------

SELECT make_ephemeral('once', '{}');
SELECT given('secret_version_update', 'once', '1',
             '{"ephemeral_properties": {"expires_once_accessed": true, "action": "delete"}}');
SELECT is((call('secret_version_access', 'once', '1', caller => 'only access')).status, 200,
          'a version that a change made read once');
SELECT refuses('secret_version_access', '412 precondition_failed resource_not_usable',
               'a second reader', 'once', '1');
SELECT is((call('secret_version_restore', 'once', '1', caller => 'only restore')).body
          -> 'ephemeral_properties',
          '{"expires_at": null, "expires_once_accessed": true, "action": "delete"}',
              'it can be restored');
SELECT is((call('secret_version_access', 'once', '1')).status, 200, 'for one reader');
SELECT refuses('secret_version_access', '412 precondition_failed resource_not_usable',
               'another one', 'once', '1');

-- The secret itself ----------------------------------------------------------------

SELECT is((call('secret_delete', secret)).status, 204, secret || ' is deleted')
  FROM unnest('{created,replaced,shortened,added}'::text[]) AS secret;
SELECT is((call('secret_get', secret)).status, expected, format('%s is %s then', secret, expected))
  FROM (VALUES ('created', 404), ('replaced', 404), ('shortened', 404), ('added', 200)) AS t(secret,
      expected);
SELECT is((call('secret_restore', 'added')).body ->> 'deletion_requested_at', NULL,
          'one that got its policy by a change is restored');

-- Seven days, and no more ----------------------------------------------------------

SELECT make_ephemeral('late', '{}');
SELECT given('secret_version_update', 'late', '1', expiring('delete'));
UPDATE store.version SET expires_at = clock_timestamp() - interval '8 days'
WHERE secret_id = secret('late')::uuid;
SELECT job.version_expire(), job.version_purge();
SELECT is((stored('late', 1)).revision, NULL,
          'what is not restored is purged, seven days after it expired');

-- One that was deleted singly keeps its own seven days, whatever its expiry says.
SELECT make_ephemeral('both', '{}');
SELECT given('secret_version_update', 'both', '1', expiring('delete')),
       given('secret_version_delete', 'both', '1');
SELECT (stored('both', 1)).deletion_requested_at AS deleted_at \gset
UPDATE store.version SET expires_at = clock_timestamp() WHERE secret_id = secret('both')::uuid;
SELECT job.version_expire();
SELECT results_eq($$SELECT deletion_requested_at, status_to_restore, expires_at
                  FROM stored('both', 1)$$,
                  format($$VALUES (%L::timestamptz, 'enabled', NULL::timestamptz)$$, :'deleted_at'),
                  'a version that is deleted stays as it was deleted when its time comes');

SELECT finish();
ROLLBACK;
