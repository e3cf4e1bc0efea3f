-- GET /secrets-by-path/versions/{revision}/access
BEGIN;
\ir ../setup.sql

-- What finds a secret: its name and, unless they are main and the root, project and path.
CREATE FUNCTION test.find(name text, project text DEFAULT 'main',
                          path text DEFAULT NULL) RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_strip_nulls(jsonb_build_object('secret_name', name,
                                                'project_id', test.project(project),
                                                'secret_path', path))
$$;

-- Allowed ----------------------------------------------------------------------

SELECT make_secret('db', '{"path": "/a/b"}'), make_version('db', 'hunter2'),
       make_version('db', 'latest');
SELECT status, text FROM call('secret_version_access_by_path', revision => '1',
                              query => find('db', path => '/a/b'), caller => 'only access') \gset
SELECT is(:status, 200, 'secret_version_access_by_path answers 200');
SELECT is(audited(), 'secret_version_access_by_path 200 by only access on db/1 in main',
          'it is audited, with the secret it has found');
SELECT is(:'text', (call('secret_version_access', 'db', '1')).text,
          'the answer is that of secret_version_access');

SELECT is((call('secret_version_access_by_path', revision => 'latest',
                query => find('db', path => 'a//b/'))).body ->> 'revision', '2',
          'secret_version_access_by_path takes latest, and a path that is written otherwise');
SELECT is((call('secret_version_access_by_path', revision => '1',
                query => find('ready'))).body ->> 'secret_id', secret('ready'),
          'the path is the root if it is absent');
SELECT secret('ready') AS deleted \gset
SELECT given('secret_delete', 'ready'), make_secret('ready'), make_version('ready');
SELECT isnt((call('secret_version_access_by_path', revision => '1',
                  query => find('ready'))).body ->> 'secret_id', :'deleted',
            'of two secrets of one name the live one is found');
SELECT make_secret('once',
                   '{"ephemeral_policy": {"expires_once_accessed": true, "action": "delete"}}'),
       make_version('once');
SELECT is((call('secret_version_access_by_path', revision => '1', query => find('once'))).status,
          200, 'a version to be read once can be read');

-- Refused ----------------------------------------------------------------------

SELECT refuses('secret_version_access_by_path', '404 not_found secret_version',
               'a version that was read once', revision => '1', query => find('once'));
SELECT refuses('secret_version_access_by_path',
               '400 invalid_arguments project_id required, secret_name required',
               'what names no secret', revision => '1');
SELECT refuses('secret_version_access_by_path',
               '400 invalid_arguments revision format, project_id format, secret_name format, '
               'secret_path format', 'arguments that are wrong, all together', revision => 'x',
               query => '{"project_id": "main", "secret_name": "a/b", "secret_path": "a b"}');
SELECT refuses('secret_version_access_by_path', '404 not_found secret', 'a name that is not there',
               revision => '1', query => find('nothing'));
SELECT refuses('secret_version_access_by_path', '404 not_found secret', 'a name in another path',
               revision => '1', query => find('db', path => '/a'));
SELECT refuses('secret_version_access_by_path', '404 not_found secret', 'a name in another project',
               revision => '1', query => find('db', 'other', '/a/b'));
SELECT refuses('secret_version_access_by_path', '404 not_found secret', 'a name in another region',
               revision => '1', query => find('ready'), extra => '{"region": "nl-ams"}');
SELECT refuses('secret_version_access_by_path', '404 not_found secret',
               'a secret that is scheduled for deletion', revision => '1',
               query => find('scheduled'));
SELECT refuses('secret_version_access_by_path', '404 not_found secret_version',
               'a revision that is not there', revision => '7', query => find('ready'));
SELECT refuses('secret_version_access_by_path', '423 locked secret', 'a locked secret',
               revision => '1', query => find('locked'));
SELECT given('secret_version_disable', 'ready', '1');
SELECT refuses('secret_version_access_by_path', '412 precondition_failed resource_not_usable',
               'a disabled version', revision => '1', query => find('ready'));

-- Unprivileged -----------------------------------------------------------------

SELECT refuses_without_key('secret_version_access_by_path', revision => '1',
                           query => find('ready'));
SELECT refuses('secret_version_access_by_path', '403 permissions_denied access secret_version',
               title, revision => '1', query => query, caller => caller)
  FROM (VALUES ('a caller with all rights but the one', find('ready'), 'all but access'),
               ('a project where the caller has no rights', find('ready'), 'guest'),
               ('a project of another organization', find('foreign', 'foreign'), 'owner'),
               ('a project that is not there',
                find('ready') || jsonb_build_object('project_id', gen_random_uuid()), 'owner'))
                    AS t(title, query, caller);

SELECT finish();
ROLLBACK;
