"""What install.sql prepares: roles, their settings, and what they may not do."""

import subprocess

import psycopg
import pytest

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
    "a helper": "SELECT rule.permission_sets()",
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


def test_pgcrypto_elsewhere_is_refused(new_database):
    database = new_database(migrated=False)
    database.query("CREATE EXTENSION pgcrypto")
    with pytest.raises(subprocess.CalledProcessError):
        database.install()
    assert database.query("SELECT 1 FROM pg_namespace WHERE nspname = 'store'") == []


def test_a_stranger_may_not_connect(cluster, database):
    with cluster.connect() as connection:
        connection.execute("CREATE ROLE stranger LOGIN PASSWORD 'stranger'")
        try:
            with pytest.raises(psycopg.OperationalError, match="permission denied"):
                psycopg.connect(database.dsn(), user="stranger", password="stranger")
        finally:
            connection.execute("DROP ROLE stranger")
