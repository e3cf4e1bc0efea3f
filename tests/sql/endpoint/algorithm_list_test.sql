-- GET /algorithms
BEGIN;
\ir ../setup.sql
\ir ../keys.sql

-- Allowed ----------------------------------------------------------------------

SELECT status, text FROM call_key('algorithm_list', caller => 'nobody') \gset
SELECT is(:status, 200, 'algorithm_list answers 200 to each caller');
SELECT is(audited(), 'algorithm_list 200 by nobody', 'it is audited');
SELECT is(:'text'::text,
          '{"algorithms":[{"usage":"symmetric_encryption","name":"aes_256_gcm",'
          '"recommended":true}]}', 'with what there is');
SELECT is((call_key('algorithm_list', query => jsonb_build_object('usages', usages))).text,
          CASE WHEN found THEN :'text' ELSE '{"algorithms":[]}' END,
          format('algorithm_list for %s', usages))
  FROM (VALUES ('["symmetric_encryption"]'::jsonb, true),
               ('["asymmetric_signing", "symmetric_encryption"]', true),
               ('["unknown_usage"]', true), ('["key_encapsulation"]', false), ('["x"]', false),
               ('["asymmetric_signing", "asymmetric_encryption"]', false)) AS t(usages, found);

-- Refused ----------------------------------------------------------------------

SELECT refuses_key('algorithm_list', '400 invalid_arguments usages format',
                   'what is no list of words', query => '{"usages": [["x"]]}');

-- Unprivileged -----------------------------------------------------------------

SELECT refuses_without_key('algorithm_list');

SELECT finish();
ROLLBACK;
