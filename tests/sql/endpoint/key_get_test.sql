-- GET /keys/{key_id}
BEGIN;
\ir ../setup.sql
\ir ../keys.sql

-- Allowed ----------------------------------------------------------------------

SELECT backdate_key('live');
SELECT status, text FROM call_key('key_get', 'live', caller => 'only key read') \gset
SELECT is(:status, 200, 'key_get answers 200');
SELECT is(audited(), 'key_get 200 by only key read on live in main', 'it is audited');
SELECT is(:'text',
          format('{"id":"%1$s","srn":"srn://key-manager.scw.eu/regions/fr-par/keys/%1$s",'
                 '"project_id":"%2$s","name":"live","usage":{"symmetric_encryption":"aes_256_gcm"},'
                 '"state":"enabled",'
                 '"rotation_count":1,"created_at":"2001-02-03T04:05:06.789000Z",'
                 '"updated_at":"2001-02-03T04:05:06.789000Z",'
                 '"protected":false,"locked":false,"description":null,"tags":[],'
                 '"rotated_at":"2001-02-03T04:05:06.789000Z",'
                 '"rotation_policy":null,"origin":"scaleway_kms","deletion_requested_at":null,'
                 '"protection_level":"software",'
                 '"region":"fr-par"}', secret('live'), project('main')),
          'with the key, its members in their order');
SELECT is((call_key('key_get', key)).body ->> 'state', state, 'a key is ' || state)
  FROM (VALUES ('live', 'enabled'), ('guarded', 'enabled'), ('disabled', 'disabled'),
               ('doomed', 'scheduled_for_deletion')) AS t(key, state);
SELECT given_key('key_delete', 'disabled');
SELECT is((call_key('key_get', 'disabled')).body ->> 'state', 'scheduled_for_deletion',
          'whatever it was before');

-- Unprivileged -----------------------------------------------------------------

SELECT refuses_unprivileged_key('key_get', 'read');

SELECT finish();
ROLLBACK;
