"""The runner: a deploy is whole or has not happened, and one that has nothing to do does nothing."""

import re
import subprocess
import threading
from contextlib import contextmanager

import psycopg
import pytest

from support import SOURCE, eventually

LOCK = "hashtextextended('coffer migrate', 0)"
WAITING = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"


@pytest.fixture
def empty(new_database):
    """A database that is prepared, and has nothing deployed."""
    database = new_database(migrated=False)
    database.install()
    return database


def runner(tree):
    return tree / "migrations" / "migrate"


def next_migration(tree, text, name="next"):
    """Add a migration with this text; return its file."""
    number = len(list((tree / "migrations").glob("[0-9]*.sql"))) + 1
    file = tree / "migrations" / f"{number:04}_{name}.sql"
    file.write_text(text)
    return file


def last_migration(tree):
    return max((tree / "migrations").glob("[0-9]*.sql"))


def contents(database, *options):
    """All that is in a database: objects, bodies, comments, owners, rights, rows."""
    dump = subprocess.run(
        ["pg_dump", *options],
        env=database.environment(),
        check=True,
        text=True,
        stdout=subprocess.PIPE,
    ).stdout
    return re.sub(r"^\\(un)?restrict .*$", "", dump, flags=re.MULTILINE)  # a random word


@contextmanager
def unchanged(database):
    before = contents(database)
    yield
    assert contents(database) == before


def refused(database, tree, *arguments):
    """Run the runner, which has to refuse and change nothing; return what it said."""
    with unchanged(database):
        done = database.migrate(*arguments, runner=runner(tree), check=False)
    assert done.returncode != 0
    assert "nothing has changed" in done.stderr or done.stderr.startswith("migrate: ")
    return done.stderr


def test_a_fresh_deploy_applies_all_migrations_in_order(empty):
    done = empty.migrate()
    files = sorted(file.name for file in (SOURCE / "migrations").glob("[0-9]*.sql"))
    assert done.stdout.splitlines() == [f"applying migrations/{name}" for name in files] + [
        "deployed"
    ]
    assert empty.query("SELECT number, name FROM store.migration ORDER BY number") == list(
        enumerate(files, start=1)
    )
    ((version,),) = empty.query(
        "SELECT schema_version FROM daemon.hello(gen_random_uuid(), '', '{}')", role="coffer_api"
    )
    assert version == len(files)


def test_a_second_deploy_changes_nothing(database):
    with unchanged(database):
        assert database.migrate().stdout == "deployed\n"


def test_a_superuser_deploys_the_same(empty, database):
    subprocess.run(
        [SOURCE / "migrations" / "migrate"],
        env=empty.environment(),
        check=True,
        capture_output=True,
    )
    assert contents(empty, "--schema-only") == contents(database, "--schema-only")
    for table in ("store.migration", "audit.epoch", "audit.settled"):
        columns = "number, name, sha256" if table == "store.migration" else "count(*)"
        rows = f"SELECT {columns} FROM {table} ORDER BY 1"
        assert empty.query(rows) == database.query(rows) != []


def test_the_database_is_named_by_an_argument(empty):
    environment = empty.environment("coffer_migrate")
    name = environment.pop("PGDATABASE")
    subprocess.run(
        [SOURCE / "migrations" / "migrate", f"dbname={name}"],
        env=environment,
        check=True,
        capture_output=True,
    )
    assert empty.query("SELECT 1 FROM store.migration")


def test_a_pending_migration_runs_once(database, tree):
    next_migration(tree, "CREATE TABLE store.one (i integer);\nINSERT INTO store.one VALUES (1);")
    assert database.migrate(runner=runner(tree)).stdout.startswith("applying ")
    assert database.migrate(runner=runner(tree)).stdout == "deployed\n"
    assert database.query("SELECT i FROM store.one") == [(1,)]
    assert database.query(
        "SELECT tableowner FROM pg_tables WHERE schemaname = 'store' AND tablename = 'one'"
    ) == [("coffer_owner",)]


def test_a_dry_run_says_what_is_pending_and_changes_nothing(empty, tree):
    with unchanged(empty):
        said = empty.migrate("--dry-run", runner=runner(tree)).stdout
    for file in (tree / "migrations").glob("[0-9]*.sql"):
        assert f"would apply migrations/{file.name}\n" in said
    empty.migrate(runner=runner(tree))
    pending = next_migration(tree, "CREATE TABLE store.one (i integer);")
    with unchanged(empty):
        said = empty.migrate("--dry-run", runner=runner(tree)).stdout
    assert [line for line in said.splitlines() if line.startswith("would apply")] == [
        f"would apply migrations/{pending.name}"
    ]


@pytest.mark.parametrize("arguments", [(), ("--dry-run",)])
def test_an_edited_migration_is_refused(database, tree, arguments):
    file = last_migration(tree)
    file.write_text(file.read_text() + "\n")
    assert f"{file.name} was edited after it had run here" in refused(database, tree, *arguments)


def test_a_missing_migration_is_refused(database, tree):
    file = last_migration(tree)
    file.unlink()
    assert f"{file.name} has run here, and its file is missing" in refused(database, tree)


def test_a_migration_in_the_place_of_another_is_refused(database, tree):
    file = last_migration(tree)
    other = file.with_name(file.name[:5] + "other.sql")
    file.rename(other)
    assert f"{file.name} has run here, and {other.name} takes its place" in refused(database, tree)


@pytest.mark.parametrize("name", ["0001_again.sql", "0099_gap.sql", "0003x.sql", "3_short.sql"])
def test_a_migration_out_of_order_is_refused(database, tree, name):
    (tree / "migrations" / name).write_text("SELECT 1;")
    assert "the next migration is " in refused(database, tree)


def test_a_failing_migration_leaves_nothing_half_done(database, tree):
    next_migration(tree, "CREATE TABLE store.one (i integer);")
    next_migration(tree, "CREATE TABLE store.two (i integer);\nSELECT 1/0;", "then_fails")
    assert "division by zero" in refused(database, tree)


def test_a_failing_function_file_leaves_nothing_half_done(database, tree):
    next_migration(tree, "CREATE TABLE store.one (i integer);")
    (tree / "sql" / "rule" / "broken.sql").write_text("CREATE FUNCTION rule.broken(")
    assert "syntax error" in refused(database, tree)


def test_a_function_that_fails_the_lint_is_refused(database, tree):
    (tree / "sql" / "rule" / "silent.sql").write_text(
        "CREATE FUNCTION rule.silent() RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT 1';"
    )
    assert "rule.silent() has no comment" in refused(database, tree)


def test_a_stored_object_that_needs_a_function_is_refused(database, tree):
    """Law 3: such an object would be dropped with the function, or keep it from being dropped."""
    next_migration(
        tree,
        """
        SET LOCAL ROLE coffer_exec;
        CREATE FUNCTION rule.one() RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT 1';
        GRANT USAGE ON SCHEMA rule TO coffer_owner;
        GRANT EXECUTE ON FUNCTION rule.one() TO coffer_owner;
        SET LOCAL ROLE coffer_owner;
        CREATE TABLE store.one (i integer DEFAULT rule.one());
        """,
    )
    assert "other objects depend on" in refused(database, tree)


def test_a_function_whose_file_is_gone_is_gone(database, tree):
    file = tree / "sql" / "rule" / "spare.sql"
    file.write_text(
        "CREATE FUNCTION rule.spare() RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT 1';\n"
        "COMMENT ON FUNCTION rule.spare() IS 'Is there.';"
    )
    with unchanged(database):
        database.migrate(runner=runner(tree))
        assert database.query("SELECT to_regproc('rule.spare') IS NOT NULL") == [(True,)]
        file.unlink()
        database.migrate(runner=runner(tree))


def made(database):
    """The identities of what a deploy makes, by which a call in flight knows it."""
    functions = "SELECT oid FROM pg_proc WHERE pronamespace = 'rule'::regnamespace ORDER BY 1"
    types = "SELECT oid FROM pg_class WHERE relnamespace = 'rule'::regnamespace AND relkind = 'c' ORDER BY 1"
    return database.query(functions), database.query(types)


def test_a_deploy_of_other_functions_keeps_the_types(database, tree):
    functions, types = made(database)
    file = tree / "sql" / "rule" / "group.sql"
    text = file.read_text()
    assert "'Challenges a call" in text
    file.write_text(text.replace("'Challenges a call", "'Surely challenges a call"))
    database.migrate(runner=runner(tree))
    new_functions, new_types = made(database)
    assert not set(new_functions) & set(functions)
    assert new_types == types


@pytest.mark.parametrize(
    "old, new",
    [
        ("IS 'Who calls,", "IS 'Who is it,"),
        (
            "CREATE TYPE rule.page AS (",
            "CREATE TYPE rule.spare AS (i integer);\nCREATE TYPE rule.page AS (",
        ),
        ("SELECT v.secret_id,", "SELECT v.secret_id, -- and\n       'spare' AS spare,"),
        ("rule.version_now TO coffer_owner", "rule.version_now TO coffer_owner, coffer_auditor"),
    ],
    ids=["comment", "type", "view", "right"],
)
def test_types_that_the_file_says_otherwise_are_made_anew(database, tree, old, new):
    """And back again, with nothing left behind."""
    file = tree / "sql" / "type.sql"
    text = file.read_text()
    assert old in text
    types = made(database)[1]
    with unchanged(database):
        file.write_text(text.replace(old, new))
        before = contents(database)
        database.migrate(runner=runner(tree))
        assert contents(database) != before
        assert not set(made(database)[1]) & set(types)
        file.write_text(text)
        database.migrate(runner=runner(tree))


def test_an_argument_is_one_row(database, tree):
    file = tree / "sql" / "argument.sql"
    text = file.read_text()
    row = "    ('spare', '{query}', 'integer', NULL, 'v_text::integer < 3', 'value must be below 3'),\n"
    file.write_text(text.replace("    -- Keys.\n", row))
    database.migrate(runner=runner(tree))
    read = "SELECT (rule.arguments(%s, '{query.spare}')).spare"
    assert database.query(read, '{"query": {"spare": ["2"]}}') == [(2,)]
    with pytest.raises(psycopg.Error) as refused:
        database.query(read, '{"query": {"spare": ["3"]}}')
    assert "value must be below 3" in refused.value.diag.message_detail
    file.write_text(text)
    database.migrate(runner=runner(tree))


@pytest.mark.parametrize(
    "change",
    [
        "ALTER TYPE rule.caller ADD ATTRIBUTE spare integer",
        "CREATE TYPE rule.spare AS (i integer)",
        "CREATE OR REPLACE VIEW rule.version_now AS SELECT * FROM store.version",
        "GRANT SELECT ON rule.version_now TO coffer_auditor",
        "GRANT SELECT (revision) ON rule.version_now TO coffer_auditor",
        "ALTER VIEW rule.version_now OWNER TO postgres",
        "CREATE VIEW rule.spare AS SELECT 1 AS one",
        "CREATE RULE spare AS ON DELETE TO rule.version_now DO INSTEAD NOTHING",
        "COMMENT ON FUNCTION rule.manifest() IS NULL",
        "GRANT EXECUTE ON FUNCTION rule.manifest() TO PUBLIC",
        "ALTER FUNCTION rule.manifest() VOLATILE",
        "ALTER VIEW auditor.event SET (security_barrier)",
        "REVOKE SELECT ON store.secret FROM coffer_exec",
        "REVOKE USAGE ON SCHEMA api FROM coffer_api",
    ],
)
def test_a_deploy_mends_what_somebody_has_changed(database, change):
    with unchanged(database):
        database.query(change)
        database.migrate()


def test_a_database_that_is_not_prepared_is_refused(new_database, tree):
    said = refused(new_database(migrated=False), tree)
    assert "this database is not prepared for Coffer" in said
    assert "install.sql" in said


def test_deploys_wait_for_each_other(empty):
    deploys = [threading.Thread(target=empty.migrate) for _ in range(3)]
    with empty.connect() as connection, connection.transaction():
        connection.execute(f"SELECT pg_advisory_xact_lock({LOCK})")
        for deploy in deploys:
            deploy.start()
        eventually(lambda: empty.query(WAITING) == [(len(deploys),)])
    for deploy in deploys:
        deploy.join()
    assert empty.migrate().stdout == "deployed\n"


def test_a_deploy_gives_way_to_a_busy_service(database, tree):
    next_migration(tree, "ALTER TABLE store.secret ADD COLUMN spare integer;")
    with database.connect() as connection, connection.transaction():
        connection.execute("SELECT count(*) FROM store.secret")
        said = refused(database, tree)
    assert "lock timeout" in said
    assert "try again" in said
    database.migrate(runner=runner(tree))
