"""local.sql: a DBA's own indexes and rights are part of a deploy, and what would weaken a promise is refused."""

import pytest

from support import eventually

DECLARED = """
GRANT USAGE ON SCHEMA audit, store TO {role};
GRANT SELECT ON audit.event, store.project TO {role};
GRANT SELECT (id, name, path) ON store.secret TO {role};
CREATE INDEX IF NOT EXISTS event_ip ON audit.event (ip, at);
DO $$ BEGIN PERFORM 1; END $$;
"""

REFUSED = [
    (
        "CREATE TRIGGER spy AFTER DELETE ON store.version"
        " FOR EACH STATEMENT EXECUTE FUNCTION store.secret_count_change()",
        "trigger spy on store.version",
    ),
    ("DROP FUNCTION daemon.orphans()", "function daemon.orphans(): is gone"),
    ("GRANT SELECT ON store.dek TO {role}", "SELECT on store.dek to cdc"),
    ("COMMIT", "EXECUTE of transaction commands is not implemented"),
    ("SELECT 1/0", "division by zero"),
    ("\\! echo spied", "syntax error"),
]


@pytest.fixture(scope="module")
def role(cluster):
    """A role of the DBA's own."""
    with cluster.connect() as connection:
        connection.execute("CREATE ROLE cdc LOGIN")
    return "cdc"


def declare(database, tree, text, role):
    """Deploy with that local.sql, again if a daemon's look at the database has held it up."""
    (tree / "migrations" / "local.sql").write_text(text.replace("{role}", role))
    while True:
        done = database.migrate(runner=tree / "migrations" / "migrate", check=False)
        if "due to lock timeout" not in done.stderr:
            return done


def faults(database):
    return database.query("SELECT rule.manifest_faults()")[0][0]


def test_what_is_declared_costs_no_outage(database, tree, role, start_daemon, new_tenant):
    daemon = start_daemon(database, check_interval=1)
    client = new_tenant(daemon).client()
    done = declare(database, tree, DECLARED, role)
    assert done.returncode == 0, done.stderr
    said = done.stdout.splitlines()
    for name in (
        "SELECT on audit.event to cdc",
        "SELECT (path) on store.secret to cdc",
        "USAGE on schema audit to cdc",
    ):
        assert f"declared {name}" in said, said
    assert any(line.startswith("declared index audit.event_ip on audit.event ") for line in said)
    assert faults(database) == []
    # The DBA makes it, and Coffer does not look at it.
    database.query("CREATE PUBLICATION cdc FOR TABLE audit.event")
    assert faults(database) == []
    seen = "SELECT max(seen_at) FROM store.instance"
    before = database.query(seen)
    eventually(lambda: database.query(seen) > before)  # a drift check
    assert "not fit" not in daemon.log
    assert client.get("/secrets").status == 200
    # Once more nothing is new; a right that is taken back is gone.
    assert "declared " not in declare(database, tree, DECLARED, role).stdout
    assert database.migrate().stdout == "deployed\n"
    assert faults(database) == []
    text = "REVOKE SELECT ON audit.event FROM {role}; DROP INDEX audit.event_ip"
    done = declare(database, tree, text, role)
    assert done.returncode == 0, done.stderr
    assert faults(database) == []


def test_what_is_run_against_bloat(database):
    """doc/upgrade.md names what may be used; pg_repack has a trigger on the table while it runs."""
    for statement in (
        "REINDEX TABLE CONCURRENTLY store.version",
        "VACUUM (FULL) store.version",
        "CLUSTER store.secret USING secret_pkey",
    ):
        database.query(statement)
        assert faults(database) == []
    database.query(
        "CREATE TRIGGER repack_trigger AFTER DELETE ON store.version"
        " FOR EACH STATEMENT EXECUTE FUNCTION store.secret_count_change()"
    )
    [fault] = faults(database)
    assert fault.startswith("table store.version is not as it was deployed")


def test_another_file(database, tmp_path, role):
    file = tmp_path / "our rights.sql"
    file.write_text(f"GRANT SELECT ON store.project TO {role};")
    assert "would declare local.sql" in database.migrate("--dry-run", "--local", file).stdout
    assert faults(database) == []
    said = database.migrate("--local", file).stdout
    assert f"declared SELECT on store.project to {role}\n" in said
    done = database.migrate("--local", tmp_path / "missing", check=False)
    assert done.returncode == 1 and "unable to read" in done.stderr


@pytest.fixture(scope="module")
def refusing(new_database):
    return new_database()


@pytest.mark.parametrize("text, said", REFUSED, ids=[said for _, said in REFUSED])
def test_what_would_weaken_a_promise_is_refused(refusing, tree, role, text, said):
    done = declare(refusing, tree, text + ";", role)
    assert done.returncode != 0
    assert said in done.stderr, done.stderr
    assert faults(refusing) == []
