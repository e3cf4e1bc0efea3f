-- Pages of events, from each index and in both directions.
BEGIN;
\ir ../setup.sql

CREATE FUNCTION test.page(oldest_first boolean, after bigint, filter rule.event_filter DEFAULT NULL)
RETURNS bigint[] LANGUAGE sql AS $$
    SELECT ARRAY(SELECT e.id
                   FROM auditor.event_page(test.organization('acme'), '-infinity', 'infinity',
                                           oldest_first,
                                           (SELECT b.at FROM audit.event b WHERE b.id = after),
                                           after, 3, filter) AS e)
$$;
SELECT array_agg(e.id ORDER BY e.at, e.id) AS ids FROM audit.event e
 WHERE e.organization_id = organization('acme') \gset
SELECT is(page(true, NULL), (:'ids'::bigint[])[1:3], 'auditor.event_page gives the oldest first');
SELECT is(page(true, (:'ids'::bigint[])[3]), (:'ids'::bigint[])[4:6], 'beyond an event');
SELECT is(page(false, (:'ids'::bigint[])[4]),
          ARRAY[(:'ids'::bigint[])[3], (:'ids'::bigint[])[2], (:'ids'::bigint[])[1]],
          'or the newest');
SELECT is(page(oldest_first, NULL,
               jsonb_populate_record(NULL::rule.event_filter,
                                     jsonb_build_object('secret_id', secret('locked')))),
          ARRAY(SELECT e.id FROM audit.event e WHERE e.secret_id = secret('locked')::uuid
                 ORDER BY CASE WHEN oldest_first THEN e.id ELSE -e.id END), 'of a secret')
  FROM unnest('{true,false}'::boolean[]) AS oldest_first;
SELECT operator.api_key_add(p.id, 'SCWANOTHER0000000000', token('another')), p.id AS owner
  FROM store.principal p WHERE p.name = 'owner' \gset
SELECT call('secret_get', 'ready', caller => caller)
  FROM unnest('{another,owner,another,owner}'::text[]) AS caller \g /dev/null
CREATE FUNCTION test.walk(oldest_first boolean, filter rule.event_filter)
RETURNS bigint[] LANGUAGE plpgsql AS $$
DECLARE
    v_ids  bigint[] := '{}';
    v_page bigint[];
BEGIN
    LOOP
        v_page := test.page(oldest_first, v_ids[cardinality(v_ids)], filter);
        EXIT WHEN v_page = '{}';
        v_ids := v_ids || v_page;
    END LOOP;
    RETURN v_ids;
END
$$;
SELECT is(walk(oldest_first,
               jsonb_populate_record(NULL::rule.event_filter,
                                     jsonb_build_object('principal_id', :'owner'))),
          ARRAY(SELECT e.id FROM audit.event e
                 WHERE e.principal_id = :'owner' AND e.api_key_id IS NOT NULL
                 ORDER BY CASE WHEN oldest_first THEN e.id ELSE -e.id END),
          'of a principal, with any of its keys, page by page')
  FROM unnest('{true,false}'::boolean[]) AS oldest_first;

SELECT finish();
ROLLBACK;
