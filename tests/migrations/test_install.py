"""What install.sql prepares: roles, their settings, and what they may not do."""

import subprocess

import psycopg
import pytest

from support import SOURCE
from support.cluster import Database

SETTINGS = {
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
    "plan_cache_mode": "force_generic_plan",
    "debug_print_parse": "off",
    "debug_print_rewritten": "off",
    "debug_print_plan": "off",
    "log_min_duration_sample": "-1",
    "log_transaction_sample_rate": "0",
    "auto_explain.log_min_duration": "-1",
    "pgaudit.log": "none",
    "pgaudit.log_parameter": "off",
    "work_mem": "4MB",
    "statement_timeout": "5s",
    "lock_timeout": "1s",
    "idle_in_transaction_session_timeout": "5s",
    "client_connection_check_interval": "1s",
    "jit": "off",
    "synchronous_commit": "on",
    "default_transaction_isolation": "read committed",
    "session_replication_role": "origin",
    "idle_session_timeout": "0",
}

FORBIDDEN = {
    "a table": "SELECT FROM store.secret",
    "the audit": "SELECT FROM audit.event",
    "a helper": "SELECT rule.caller_permission_sets_known()",
    "pgcrypto": "SELECT crypto.gen_random_bytes(1)",
    "a temporary table": "CREATE TEMPORARY TABLE t (i integer)",
    "a table in public": "CREATE TABLE public.t (i integer)",
    "a schema": "CREATE SCHEMA s",
    "a large object": "SELECT lo_create(0)",
    "an operator's function": "SELECT operator.organization_create('o')",
}


def shown(database, role):
    with database.connect(role) as connection:
        return {name: connection.execute(f"SHOW {name}").fetchone()[0] for name in SETTINGS}


def roles(cluster):
    dump = subprocess.run(
        ["pg_dumpall", "--roles-only", "--no-role-passwords"],
        env=cluster.environment("postgres"),
        check=True,
        text=True,
        stdout=subprocess.PIPE,
    ).stdout
    return [line for line in dump.splitlines() if "restrict " not in line]


def test_the_settings_win_over_the_servers(own_cluster):
    database = own_cluster.database()
    assert shown(database, "coffer_api") == SETTINGS
    database.query("ALTER SYSTEM SET shared_preload_libraries = 'auto_explain'")
    own_cluster.restart()
    for statement in (
        "SET auto_explain.log_min_duration = 0",
        "SET log_parameter_max_length = -1",
        "SET log_parameter_max_length_on_error = -1",
        "SET debug_print_plan = on",
        "SET plan_cache_mode = auto",
        "SET synchronous_commit = off",
        "SET default_transaction_isolation = serializable",
        "SET session_replication_role = replica",
        "SET idle_session_timeout = '1s'",
        "SET work_mem = '64kB'",
    ):
        database.query(f"ALTER SYSTEM {statement}")
    own_cluster.restart()
    assert database.query("SHOW auto_explain.log_min_duration") == [("0",)]
    assert shown(database, "coffer_api") == SETTINGS


def test_an_installation_can_be_repeated(cluster, database):
    before = roles(cluster)
    database.install()
    assert roles(cluster) == before


@pytest.mark.parametrize("what", FORBIDDEN)
def test_the_daemons_role_may_not_use(database, what):
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        database.query(FORBIDDEN[what], role="coffer_api")


def install(database):
    """Run install.sql, which may refuse; return what it said."""
    return subprocess.run(
        ["psql", "-X", "-f", SOURCE / "migrations" / "install.sql"],
        env=database.environment(),
        text=True,
        stderr=subprocess.PIPE,
    ).stderr


def state(database):
    """Roles, the rights on the database, and all that is in it."""
    dump = subprocess.run(
        ["pg_dump", "--create", "--schema-only", database.name],
        env=database.environment(),
        check=True,
        text=True,
        stdout=subprocess.PIPE,
    ).stdout
    return roles(database.cluster), [line for line in dump.splitlines() if "restrict " not in line]


@pytest.mark.parametrize(
    "made, said",
    [
        (
            "CREATE EXTENSION pgcrypto",
            ["pgcrypto is in schema public, Coffer needs it in schema crypto"],
        ),
        ("CREATE SCHEMA audit; CREATE TABLE audit.log ()", ["schema audit belongs to postgres"]),
        (
            "CREATE SCHEMA api AUTHORIZATION pg_monitor; CREATE SCHEMA job AUTHORIZATION pg_monitor",
            ["schema api belongs to pg_monitor", "schema job belongs to pg_monitor"],
        ),
        ("CREATE SCHEMA crypto AUTHORIZATION pg_monitor", ["schema crypto belongs to pg_monitor"]),
        (
            "CREATE SCHEMA crypto; CREATE FUNCTION crypto.rot13() RETURNS int LANGUAGE sql AS 'SELECT 13'",
            ["schema crypto holds crypto.rot13(), which is no part of pgcrypto"],
        ),
    ],
    ids=[
        "pgcrypto elsewhere",
        "a schema",
        "two schemas",
        "schema crypto",
        "functions in schema crypto",
    ],
)
def test_a_database_in_use_is_refused(new_database, made, said):
    """With all that is in the way, and nothing has changed."""
    database = new_database(migrated=False)
    database.query(made)
    before = state(database)
    error = install(database)
    assert all(fault in error for fault in said)
    assert "Nothing has been changed" in error
    assert state(database) == before


def test_roles_of_others_are_refused(own_cluster):
    database = own_cluster.database(migrated=False)
    database.query("CREATE ROLE coffer_operator CREATEDB BYPASSRLS; CREATE ROLE coffer_api LOGIN")
    database.query("CREATE TABLE public.theirs (); ALTER TABLE public.theirs OWNER TO coffer_api")
    before = state(database)
    error = install(database)
    assert "role coffer_operator has CREATEDB, BYPASSRLS" in error
    assert "role coffer_api owns table theirs" in error
    assert state(database) == before
    database.query("ALTER ROLE coffer_operator NOCREATEDB NOBYPASSRLS; DROP TABLE public.theirs")
    assert install(database) == ""


def test_another_encoding_is_refused(cluster, database):
    name = "latin1"
    with cluster.connect() as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING LATIN1 LOCALE 'C'")
    latin1 = Database(cluster, name)
    before = state(latin1)
    assert "the database is encoded in LATIN1, Coffer needs one with ENCODING 'UTF8'" in install(
        latin1
    )
    assert state(latin1) == before
    # One of an installation that was not refused yet.
    latin1.query("CREATE SCHEMA store")
    done = latin1.migrate(check=False)
    assert done.returncode != 0 and "this database is encoded in LATIN1, not in UTF8" in done.stderr


def test_who_is_no_superuser_is_refused(cluster, new_database):
    database = new_database(migrated=False)
    error = subprocess.run(
        ["psql", "-X", "-f", SOURCE / "migrations" / "install.sql"],
        env={**database.environment(), "PGOPTIONS": "-c role=pg_monitor"},
        text=True,
        stderr=subprocess.PIPE,
    ).stderr
    assert "pg_monitor is no superuser" in error


def test_a_stranger_may_not_connect(cluster, database):
    with cluster.connect() as connection:
        connection.execute("CREATE ROLE stranger LOGIN PASSWORD 'stranger'")
        try:
            with pytest.raises(psycopg.OperationalError, match="permission denied"):
                psycopg.connect(database.dsn(), user="stranger", password="stranger")
        finally:
            connection.execute("DROP ROLE stranger")
