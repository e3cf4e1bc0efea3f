-- Who used a managed key.
BEGIN;
\ir ../setup.sql
\ir ../keys.sql
SELECT secret('live')::uuid AS live \gset

SELECT call_key('key_encrypt', 'live', caller => 'only key encrypt', extra => cut('plaintext', 5)),
       call_key('key_decrypt', 'live', caller => 'only key decrypt',
                extra => cut('ciphertext', 38, '{"rotation": 1}')),
       call_key('key_generate_data_key', 'live'),
           call_key('key_encrypt', 'guarded', extra => cut('plaintext', 5)),
       call_key('key_get', 'live'), call_key('key_rotate', 'live'),
       call_key('key_encrypt', 'live', caller => 'only key decrypt', extra => cut('plaintext', 5)),
       call_key('key_decrypt', 'live',
                extra => cut('ciphertext', 38, '{"rotation": 1}')
                    || '{"unsound": true}') \g /dev/null
-- now() is the beginning of the test.
UPDATE audit.event SET at = now() - interval '1 second' WHERE secret_id = :'live';

SET LOCAL ROLE coffer_auditor;
SELECT results_eq(format('SELECT method, principal, ip, access_key ~ ''^SCW'' FROM '
                         'auditor.key_uses(%L)', :'live'),
                  $$VALUES ('key_generate_data_key', 'keeper', '192.0.2.1'::inet, true),
                      ('key_decrypt', 'only key decrypt', '192.0.2.1', true),
                           ('key_encrypt', 'only key encrypt', '192.0.2.1', true)$$,
                  'auditor.key_uses lists who used a key, and no other calls');
SELECT is_empty(format('SELECT FROM auditor.key_uses(%L, until => now() - interval ''1 day'')',
                       :'live'), 'in a time');

SELECT finish();
ROLLBACK;
