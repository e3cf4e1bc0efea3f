-- What the audit says of a refused call.
BEGIN;
\ir ../setup.sql
\ir ../keys.sql

-- Secret, revision and project, as far as they can be told: "ready 1 main".
CREATE FUNCTION test.concerns(caller text, secret text,
                              revision text DEFAULT NULL) RETURNS text LANGUAGE sql AS $$
    SELECT concat_ws(' ', coalesce((SELECT name FROM test.secret_name WHERE id = r.secret_id),
                                   r.secret_id::text), r.revision,
                     (SELECT name FROM store.project WHERE id = r.project_id))
      FROM rule.refusal(CASE WHEN caller <> 'unknown'
                        THEN rule.caller_require(test.token(caller)) END,
                        test.request(secret, revision), 404::smallint, 'body') AS r
$$;

SELECT is(concerns(caller, secret, revision), expected, 'a refused call concerns ' || title)
  FROM (VALUES ('a secret', 'owner', 'ready', NULL, 'ready main'),
               ('a version', 'owner', 'ready', '1', 'ready 1 main'),
               ('a version that is not there', 'owner', 'ready', '999999999',
                'ready 999999999 main'),
               ('a secret that is not there', 'owner', '99999999-0000-0000-0000-000000000009', NULL,
                '99999999-0000-0000-0000-000000000009'),
               ('a secret of another organization, whose project is not told', 'owner', 'foreign',
                '1',
                'foreign 1'),
               ('a secret, without its project, of which nobody knows who asked', 'unknown',
                'ready', '1',
                'ready 1'),
               ('no secret, if it is no UUID', 'owner', 'a b', '1', '1'),
               ('no revision, if it has no number', 'owner', 'ready', 'latest', 'ready main'),
               ('no revision, if it is none', 'owner', 'ready', '9999999999', 'ready main'),
               ('nothing, if it has no path', 'owner', NULL, NULL, '')) AS t(title, caller, secret,
                   revision, expected);
SELECT is((SELECT concat_ws(' ', n.name, r.revision, p.name)
             FROM rule.refusal(rule.caller_require(token(caller)), request(extra => at_key(key)),
                               404::smallint, 'body') AS r
             JOIN test.secret_name n ON n.id = r.secret_id LEFT JOIN store.project p
                  ON p.id = r.project_id),
          expected, 'a refused call concerns ' || title)
  FROM (VALUES ('a key', 'keeper', 'live', 'live main'),
               ('a key of another organization, whose project is not told', 'keeper', 'alien',
                'alien')) AS t(title, caller, key, expected);
SELECT is((rule.refusal(rule.caller_require(token(caller)), request(secret, revision, extra => key),
                        404::smallint, 'body')).snapshot ->> 'name',
          expected, 'a refused call may show ' || title)
  FROM (VALUES ('its secret', 'owner', 'ready', NULL, '{}'::jsonb, 'ready'),
               ('the secret of its version', 'owner', 'ready', '9', '{}', 'ready'),
               ('its key', 'keeper', NULL, NULL, at_key('live'), 'live'),
               ('nothing of a secret of another organization', 'owner', 'foreign', NULL, '{}',
                NULL),
               ('nor of a version of it', 'owner', 'foreign', '1', '{}', NULL),
               ('nor of a key', 'keeper', NULL, NULL, at_key('alien'), NULL)) AS t(title, caller,
                   secret, revision, key, expected);
SELECT results_eq($$SELECT status, body FROM rule.refusal(NULL, request(), 404::smallint, 'body')$$,
                  $$VALUES (404::smallint, 'body')$$, 'and has status and body as given');

SELECT finish();
ROLLBACK;
