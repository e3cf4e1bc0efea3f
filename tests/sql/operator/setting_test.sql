BEGIN;
\ir ../setup.sql

SELECT is(raised(format('SELECT operator.setting_set(%L, %L)', 'purge_after', value)), 'nothing',
          format('purge_after can be %s', value))
  FROM unnest('{0 seconds,1 hour,30 days, 2 WEEKS ,120 months,1month}'::text[]) AS value;
SET SESSION AUTHORIZATION coffer_operator;
SELECT operator.setting_set('purge_after', '1 day') AS set \gset
RESET SESSION AUTHORIZATION;
SELECT is(rule.setting('purge_after'), '1 day',
          'operator.setting_set sets a setting, the last time counts');
SELECT results_eq($$SELECT method, database_role FROM audit.event ORDER BY id DESC LIMIT 1$$,
                  $$VALUES ('operator.setting_set', 'coffer_operator')$$, 'and is audited');

SELECT is(detail('operator.setting_set'),
          '{"name": "purge_after", "value": "1 day", "before": {"value": "1month"}}',
          'with the value, and the one before');

SELECT is(raised(format('SELECT operator.setting_set(%L, %L)', 'purge_after', value)),
          'SM900 write a number and a unit: 7 days ', 'it refuses ' || title || ' (SM900)')
  FROM (VALUES ('a negative length', '-1 day'), ('no unit', '7'), ('no number', 'a day'),
        ('nothing', ''),
               ('null', NULL), ('more than that', '1 day; 2 days')) AS t(title, value);
SELECT is(raised(format('SELECT operator.setting_set(%L, %L)', 'purge_after', value)),
          'SM900 write 120 months or less ',
              format('it refuses %s, which jobs cannot reckon with (SM900)', value))
  FROM unnest('{121 months,99999999999999 months,3660 days,999999999999999999999 seconds}'::text[])
       AS value;
SELECT is(raised($$SELECT operator.setting_set('unheard_of', '1 day')$$), 'SM900 purge_after ',
          'it refuses an unknown setting, and says which there are (SM900)');

SELECT finish();
ROLLBACK;
