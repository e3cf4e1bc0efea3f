"""coffer doctor: says all that is wrong at once, each with its remedy, and by its exit status whether anything is."""

import socket
import subprocess

import pytest
from psycopg.conninfo import make_conninfo

from support import eventually
from support.audit import is_anchored, unsealed
from support.certificate import certificate
from support.daemon import BINARY, environment


@pytest.fixture
def doctor(database, root_key_file):
    """Run it on a database that may be broken; return the exit status and its lines by their first word."""

    def run(**settings):
        done = subprocess.run(
            [BINARY, "doctor"],
            env=environment(
                {"dsn": database.dsn("coffer_api"), "root_key_file": root_key_file, **settings}
            ),
            text=True,
            capture_output=True,
            timeout=60,
        )
        lines = done.stdout.splitlines()
        return done.returncode, [line for line in lines if not line.startswith("ok ")], lines

    run.database = database
    return run


def test_all_is_well(doctor):
    code, faults, lines = doctor()
    assert (code, faults) == (0, [])
    found = {line[7:].split(":")[0] for line in lines}
    assert found == {
        "settings", "root key", "descriptors", "TLS", "database", "schema", "encoding", "role settings", "deploy", "keys",
        "audit partitions", "audit seals", "audit anchors", "connections", "fsync", "full_page_writes", "standby",
        "release",
        "commits", "orphans", "API functions", "pepper", "clock",
    }  # fmt: skip


def test_every_fault_is_said_at_once(doctor, tmp_path):
    name = doctor.database.name
    doctor.database.query(f"ALTER ROLE coffer_api IN DATABASE {name} SET synchronous_commit = off")
    doctor.database.query("DROP FUNCTION api.secret_get(jsonb, bytea, bytea, bytea)")
    ((partition,),) = doctor.database.query(
        "SELECT to_char(now() AT TIME ZONE 'UTC' + interval '1 month', '\"audit.event_\"YYYY_MM')"
    )
    doctor.database.query(f"DROP TABLE {partition}")
    doctor.database.query(
        "INSERT INTO store.pepper VALUES (true, 'ffffffffffffffff', %s)", bytes(60)
    )
    code, faults, _ = doctor(pool_size=256, root_key_file=tmp_path / "missing")
    assert code == 1
    expected = {
        "root key": "restore it from its copy",
        "role settings": "ALTER ROLE coffer_api SET synchronous_commit = on",
        "deploy": "migrations/migrate",
        "keys": "load it",
        "audit partitions": "SELECT job.audit_partition_create()",
        "connections": "lower pool_size",
        "API functions": "migrations/migrate",
    }
    assert {fault[7:].split(":")[0] for fault in faults} == set(expected)
    for fault in faults:
        assert fault.startswith("FAULT  ")
        assert expected[fault[7:].split(":")[0]] in fault


def test_rows_that_are_left_behind(doctor, start_daemon, new_tenant):
    """Each kind with the statement that mends it."""
    database = doctor.database
    client = new_tenant(start_daemon(database)).client()
    secret = client.create_secret(name="left")["id"]
    client.create_version(secret, b"value")
    with database.connect() as connection, connection.transaction():
        connection.execute("SET LOCAL session_replication_role = replica")
        connection.execute("DELETE FROM store.secret WHERE id = %s", [secret])
    code, faults, _ = doctor()
    assert code == 1 and [fault.split(":")[1] for fault in faults] == [
        " 1 rows of store.version without store.secret",
        " 1 rows of store.secret_count with other numbers than there are",
    ]
    for fault in faults:
        database.query(fault.split("as coffer_owner, ")[1])
    assert doctor()[:2] == (0, [])
    assert database.query("SELECT count(*) FROM store.dek") == [(0,)]


AGED = "UPDATE audit.{} SET {} = {} - interval '5 minutes'"


def test_seals_that_are_held_up(doctor, start_daemon, new_tenant):
    """As long as a daemon runs, which should make them."""
    database = doctor.database
    daemon = start_daemon(database)
    eventually(lambda: is_anchored(database))
    with unsealed(database):
        new_tenant(daemon)
        database.query(AGED.format("event", "at", "at"))
        code, [fault], _ = doctor()
        assert (
            code == 1 and fault.startswith("FAULT  audit seals: ") and "pg_prepared_xacts" in fault
        )
        daemon.stop()
        database.query("UPDATE store.instance SET seen_at = now() - interval '4 minutes'")
        assert doctor()[:2] == (0, [])


def test_seals_that_do_not_leave(doctor, start_daemon):
    database = doctor.database
    start_daemon(database, anchor_command="false")
    eventually(
        lambda: (
            database.query("SELECT seal_lag, anchor_lag > 0 FROM daemon.audit_state()")
            == [(0, True)]
        )
    )
    database.query(AGED.format("seal", "sealed_at", "sealed_at"))
    code, [fault], _ = doctor()
    assert code == 1 and fault.startswith("FAULT  audit anchors: ")
    assert "room for the logs" in fault and "anchor_command" in fault


def test_pepper_of_another_root_key(doctor):
    doctor.database.query(
        "INSERT INTO store.pepper VALUES (true, 'ffffffffffffffff', %s)", bytes(60)
    )
    code, faults, _ = doctor()
    assert code == 1
    assert [fault[7:].split(":")[0] for fault in faults] == ["keys", "pepper"]
    assert all("root key ffffffffffffffff" in fault for fault in faults)


def test_no_database(doctor):
    code, faults, _ = doctor(dsn="host=127.0.0.1 port=1 password=canary")
    assert code == 1
    assert len(faults) == 1 and "start the server" in faults[0] and "canary" not in faults[0]


def hosts(lines):
    """What is said of each host, by its port, and the rest of the faults."""
    said = {line.split(":")[1]: line for line in lines if line[7:].startswith("host 127.0.0.1:")}
    return said, [line for line in lines if line.startswith("FAULT") and line not in said.values()]


def test_each_host_by_itself(doctor):
    port = int(doctor.database.cluster.port)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        still = silent.getsockname()[1]
        dsn = make_conninfo(
            doctor.database.dsn("coffer_api"),
            host=",".join(["127.0.0.1"] * 3),
            port=f"{still},1,{port}",
            target_session_attrs="read-write",
        )
        code, _, lines = doctor(dsn=dsn, connect_timeout=1000)
    said, others = hosts(lines)
    assert (code, set(said), others) == (1, {str(still), "1", str(port)}, [])
    assert "FAULT" in said[str(still)] and "timeout expired: start the server" in said[str(still)]
    assert "FAULT" in said["1"] and "Connection refused: start the server" in said["1"]
    assert said[str(port)].startswith("ok ") and "takes writes" in said[str(port)]
    assert f"ok     database: 127.0.0.1:{port}" in lines


def test_host_that_takes_no_writes(doctor):
    """The same server in another way: no standby is needed to ask."""
    port = doctor.database.cluster.port
    base = doctor.database.dsn("coffer_api")
    read_only = {"options": "-c default_transaction_read_only=on"}
    two = {"host": "127.0.0.1,127.0.0.1", "port": f"{port},{port}"}
    code, faults, _ = doctor(dsn=make_conninfo(base, **read_only))
    assert code == 1 and len(faults) == 1
    assert "database: it takes no writes" in faults[0]
    code, faults, lines = doctor(dsn=make_conninfo(base, **read_only, **two))
    assert code == 1 and "none of its hosts takes writes" in faults[-1]
    assert all("target_session_attrs=read-write" in fault for fault in faults[:2])
    code, faults, lines = doctor(
        dsn=make_conninfo(base, **read_only, **two, target_session_attrs="read-write")
    )
    assert code == 1 and len(faults) == 1 and "none of its hosts takes writes" in faults[0]
    assert sum("answers, and takes no writes" in line for line in lines) == 2


def test_files_of_tls(doctor, tmp_path):
    key, made = certificate(tmp_path, "server")
    other, _ = certificate(tmp_path, "other")
    code, _, lines = doctor(tls_certificate=made, tls_key=key)
    assert code == 0 and "ok     TLS: certificate and key fit" in lines
    for settings, cause in [
        ({"tls_certificate": tmp_path / "missing", "tls_key": key}, "tls_certificate: "),
        ({"tls_certificate": made, "tls_key": other}, "tls_key: "),
        ({"tls_certificate": made}, "belong together"),
        ({"tls_certificate": made, "tls_key": key, "tls_client_ca": key}, "tls_client_ca: "),
    ]:
        code, [fault], _ = doctor(**settings)
        assert code == 1 and fault.startswith("FAULT  TLS: ") and cause in fault


def test_more_descriptors_than_there_are(doctor):
    code, faults, _ = doctor(max_connections=100000)
    assert code in (0, 1) and all("LimitNOFILE" in fault for fault in faults)
