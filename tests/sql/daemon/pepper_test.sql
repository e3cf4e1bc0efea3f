BEGIN;
\ir ../raised.sql
DELETE FROM store.pepper;

SELECT is_empty($$SELECT * FROM daemon.pepper_get()$$,
                'daemon.pepper_get gives nothing when there is no pepper');
SET SESSION AUTHORIZATION coffer_api;
SELECT root_id AS first, encode(wrapped, 'hex') AS wrapped
  FROM daemon.pepper_keep('first', decode(repeat('01', 60), 'hex')) \gset
SET SESSION AUTHORIZATION coffer_operator;
SELECT root_id AS second, encode(wrapped, 'hex') AS rewrapped
  FROM daemon.pepper_keep('second', decode(repeat('02', 60), 'hex')) \gset
SELECT root_id AS got FROM daemon.pepper_get() \gset
RESET SESSION AUTHORIZATION;
SELECT is(:'first' || ' ' || :'wrapped', 'first ' || repeat('01', 60),
          'daemon.pepper_keep keeps the first pepper');
SELECT is(:'second' || ' ' || :'rewrapped', 'first ' || repeat('01', 60),
          'and gives that to who comes later');
SELECT is(:'got'::text, 'first', 'as does daemon.pepper_get');
DELETE FROM store.pepper;
SELECT is_empty($$SELECT * FROM daemon.pepper_keep('second', decode(repeat('02', 60), 'hex'))$$,
                'none is kept that is not under the active root key');
SELECT throws_ok($$SELECT daemon.pepper_keep('first', '\x00')$$, '23514', NULL,
                 'what cannot be a wrapped pepper is not kept (23514)');

SELECT finish();
ROLLBACK;
