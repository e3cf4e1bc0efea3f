CREATE FUNCTION rule.database_faults()
RETURNS text[]
LANGUAGE sql STABLE
AS $$
    -- Texts are turned into bytes, checked and hashed as UTF8. In a database of another encoding
    -- that fails, or differs.
    SELECT CASE WHEN current_setting('server_encoding') = 'UTF8' THEN '{}'::text[]
                ELSE ARRAY[format('the database is encoded in %s, not in UTF8: restore a dump of '
                                  'it into one that was made with '
                                  'CREATE DATABASE ... TEMPLATE template0 ENCODING ''UTF8''',
                                      current_setting('server_encoding'))]
           END
$$;
COMMENT ON FUNCTION rule.database_faults() IS
    'Lists what the database was made with and cannot be changed, but has to be otherwise, each '
    'with its remedy.';
