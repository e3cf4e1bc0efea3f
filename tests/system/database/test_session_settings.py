"""What a session can be set to, for the server, a database or a role, changes nothing that is hashed, compared or sent."""

import subprocess

import pytest

from support import eventually
from support.audit import is_anchored, verify, verify_inside

SETTINGS = {
    "client_encoding": "LATIN1",
    "bytea_output": "escape",
    "IntervalStyle": "iso_8601",
    "DateStyle": "SQL, DMY",
    "TimeZone": "Asia/Kolkata",
    "standard_conforming_strings": "off",
    "quote_all_identifiers": "on",
    "extra_float_digits": "-15",
    "transform_null_equals": "on",
    "array_nulls": "off",
    "search_path": "public",
    "default_transaction_isolation": "serializable",
    "default_transaction_deferrable": "on",
    "statement_timeout": "4s",
    "lock_timeout": "4s",
    "idle_in_transaction_session_timeout": "4s",
    "idle_session_timeout": "4s",
    "enable_indexscan": "off",
    "enable_bitmapscan": "off",
    "enable_indexonlyscan": "off",
    "enable_partition_pruning": "off",
    "join_collapse_limit": "1",
}
ROLES = ("coffer_api", "coffer_operator", "coffer_auditor", "coffer_migrate")
MANIFEST = "SELECT object, encode(sha256, 'hex') FROM store.manifest ORDER BY 1"
PEM = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"


def set_for(database, level):
    for name, value in SETTINGS.items():
        if level == "server":
            database.query(f"ALTER SYSTEM SET {name} = '{value}'")
        elif level == "database":
            database.query(f"ALTER DATABASE {database.name} SET {name} = '{value}'")
        else:
            for role in ROLES:
                # Of an operator's own SET, his functions refuse the isolation level.
                if (role, name) != ("coffer_operator", "default_transaction_isolation"):
                    database.query(
                        f"ALTER ROLE {role} IN DATABASE {database.name} SET {name} = '{value}'"
                    )
    database.query("SELECT pg_reload_conf()")


def psql(database, role, statement, encoding, options=""):
    """Run a statement with psql, in an encoding; return its status, output and errors."""
    environment = {**database.environment(role), "PGCLIENTENCODING": encoding, "PGOPTIONS": options}
    done = subprocess.run(
        ["psql", "-XAtc", statement.encode(encoding)], env=environment, capture_output=True
    )
    return done.returncode, done.stdout.decode(encoding).strip(), done.stderr.decode(encoding)


@pytest.mark.parametrize("level", ["server", "database", "role"])
def test_the_service_and_its_proof_do_not_depend_on_settings(
    request, start_daemon, new_tenant, level
):
    cluster = request.getfixturevalue("own_cluster" if level == "server" else "cluster")
    database = cluster.database()
    manifest = database.query(MANIFEST)
    set_for(database, level)
    database.install()
    database.migrate()
    assert database.query(MANIFEST) == manifest
    if level == "server":
        assert cluster.database().query(MANIFEST) == manifest

    daemon = start_daemon(database, check_interval=1)
    client = new_tenant(daemon).client()
    secret = client.create_secret(name="settings", type="certificate", description="zur\u00fcck")[
        "id"
    ]
    client.create_version(secret, PEM)
    assert client.access(secret) == PEM
    assert client.get(f"/secrets/{secret}").body["description"] == "zur\u00fcck"

    begin = "SELECT operator.audit_epoch_begin('zur\u00fcck')"
    eventually(lambda: psql(database, "coffer_operator", begin, "LATIN1")[0] == 0)
    assert client.access(secret) == PEM
    eventually(lambda: is_anchored(database))
    for encoding in ("LATIN1", "UTF8"):
        assert psql(database, "coffer_auditor", "SELECT * FROM auditor.verify()", encoding) == (
            0,
            "",
            "",
        )
    assert verify(database, "--anchors", daemon.log_file) == (0, [])
    assert daemon.ready() and client.access(secret) == PEM


def test_an_operator_does_not_look_at_what_was(database):
    """With a snapshot of before he waited, he would count and seal what is no more so."""
    create = "SELECT operator.organization_create('late')"
    code, _, errors = psql(
        database, "coffer_operator", create, "UTF8", "-c default_transaction_isolation=serializable"
    )
    assert (
        code != 0
        and "the transaction is serializable" in errors
        and "BEGIN ISOLATION LEVEL READ COMMITTED" in errors
    )
    assert psql(database, "coffer_operator", create, "UTF8")[0] == 0


def test_the_planner_has_all_its_ways(database):
    """A switch that somebody has left off would have each call read whole tables."""
    database.query(f"ALTER DATABASE {database.name} SET enable_indexscan = off")
    ways = "SELECT current_setting('enable_indexscan')"
    assert database.query(ways, role="coffer_api") == [("off",)]
    with database.connect("coffer_api") as connection:
        connection.execute("SELECT daemon.hello(gen_random_uuid(), '', '{}')")
        assert connection.execute(ways).fetchall() == [("on",)]


def test_auditor_verify_has_as_long_as_it_takes(database, start_daemon, new_tenant):
    """install.sql gives its role no timeout, whatever the server or the database says."""
    new_tenant(start_daemon(database))
    database.query(f"ALTER DATABASE {database.name} SET statement_timeout = '1ms'")
    assert verify_inside(database) == []


def test_an_auditor_has_as_long_as_it_takes(database, start_daemon, new_tenant):
    """For coffer audit verify, of which a timeout of the role would make an audit that is damaged."""
    new_tenant(start_daemon(database))
    eventually(lambda: is_anchored(database))
    database.query(
        f"ALTER ROLE coffer_auditor IN DATABASE {database.name} SET statement_timeout = '1ms'"
    )
    assert verify(database) == (0, [])
