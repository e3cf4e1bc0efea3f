BEGIN;
\ir ../raised.sql

SELECT is(raised($$SELECT fail.not_found('secret', 'id')$$),
          'SM404 404 {"message":"resource is not found","resource":"secret","resource_id":"id","type":"not_found"}',
          'fail.not_found names the resource (SM404)');

SELECT finish();
ROLLBACK;
