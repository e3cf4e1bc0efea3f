CREATE FUNCTION rule.setting_default(name text)
RETURNS text
LANGUAGE sql IMMUTABLE
AS $$
    SELECT CASE name WHEN 'purge_after' THEN '7 days' END
$$;
COMMENT ON FUNCTION rule.setting_default(text) IS
    'Gives the default of an operator setting, null for a name that is none. purge_after: how '
    'long what is scheduled for deletion is kept.';

CREATE FUNCTION rule.setting(name text)
RETURNS text
LANGUAGE plpgsql STABLE
AS $$
BEGIN
    RETURN coalesce((SELECT s.value FROM store.setting s WHERE s.name = setting.name),
                    rule.setting_default(setting.name));
END
$$;
COMMENT ON FUNCTION rule.setting(text) IS 'Gives the value of an operator setting.';
