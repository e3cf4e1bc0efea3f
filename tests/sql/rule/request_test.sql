-- Changes that are done once, however often they are sent.
BEGIN;
\ir ../setup.sql

-- What the database holds that a call could have changed.
CREATE FUNCTION test.holdings() RETURNS text LANGUAGE sql AS $$
    SELECT concat_ws(' ', (SELECT count(*) FROM store.secret), (SELECT count(*) FROM store.version),
                     (SELECT count(*) FROM audit.event), (SELECT count(*) FROM store.request))
$$;

SELECT request(body => '{"name": "once"}', extra => '{"once": true}') AS request \gset
SELECT * FROM api_call('secret_create', :'request') \gset first_
SELECT is(:first_status, 200, 'a change is carried out');
SELECT holdings() AS before \gset
SELECT * FROM api_call('secret_create', :'request') \gset second_
SELECT is(:'second_text'::text, :'first_text', 'sent again, it is answered the same');
SELECT is(:second_receipt, :first_receipt, 'with the first receipt');
SELECT is(holdings(), :'before', 'and nothing is done');
SELECT is((SELECT array_agg(repeats) FROM store.request), '{1}'::integer[],
          'but that it was asked again is written, so as to wait for a standby');

-- The call asks for a key under the same id.
SELECT is((call('secret_version_create', 'ready', data => 'v', extra => '{"once": true}')).status,
          200,
          'a call of several rounds is one request');
SELECT is((SELECT count(*) FROM store.request WHERE method = 'secret_version_create'), 1::bigint,
          'and kept once');
SELECT is_empty($$SELECT body FROM store.request WHERE body ~ 'data'$$, 'without its payload');
SELECT is((call('secret_delete', 'ready', extra => '{"once": true}')).status, 204,
          'an answer without a body');
SELECT is((SELECT body FROM store.request WHERE method = 'secret_delete'), NULL, 'is kept as that');

SELECT count(*) AS kept FROM store.request \gset
SELECT refuses('secret_protect', '423 locked secret', 'a refusal', 'locked',
               extra => '{"once": true}');
SELECT refuses('secret_create', '401 denied_authentication not_found', 'somebody unknown',
               body => '{"name": "x"}',
               caller => 'unknown', extra => '{"once": true}');
SELECT is((call('secret_list')).status, 200, 'what changes nothing');
SELECT is((SELECT count(*) FROM store.request), :kept::bigint, 'is not kept');

-- Refused ----------------------------------------------------------------------

SELECT throws_ok(format('SELECT api_call(%L, %L, %L)', 'secret_create', :'request', 'only create'),
                 'P0002', NULL,
                 'the answer is for nobody else');
SELECT throws_ok(format('SELECT api_call(%L, %L)', 'secret_update', :'request'), 'P0002', NULL,
                 'and for no other call');
SELECT is((api_call('secret_create', :'request', 'unknown')).status, 401,
          'nor for who has no key any more');
SELECT throws_ok(format('SELECT call(%L, %L, %L, extra => %L)', 'secret_version_access',
                        'protected', '1', '{"once": true}'),
                 'P0004', NULL, 'an answer with a payload is never kept');

SELECT finish();
ROLLBACK;
