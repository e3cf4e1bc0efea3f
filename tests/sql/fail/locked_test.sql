BEGIN;
\ir ../raised.sql

SELECT is(raised($$SELECT fail.locked('secret', 'id')$$),
          'SM423 423 {"message":"resource is locked","resource":"secret","resource_id":"id","type":"locked"}',
          'fail.locked names the resource (SM423)');

SELECT finish();
ROLLBACK;
