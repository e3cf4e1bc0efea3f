-- What only the operator does to a secret. What it then allows is in rule/secret_test.sql.
BEGIN;
\ir ../setup.sql
SELECT backdate('ready');

-- Call an operator function on secret "ready", as the operator, and give status, managed_by and
-- updated_at, and the audit row.
CREATE FUNCTION test.after(call text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v_call CONSTANT text := format('SELECT operator.' || call, quote_literal(secret('ready')));
BEGIN
    SET LOCAL SESSION AUTHORIZATION coffer_operator;
    EXECUTE v_call;
    RESET SESSION AUTHORIZATION;
    RETURN concat_ws(' ', (stored('ready')).status, (stored('ready')).managed_by,
                     CASE WHEN (stored('ready')).updated_at = long_ago() THEN 'unchanged' END)
        || ': ' || audited();
END
$$;

SELECT is(after('secret_lock(%s)'),
          'locked unchanged: operator.secret_lock 200 by coffer_operator on ready in main',
          'operator.secret_lock locks a secret');
SELECT is(after('secret_lock(%s)'),
          'locked unchanged: operator.secret_lock 200 by coffer_operator on ready in main',
          'and can be repeated');
SELECT is(after('secret_unlock(%s)'),
          'ready unchanged: operator.secret_unlock 200 by coffer_operator on ready in main',
          'operator.secret_unlock takes the lock off');
SELECT is(after('secret_manage(%s, ''shop'')'),
          'ready shop unchanged: operator.secret_manage 200 by coffer_operator on ready in main',
          'operator.secret_manage gives a secret to a product');
SELECT is((call('secret_get', 'ready')).body ->> 'managed', 'true', 'which shows');
SELECT is(after('secret_unmanage(%s)'),
          'ready unchanged: operator.secret_unmanage 200 by coffer_operator on ready in main',
          'operator.secret_unmanage takes it back');

SELECT results_eq(format($$SELECT e.method, e.request - 'snapshot' FROM audit.event e
                             WHERE e.method LIKE 'operator.secret%%' AND e.secret_id = %L
                             ORDER BY e.id$$, secret('ready')),
                  $$VALUES ('operator.secret_lock', '{"before": {"status": "ready"}}'::jsonb),
                           ('operator.secret_lock', '{"before": {"status": "locked"}}'),
                           ('operator.secret_unlock', '{"before": {"status": "locked"}}'),
                           ('operator.secret_manage',
                            '{"product": "shop", "before": {"managed_by": null}}'),
                           ('operator.secret_unmanage', '{"before": {"managed_by": "shop"}}')$$,
                  'the audit says what was given, and what it was before');
SELECT is(raised(format('SELECT operator.' || call, quote_literal(gen_random_uuid()))),
          'SM900 it may have been purged ',
          format('%s refuses a secret that is not there (SM900)', split_part(call, '(', 1)))
  FROM unnest(ARRAY['secret_lock(%s)', 'secret_unlock(%s)', 'secret_manage(%s, ''shop'')',
                    'secret_unmanage(%s)']) AS call;
SELECT is(raised(format('SELECT operator.secret_manage(%L, %L)', secret('ready'), product)),
          'SM900 pass its name ', 'secret_manage refuses a product without a name (SM900)')
  FROM unnest(ARRAY['', NULL]) AS product;

SELECT finish();
ROLLBACK;
