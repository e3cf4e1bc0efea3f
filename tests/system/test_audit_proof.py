"""The audit from the first row to the proof: seals, anchors, verification, fail closed, the feed of changes."""

import json
import subprocess
import threading
from urllib.parse import urlencode

import pytest

from support import eventually
from support.daemon import BINARY, environment


def verify(database, *arguments):
    """Run coffer audit verify; return its exit status and the kinds and places of damage."""
    run = subprocess.run(
        [BINARY, "audit", "verify", *arguments],
        env=environment({"auditor_dsn": database.dsn("coffer_auditor")}),
        text=True,
        capture_output=True,
        timeout=60,
    )
    assert run.returncode in (0, 1), run.stderr
    return run.returncode, [line.split(":")[0] for line in run.stdout.splitlines()]


def access(client, secret):
    return client.get(f"/secrets/{secret}/versions/latest/access")


def is_anchored(database):
    """Whether all rows are under seals that have gone out."""
    [[lag, unanchored, *_]] = database.query("SELECT * FROM daemon.audit_state()")
    return lag == 0 and unanchored == 0


@pytest.fixture
def audited(database, start_daemon, new_tenant):
    """A daemon with a secret that was read, all of it sealed: (daemon, client, secret)."""
    daemon = start_daemon(database)
    client = new_tenant(daemon).client()
    secret = client.create_secret(name="audited")["id"]
    client.create_version(secret, b"value")
    for _ in range(5):
        assert client.access(secret) == b"value"
    eventually(lambda: is_anchored(database))
    return daemon, client, secret


def test_a_sound_audit_verifies(audited, database):
    daemon, _, _ = audited
    assert database.query("SELECT * FROM auditor.verify()", role="coffer_auditor") == []
    assert verify(database, "--anchors", daemon.log_file) == (0, [])


def test_each_seal_is_signed_and_goes_out_once_from_two_daemons(audited, database, start_daemon):
    first, client, secret = audited
    second = start_daemon(database)
    for _ in range(20):
        client.access(secret)
        client.to(second).access(secret)
    eventually(lambda: is_anchored(database))
    sealed = [no for [no] in database.query("SELECT no FROM audit.seal WHERE signature IS NOT NULL ORDER BY no")]
    anchored = [line["no"] for daemon in (first, second) for line in daemon.log_lines() if line["event"] == "seal"]
    assert sorted(anchored) == sealed == list(range(len(sealed)))


@pytest.mark.parametrize(
    "attack, found",
    [
        ("UPDATE audit.event SET ip = '192.0.2.9' WHERE id = {row}", "row_changed row {row}"),
        ("DELETE FROM audit.event WHERE id = {row}", "rows_missing seal {seal}"),
        ("UPDATE audit.seal SET signature = set_byte(signature, 9, get_byte(signature, 9) # 1) WHERE no = {seal}",
         "signature_wrong seal {seal}"),
        ("DELETE FROM audit.seal WHERE no = {seal}", "seal_missing seal"),
        ("DELETE FROM audit.event e WHERE xid >= (SELECT xid_from FROM audit.seal WHERE no = {last});"
         "DELETE FROM audit.seal WHERE no = {last}", "anchor_lost seal {last}"),
    ],
)
def test_an_attack_is_found(audited, database, attack, found):
    daemon, client, secret = audited
    client.access(secret)
    eventually(lambda: is_anchored(database))
    daemon.stop()
    [[row, seal]] = database.query(
        "SELECT e.id, s.no FROM audit.event e JOIN audit.seal s ON e.xid >= s.xid_from AND e.xid < s.xid_to"
        " WHERE e.method = 'secret_version_access' ORDER BY e.id LIMIT 1"
    )
    [[last]] = database.query("SELECT max(no) FROM audit.seal")
    names = {"row": row, "seal": seal, "last": last}
    for statement in attack.format(**names).split(";"):
        database.query(statement)
    status, damages = verify(database, "--anchors", daemon.log_file)
    assert status == 1
    assert any(damage.startswith(found.format(**names)) for damage in damages), damages


def test_a_chain_made_anew_is_found_by_its_anchors(audited, database):
    daemon, _, _ = audited
    daemon.stop()
    database.query("DELETE FROM audit.event WHERE method = 'secret_version_access'")
    database.query(
        "WITH gone AS (DELETE FROM audit.seal WHERE no > 0 RETURNING xid_to)"
        " SELECT max(xid_to) FROM gone"
    )
    database.query("SELECT rule.seal_rows(1, xid_to, pg_current_xact_id()::text::bigint) FROM audit.seal")
    assert database.query("SELECT * FROM auditor.verify()") == []
    status, damages = verify(database, "--anchors", daemon.log_file)
    assert status == 1 and any(damage.startswith(("anchor_differs", "anchor_lost")) for damage in damages)


TROUBLES = {
    "the right to insert is taken away": (
        "REVOKE INSERT ON audit.event FROM coffer_exec",
        "GRANT INSERT ON audit.event TO coffer_exec",
    ),
    "the partition is missing": (
        "ALTER TABLE audit.event DETACH PARTITION {partition}",
        "ALTER TABLE audit.event ATTACH PARTITION {partition} FOR VALUES FROM ('{from_}') TO ('{to}')",
    ),
    "a trigger raises": (
        "CREATE TRIGGER stop BEFORE INSERT ON {partition} FOR EACH ROW EXECUTE FUNCTION public.stop()",
        "DROP TRIGGER stop ON {partition}",
    ),
    "the database is read-only": (
        "ALTER ROLE coffer_api IN DATABASE {database} SET default_transaction_read_only = on",
        "ALTER ROLE coffer_api IN DATABASE {database} RESET default_transaction_read_only",
    ),
}


@pytest.mark.parametrize("trouble", TROUBLES)
def test_no_value_leaves_without_its_row(audited, database, trouble):
    daemon, client, secret = audited
    [[partition, from_, to]] = database.query(
        "SELECT 'audit.' || rule.audit_partition(m::date), m::text || ' UTC', (m + interval '1 month')::text || ' UTC'"
        " FROM date_trunc('month', now() AT TIME ZONE 'UTC') AS m"
    )
    database.query("CREATE FUNCTION public.stop() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RAISE 'no'; END$$")
    names = {"partition": partition, "from_": from_, "to": to, "database": database.name}
    breaks, mends = (statement.format(**names) for statement in TROUBLES[trouble])
    database.deploy(breaks)
    if "ROLE" in breaks:  # which counts from the next connection on
        database.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'coffer_api' AND datname = current_database()")
    answer = access(client, secret)
    assert answer.status == 503 and b"dmFsdWU=" not in answer.raw
    database.deploy(mends)
    if "ROLE" in breaks:
        database.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'coffer_api' AND datname = current_database()")
    eventually(lambda: access(client, secret).status == 200)


def test_no_value_leaves_while_the_partition_is_locked(audited, database):
    _, client, secret = audited
    with database.connect() as connection:
        connection.autocommit = False
        connection.execute("LOCK TABLE audit.event IN ACCESS EXCLUSIVE MODE")
        assert access(client, secret).status == 503
        connection.rollback()
    eventually(lambda: access(client, secret).status == 200)


def changes(client, **query):
    answer = client.get(f"/coffer/v1/regions/fr-par/changes?{urlencode(query)}", absolute=True)
    assert answer.status == 200
    return answer.body


def test_a_wait_for_changes_ends_with_one_and_leaves_one_row(audited, database):
    daemon, client, secret = audited
    cursor = changes(client, after="latest")["cursor"]
    [[before]] = database.query("SELECT count(*) FROM audit.event WHERE method = 'change_list'")
    heard = []
    waiter = client.as_key(client.secret_key)
    thread = threading.Thread(target=lambda: heard.append(changes(waiter, after=cursor, wait=60)))
    thread.start()
    client.create_version(secret, b"another")
    thread.join(60)
    assert [change["method_name"] for change in heard[0]["changes"]] == ["CreateSecretVersion"]
    assert changes(client, after=heard[0]["cursor"])["changes"] == []
    [[after]] = database.query("SELECT count(*) FROM audit.event WHERE method = 'change_list'")
    assert after == before + 2


def test_a_wait_for_changes_ends_without_any(audited):
    _, client, _ = audited
    cursor = changes(client, after="latest")["cursor"]
    assert changes(client, after=cursor, wait=1)["changes"] == []


def test_an_anchor_command_gets_each_seal(database, start_daemon, new_tenant, tmp_path):
    kept = tmp_path / "anchors"
    kept.touch()
    daemon = start_daemon(database, anchor_command=f"cat >>{kept}")
    new_tenant(daemon)
    eventually(lambda: is_anchored(database))
    lines = [json.loads(line) for line in kept.read_text().splitlines()]
    assert [line["no"] for line in lines] == list(range(len(lines))) != []
    assert verify(database, "--anchors", kept) == (0, [])


def test_a_seal_that_the_command_refuses_is_not_anchored(database, start_daemon, new_tenant, tmp_path):
    daemon = start_daemon(database, anchor_command=f"test -e {tmp_path}/open")
    new_tenant(daemon)
    eventually(lambda: any(line["event"] == "anchor_command failed" for line in daemon.log_lines()))
    assert not is_anchored(database)
    (tmp_path / "open").touch()
    eventually(lambda: is_anchored(database))
