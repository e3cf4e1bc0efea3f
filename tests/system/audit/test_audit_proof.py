"""The audit from the first row to the proof: seals, anchors, verification."""

import json
import os
from concurrent.futures import ThreadPoolExecutor

import pytest

from support import eventually
from support.audit import is_anchored, start_verify, unsealed, verify, verify_inside


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
    assert verify_inside(database) == []
    assert verify(database, "--anchors", daemon.log_file) == (0, [])


def said(database, *arguments):
    """The exit status, and what it says besides damage."""
    process = start_verify(database, *arguments)
    _, errors = process.communicate(timeout=60)
    return process.returncode, errors


def test_what_was_looked_at_is_said(audited, database, tmp_path):
    daemon, client, secret = audited
    client.access(secret)
    eventually(lambda: is_anchored(database))
    daemon.stop()
    [[seals]] = database.query("SELECT count(*) FROM audit.seal")
    receipts = len([line for line in daemon.log_lines() if "receipt" in line])
    code, errors = said(database, "--anchors", daemon.log_file)
    assert code == 0
    assert (
        f"anchors of {seals} of {seals} seals, the last of seal {seals - 1}; receipts of {receipts} rows, {receipts} found\n"
        in errors
    )

    first = tmp_path / "first"
    first.write_text(
        next(line for line in daemon.log.splitlines(True) if '"event":"seal","no":0,' in line)
    )
    code, errors = said(database, "--anchors", first)
    assert (
        code == 0
        and f"anchors of 1 of {seals} seals, the last of seal 0; receipts of 0 rows, 0 found\n"
        in errors
    )


@pytest.mark.parametrize(
    "text",
    ["", "root:x:0:0:root:/root:/bin/bash\n", '{"event":"started"}\n{"event":"seal","no":1,"ha'],
)
def test_a_file_without_anchors_is_refused(audited, database, tmp_path, text):
    """Also beside one that has some: it is not the log that it was taken for."""
    other = tmp_path / "other"
    other.write_text(text)
    code, errors = said(database, "--anchors", audited[0].log_file, "--anchors", other)
    assert code == 2 and errors == f"coffer: there is no anchor and no receipt in {other}\n"


def test_a_receipt_is_not_forgotten(audited, database, tmp_path):
    """A user who holds sealing up can remove a row; the log has its receipt, however long it is by then."""
    daemon, client, secret = audited
    with unsealed(database):
        answers = [client.get(f"/secrets/{secret}/versions/1/access") for _ in range(3)]
        row, _, later = [int(answer.headers["X-Audit-Id"]) for answer in answers]
        database.query("DELETE FROM audit.event WHERE id = %s", row)
    eventually(lambda: is_anchored(database))
    [line] = [line for line in daemon.log.splitlines() if f'"receipt":{later},' in line]
    log = tmp_path / "log"
    log.write_text(daemon.log + f"{line}\n" * 70_000)
    assert verify_inside(database) == []
    assert verify(database, "--anchors", log) == (1, [f"receipt_lost row {row}"])


def test_each_seal_is_signed_and_goes_out_once_from_two_daemons(audited, database, start_daemon):
    first, client, secret = audited
    second = start_daemon(database)
    for _ in range(20):
        client.access(secret)
        client.to(second).access(secret)
    eventually(lambda: is_anchored(database))
    sealed = [
        no
        for [no] in database.query(
            "SELECT no FROM audit.seal WHERE signature IS NOT NULL ORDER BY no"
        )
    ]
    anchored = [
        line["no"]
        for daemon in (first, second)
        for line in daemon.log_lines()
        if line["event"] == "seal"
    ]
    assert sorted(anchored) == sealed == list(range(len(sealed)))


def test_seals_of_many_signers_verify(audited, database):
    """A key that is retired each month has signed what it has signed, and there is no end of them."""
    daemon, client, secret = audited
    for _ in range(20):
        database.query("SELECT operator.signer_retire()", role="coffer_operator")
        client.access(secret)
        eventually(lambda: is_anchored(database))
    keys = database.query(
        "SELECT encode(public_key, 'hex') FROM auditor.signer", role="coffer_auditor"
    )
    assert len(keys) >= 20
    assert verify(database, "--anchors", daemon.log_file) == (0, [])
    assert verify(database, *(word for (key,) in keys for word in ("--public-key", key))) == (0, [])


def test_many_seals_that_were_held_up_are_anchored(database, start_daemon):
    """More than one round anchors."""
    daemon = start_daemon(database)
    eventually(lambda: is_anchored(database))
    database.query(
        "DO $$ DECLARE v_last audit.seal; BEGIN PERFORM pg_advisory_xact_lock(x'C0FFE2'::integer, 2);"
        " SELECT * INTO v_last FROM audit.seal ORDER BY no DESC LIMIT 1; FOR i IN 1..250 LOOP"
        " PERFORM rule.seal_append(v_last.epoch, v_last.month, v_last.xid_to, v_last.xid_to, 0, sha256('')); END LOOP; END $$"
    )
    eventually(lambda: is_anchored(database))
    logged = [line["no"] for line in daemon.log_lines() if line["event"] == "seal"]
    assert logged == list(range(len(logged))) and len(logged) > 250


def test_an_anchor_command_gets_each_seal(database, start_daemon, new_tenant, tmp_path):
    kept = tmp_path / "anchors"
    kept.touch()
    daemon = start_daemon(database, anchor_command=f"cat >>{kept}")
    new_tenant(daemon)
    eventually(lambda: is_anchored(database))
    lines = [json.loads(line) for line in kept.read_text().splitlines()]
    assert [line["no"] for line in lines] == list(range(len(lines))) != []
    assert verify(database, "--anchors", kept) == (0, [])


def test_a_seal_that_the_command_refuses_is_not_anchored(
    database, start_daemon, new_tenant, tmp_path
):
    daemon = start_daemon(database, anchor_command=f"test -e {tmp_path}/open")
    new_tenant(daemon)
    eventually(lambda: any(line["event"] == "anchor_command failed" for line in daemon.log_lines()))
    eventually(lambda: daemon.log.count("anchor_command failed") >= 3)
    assert not is_anchored(database)
    (tmp_path / "open").touch()
    eventually(lambda: is_anchored(database))
    # It was asked again and again; but into the log a seal goes once.
    logged = [line["no"] for line in daemon.log_lines() if line["event"] == "seal"]
    assert logged == list(range(len(logged)))


def test_a_seal_that_syslog_does_not_take_is_not_anchored(database, start_daemon, new_tenant):
    """Of a machine without syslog; on one that has it, it is taken."""
    daemon = start_daemon(database, anchor_syslog=1)
    new_tenant(daemon)
    if os.path.exists("/dev/log"):
        eventually(lambda: is_anchored(database))
    else:
        eventually(lambda: daemon.log.count("syslog does not take a seal") >= 3)
        assert not is_anchored(database)
    logged = [line["no"] for line in daemon.log_lines() if line["event"] == "seal"]
    assert logged == list(range(len(logged))) != []


def ready(daemon):
    """What /ready says, which it says with 200."""
    status, text = daemon.readiness()
    assert status == 200
    return json.loads(text)


def test_ready_warns_of_what_is_held_up(database, start_daemon, new_tenant, tmp_path):
    daemon = start_daemon(database, anchor_command=f"test -e {tmp_path}/open", job_interval=3600)
    eventually(
        lambda: (
            "audit" in ready(daemon)
            and ready(daemon)["audit"]["unanchored"] > 0
            and ready(daemon)["warnings"] == {}
        )
    )
    database.query(
        "UPDATE audit.seal SET sealed_at = sealed_at - interval '2 minutes' WHERE anchored_at IS NULL"
    )
    eventually(lambda: list(ready(daemon)["warnings"]) == ["anchor_lag"])
    assert ready(daemon)["audit"]["anchor_lag"] >= 120
    (tmp_path / "open").touch()
    eventually(lambda: ready(daemon)["warnings"] == {})
    assert ready(daemon)["audit"] == {
        "anchor_lag": 0,
        "months_ahead": 12,
        "seal_lag": 0,
        "unanchored": 0,
        "unsealed": 0,
    }

    with unsealed(database):
        new_tenant(daemon)
        database.query("UPDATE audit.event SET at = at - interval '2 minutes'")
        eventually(lambda: list(ready(daemon)["warnings"]) == ["seal_lag"])
        assert ready(daemon)["audit"]["seal_lag"] >= 120 and ready(daemon)["audit"]["unsealed"] > 0
    eventually(lambda: ready(daemon)["warnings"] == {})

    [[partition]] = database.query(
        "SELECT 'audit.' || rule.audit_partition((date_trunc('month', now() AT TIME ZONE 'UTC') + interval '2 months')::date)"
    )
    database.query(f"DROP TABLE {partition}")
    eventually(lambda: list(ready(daemon)["warnings"]) == ["months_ahead"])
    database.query("SELECT job.audit_partition_create()")
    eventually(lambda: ready(daemon)["warnings"] == {})

    database.deploy("REVOKE EXECUTE ON FUNCTION daemon.audit_state() FROM coffer_api")
    eventually(lambda: list(ready(daemon)["warnings"]) == ["audit"])
    assert "audit" not in ready(daemon)


# A read that nobody made, of two minutes ago, with a hash that fits: who can write to the audit can do that before it is sealed.
FORGE = """
    INSERT INTO audit.event
    SELECT (f.event).id, (f.event).xid, (f.event).epoch, (f.event).at, (f.event).instance, (f.event).request_id, (f.event).database_role,
           (f.event).organization_id, (f.event).principal_id, (f.event).api_key_id, (f.event).ip, (f.event).user_agent, (f.event).method,
           (f.event).region, (f.event).project_id, (f.event).secret_id, (f.event).revision, (f.event).status, (f.event).error,
           (f.event).request, rule.audit_hash(f.event)
      FROM (SELECT jsonb_populate_record(e, jsonb_build_object('id', nextval('audit.event_id'), 'xid', pg_current_xact_id()::text::bigint,
                'at', now() - interval '2 minutes', 'request_id', gen_random_uuid(), 'instance', %s::text)) AS event
              FROM audit.event e WHERE e.method = 'secret_version_access' LIMIT 1) AS f
    RETURNING id"""


def forged(audited, database, instance):
    daemon, client, secret = audited
    [[row]] = database.query(FORGE, instance)
    client.access(secret)
    eventually(lambda: is_anchored(database))
    assert verify_inside(database) == [] and verify(database) == (0, [])
    return row


def test_a_forged_read_of_a_daemon_has_no_receipt(audited, database):
    daemon, client, secret = audited
    [[instance]] = database.query(
        "SELECT instance::text FROM audit.event WHERE instance IS NOT NULL LIMIT 1"
    )
    row = forged(audited, database, instance)
    assert verify(database, "--anchors", daemon.log_file) == (1, [f"receipt_missing row {row}"])


@pytest.mark.parametrize("instance", [None, "11111111-0000-4000-8000-000000000001"])
def test_a_forged_read_of_no_daemon(audited, database, instance):
    """Whether a log is missing is for the auditor to say."""
    daemon, client, secret = audited
    row = forged(audited, database, instance)
    code, errors = said(database, "--anchors", daemon.log_file)
    assert (
        code == 0
        and f"1 rows of calls, the first of them row {row}, are of no instance whose log was given\n"
        in errors
    )
    assert verify(database, "--anchors", daemon.log_file, "--complete") == (
        1,
        [f"receipt_missing row {row}"],
    )


@pytest.mark.parametrize("end", ["stopped", "killed"])
def test_a_forged_read_of_a_daemon_that_runs_no_more(audited, database, start_daemon, end):
    """No later receipt of it tells: the end of its log does, if it has written one."""
    daemon, client, secret = audited
    other = start_daemon(database)
    client.to(other).access(secret)
    [instance] = [line["instance"] for line in other.log_lines() if line["event"] == "starting"]
    other.stop() if end == "stopped" else other.kill()
    row = forged(audited, database, instance)
    logs = "--anchors", daemon.log_file, "--anchors", other.log_file
    if end == "stopped":
        assert verify(database, *logs) == (1, [f"receipt_missing row {row}"])
    else:
        code, errors = said(database, *logs)
        assert (
            code == 0 and f"1 rows of calls, the first of them row {row}, have no receipt" in errors
        )


def test_a_call_whose_answer_was_lost_is_no_forgery(audited, database):
    """It is committed, and asked again: the first time nobody heard the receipt, which the log says."""
    daemon, client, secret = audited
    with database.connect() as connection:
        with connection.transaction():
            connection.execute("LOCK TABLE audit.event IN ACCESS EXCLUSIVE MODE")
            with ThreadPoolExecutor(1) as threads:
                answer = threads.submit(client.access, secret)
                eventually(lambda: database.query(BLOCKED) != [])
                database.query("SELECT pg_terminate_backend(pid) FROM (" + BLOCKED + ") AS blocked")
                connection.execute("COMMIT")
                assert answer.result(30) == b"value"
    [lost] = {line["id"] for line in daemon.log_lines() if line["event"] == "outcome not heard"}
    database.query(
        FORGE.replace("gen_random_uuid()", f"'{lost}'"),
        database.query("SELECT instance::text FROM audit.event WHERE instance IS NOT NULL LIMIT 1")[
            0
        ][0],
    )
    client.access(secret)
    eventually(lambda: is_anchored(database))
    assert verify(database, "--anchors", daemon.log_file, "--complete") == (0, [])


BLOCKED = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND usename = 'coffer_api' AND wait_event_type = 'Lock' AND query LIKE '%%secret_version_access%%'"


def test_a_daemon_that_was_killed_owes_no_receipts(audited, database, start_daemon):
    daemon, client, secret = audited
    daemon.kill()
    again = start_daemon(database)
    client.to(again).access(secret)
    eventually(lambda: is_anchored(database))
    assert verify(
        database, "--anchors", daemon.log_file, "--anchors", again.log_file, "--complete"
    ) == (0, [])
