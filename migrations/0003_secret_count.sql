-- How many secrets there are, known without counting them, and lists in each order from an index.

-- Counters -------------------------------------------------------------------
-- A row is changed in the transaction that changes what it counts, by triggers on the table, so that nothing can forget it
-- and whoever sees a secret sees it counted. Changes in one project and region thus wait for each other until they commit.

CREATE TABLE store.secret_count (
    organization_id uuid   NOT NULL REFERENCES store.organization,
    project_id      uuid   NOT NULL REFERENCES store.project ON DELETE CASCADE,
    region          text   NOT NULL,
    live            bigint NOT NULL CHECK (live >= 0),
    scheduled       bigint NOT NULL CHECK (scheduled >= 0),
    PRIMARY KEY (project_id, region)
) WITH (fillfactor = 50);
CREATE INDEX secret_count_organization ON store.secret_count (organization_id);
COMMENT ON TABLE store.secret_count IS
    'How many live secrets, and how many scheduled for deletion, a project has in a region. Kept by triggers of store.secret.';

CREATE FUNCTION store.secret_count_change()
RETURNS trigger
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    CASE TG_OP
    WHEN 'INSERT' THEN
        INSERT INTO store.secret_count AS c (organization_id, project_id, region, live, scheduled)
        SELECT organization_id, project_id, region,
               count(*) FILTER (WHERE deletion_requested_at IS NULL), count(deletion_requested_at)
          FROM made
         GROUP BY organization_id, project_id, region
         ORDER BY project_id, region            -- one order, so that two statements do not wait for each other
            ON CONFLICT (project_id, region) DO UPDATE
           SET live = c.live + excluded.live, scheduled = c.scheduled + excluded.scheduled;
    WHEN 'DELETE' THEN
        UPDATE store.secret_count c
           SET live = c.live - gone.live, scheduled = c.scheduled - gone.scheduled
          FROM (SELECT project_id, region,
                       count(*) FILTER (WHERE deletion_requested_at IS NULL) AS live,
                       count(deletion_requested_at) AS scheduled
                  FROM removed
                 GROUP BY project_id, region) AS gone
         WHERE c.project_id = gone.project_id AND c.region = gone.region;
    WHEN 'UPDATE' THEN
        UPDATE store.secret_count c
           SET live = c.live - (OLD.deletion_requested_at IS NULL)::integer,
               scheduled = c.scheduled - (OLD.deletion_requested_at IS NOT NULL)::integer
         WHERE c.project_id = OLD.project_id AND c.region = OLD.region;
        INSERT INTO store.secret_count AS c (organization_id, project_id, region, live, scheduled)
        VALUES (NEW.organization_id, NEW.project_id, NEW.region,
                (NEW.deletion_requested_at IS NULL)::integer, (NEW.deletion_requested_at IS NOT NULL)::integer)
            ON CONFLICT (project_id, region) DO UPDATE
           SET live = c.live + excluded.live, scheduled = c.scheduled + excluded.scheduled;
    WHEN 'TRUNCATE' THEN
        DELETE FROM store.secret_count;
    END CASE;
    RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION store.secret_count_change() FROM PUBLIC;
COMMENT ON FUNCTION store.secret_count_change() IS 'Keeps store.secret_count with what a statement did to store.secret.';

-- One call a statement where rows come and go in numbers; for an update one a row, but only where the state changes.
CREATE TRIGGER secret_count_insert AFTER INSERT ON store.secret REFERENCING NEW TABLE AS made
    FOR EACH STATEMENT EXECUTE FUNCTION store.secret_count_change();
CREATE TRIGGER secret_count_delete AFTER DELETE ON store.secret REFERENCING OLD TABLE AS removed
    FOR EACH STATEMENT EXECUTE FUNCTION store.secret_count_change();
CREATE TRIGGER secret_count_update AFTER UPDATE ON store.secret
    FOR EACH ROW WHEN ((OLD.deletion_requested_at IS NULL, OLD.project_id, OLD.region)
                       IS DISTINCT FROM (NEW.deletion_requested_at IS NULL, NEW.project_id, NEW.region))
    EXECUTE FUNCTION store.secret_count_change();
CREATE TRIGGER secret_count_truncate AFTER TRUNCATE ON store.secret
    FOR EACH STATEMENT EXECUTE FUNCTION store.secret_count_change();

-- The triggers keep writers out until this is committed: nothing comes between.
INSERT INTO store.secret_count (organization_id, project_id, region, live, scheduled)
SELECT organization_id, project_id, region,
       count(*) FILTER (WHERE deletion_requested_at IS NULL), count(deletion_requested_at)
  FROM store.secret
 GROUP BY organization_id, project_id, region;

-- Orders ---------------------------------------------------------------------
-- Each serves both directions.

CREATE INDEX secret_by_name ON store.secret (project_id, region, name) WHERE deletion_requested_at IS NULL;
CREATE INDEX secret_by_creation ON store.secret (project_id, region, created_at) WHERE deletion_requested_at IS NULL;
CREATE INDEX secret_by_update ON store.secret (project_id, region, updated_at) WHERE deletion_requested_at IS NULL;
