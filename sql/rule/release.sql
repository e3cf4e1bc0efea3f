-- Which release this SQL is of, and which daemons it serves.

CREATE FUNCTION rule.release()
RETURNS text
LANGUAGE sql IMMUTABLE
AS $$
    SELECT '0.3.0'
$$;
COMMENT ON FUNCTION rule.release() IS
    'Gives the release that this SQL is of, as configure.ac names it.';

CREATE FUNCTION rule.release_order(build text)
RETURNS integer[]
LANGUAGE sql IMMUTABLE
AS $$
    SELECT CASE WHEN build ~ '^[0-9]{1,4}([.][0-9]{1,4}){2}$'
           THEN string_to_array(build, '.')::integer[] END
$$;
COMMENT ON FUNCTION rule.release_order(text) IS
    'Gives the numbers of a release, by which one is later than another; null for what is none.';

CREATE FUNCTION rule.release_faults(build text)
RETURNS text[]
LANGUAGE plpgsql STABLE
AS $$
DECLARE
    -- `make check-upgrade` shows that this one serves. Change it when an older one no longer does.
    v_oldest CONSTANT text := '0.1.0';
BEGIN
    RETURN CASE WHEN rule.release_order(build) < rule.release_order(v_oldest)
        THEN ARRAY[format('this daemon is of release %s, and the database of release %s serves '
                          'daemons of %s and later: install the daemon of release %s',
                          build, rule.release(), v_oldest, rule.release())]
        ELSE '{}' END;
END
$$;
COMMENT ON FUNCTION rule.release_faults(text) IS
    'Says whether a daemon of this build is too old for this SQL, with the remedy.';

CREATE FUNCTION rule.release_mixed()
RETURNS TABLE (found text, fault text)
LANGUAGE plpgsql STABLE
AS $$
DECLARE
    v_other text;
    v_later boolean;
BEGIN
    SELECT string_agg(DISTINCT i.build, ', '),
           bool_or(rule.release_order(i.build) > rule.release_order(rule.release()))
      INTO v_other, v_later
      FROM rule.instance_live i
     WHERE rule.release_order(i.build) <> rule.release_order(rule.release());
    RETURN QUERY SELECT 'release ' || rule.release(),
        CASE WHEN v_other IS NOT NULL THEN
        format('the database is of release %s, and in the last three minutes daemons of %s have '
               'connected: %s', rule.release(), v_other,
               CASE WHEN v_later THEN 'run migrations/migrate of the latest of these'
                    ELSE 'replace these by the daemon of ' || rule.release() END) END;
END
$$;
COMMENT ON FUNCTION rule.release_mixed() IS
    'Says which release the database is of, and whether daemons of others run, with the remedy.';
