-- The shape of changes, and cursors that are ahead.
BEGIN;
\ir ../setup.sql

SELECT is(rule.change_render('1.2', '2026-11-23 00:00:00+00', method, project('main'), NULL, 3,
                             NULL) ->> 'method_name', name, 'rule.change_render names ' || method)
  FROM (VALUES ('secret_get', 'GetSecret'), ('operator.quota_set', 'operator.quota_set'))
      AS t(method, name);
SELECT is(rule.change_cursor_is_ahead(cursor, '2.5'), ahead,
          format('rule.change_cursor_is_ahead, %s: %s', cursor, ahead))
  FROM (VALUES (NULL, NULL::boolean), ('2.5', false), ('2.6', true), ('1.9', false),
               ('3.1', true)) AS t(cursor, ahead);

SELECT finish();
ROLLBACK;
