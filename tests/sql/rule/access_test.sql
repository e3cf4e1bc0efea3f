-- Reading a value: what must be as it was sealed. What a caller gets is in
-- endpoint/secret_version_access_test.sql.
BEGIN;
\ir ../setup.sql

-- Two secrets of one project with two versions each, and what an attempt to read one comes to once
-- a row has been tampered with, which is then taken back.
SELECT make_secret('a'), make_version('a', 'a one'), make_version('a', 'a two'),
       make_secret('b'), make_version('b', 'b one'), make_version('b', 'b two');

CREATE FUNCTION test.read_after(tampering text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v_answer test.answer;
BEGIN
    EXECUTE tampering;
    v_answer := call('secret_version_access', 'a', '1');
    RAISE EXCEPTION USING ERRCODE = 'ZZ000', MESSAGE = (
        SELECT brief(v_answer) || concat_ws(' ', ', audited as', e.status, e.error)
          FROM audit.event e
                                                         WHERE e.id = v_answer.receipt);
EXCEPTION
    WHEN SQLSTATE 'ZZ000' THEN
        RETURN SQLERRM;
END
$$;

SELECT is(read_after('SELECT'), '200, audited as 200', 'what nobody has tampered with is read');
SELECT is(read_after(format(tampering, secret('a'), secret('b'))),
          '500 internal, audited as 500 internal',
          'it is not read when ' || title || ' (SM101)')
  FROM (VALUES
    ('its payload is that of another revision',
     $$UPDATE store.version SET sealed = (SELECT sealed FROM store.version WHERE secret_id = %1$L
                                             AND revision = 2) WHERE secret_id = %1$L
                                             AND revision = 1$$),
    ('its payload is that of another secret',
     $$UPDATE store.version SET sealed = (SELECT sealed FROM store.version WHERE secret_id = %2$L
                                             AND revision = 1) WHERE secret_id = %1$L
                                             AND revision = 1$$),
    ('its key is that of another revision',
     $$UPDATE store.dek SET wrapped = (SELECT wrapped FROM store.dek WHERE secret_id = %1$L
                                       AND revision = 2)
        WHERE secret_id = %1$L AND revision = 1$$),
    ('its key is that of another secret',
     $$UPDATE store.dek SET wrapped = (SELECT wrapped FROM store.dek WHERE secret_id = %2$L
                                       AND revision = 1)
        WHERE secret_id = %1$L AND revision = 1$$),
    ('its payload is its key',
     $$UPDATE store.version SET sealed = (SELECT wrapped FROM store.dek WHERE secret_id = %1$L
                                             AND revision = 1) WHERE secret_id = %1$L
                                             AND revision = 1$$),
    ('it is another revision, key and all',
     $$DELETE FROM store.version WHERE secret_id = %1$L AND revision = 1;
       INSERT INTO store.version (secret_id, revision, status, description, created_at, updated_at,
                                  sealed)
       SELECT secret_id, 1, status, description, created_at, updated_at, sealed FROM store.version
        WHERE secret_id = %1$L AND revision = 2;
       INSERT INTO store.dek SELECT secret_id, 1, kek_id, wrapped FROM store.dek
       WHERE secret_id = %1$L
          AND revision = 2$$),
    ('a bit of its payload is another',
     $$UPDATE store.version SET sealed = set_bit(sealed, 150, 1 - get_bit(sealed, 150))
         WHERE secret_id = %1$L
          AND revision = 1$$),
    ('a bit of its key is another',
     $$UPDATE store.dek SET wrapped = set_bit(wrapped, 150, 1 - get_bit(wrapped, 150))
         WHERE secret_id = %1$L
          AND revision = 1$$),
    ('the secret is of another project',
     $$INSERT INTO store.kek VALUES (gen_random_uuid(), test.project('other'), 'x',
                                     decode(repeat('00', 60), 'hex'));
       UPDATE store.secret SET project_id = test.project('other') WHERE id = %1$L$$)
  ) AS t(title, tampering);

SELECT is(read_after(format('DELETE FROM store.dek WHERE secret_id = %L AND revision = 1',
                            secret('a'))),
          '404 not_found secret_version, audited as 404 not_found',
          'without its key a version is not there (SM404)');

-- A key that is not the secret's, though it is said to be: what a daemon at fault would send.
SELECT kek_id AS kek FROM store.dek WHERE secret_id = secret('a')::uuid AND revision = 1 \gset
SELECT is(brief(api_call('secret_version_access',
                      request('a', '1', extra => key_of(secret('a'), :'kek')), key => key)),
          '500 internal', 'a wrong key of ' || octet_length(key) || ' bytes opens nothing (SM101)')
  FROM (VALUES (sha512('x')), (sha256('x')), ('')) AS t(key);

-- Only once ---------------------------------------------------------------------------------

SELECT make_secret('once',
                   '{"ephemeral_policy": {"expires_once_accessed": true, "action": "delete"}}'),
       make_version('once', 'one'),
       make_version('once', 'two');
SELECT is((api_call('secret_version_access', request('once', '1'))).status, 0,
          'a read that lacks the key');
SELECT is((stored('once', 1)).status, 'enabled', 'does not use up a version that can be read once');
SELECT is(brief(api_call('secret_version_access',
                      request('once', '1', extra => key_of(secret('once'), :'kek')),
                      key => sha512('x'))),
          '500 internal', 'a read that fails');
SELECT is((stored('once', 1)).status, 'enabled', 'does not either');
SELECT is((call('secret_version_access', 'once', '1')).status, 200, 'a read that succeeds');
SELECT is((stored('once', 1)).status, NULL, 'does');
SELECT is((stored('once', 2)).status, 'enabled', 'and leaves the other version alone');

SELECT finish();
ROLLBACK;
