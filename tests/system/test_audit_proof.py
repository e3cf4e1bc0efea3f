"""The audit from the first row to the proof: seals, anchors, verification."""

import json
import os

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
    assert f"anchors of {seals} of {seals} seals, the last of seal {seals - 1}; receipts of {receipts} rows, {receipts} found\n" in errors

    first = tmp_path / "first"
    first.write_text(next(line for line in daemon.log.splitlines(True) if '"event":"seal","no":0,' in line))
    code, errors = said(database, "--anchors", first)
    assert code == 0 and f"anchors of 1 of {seals} seals, the last of seal 0; receipts of 0 rows, 0 found\n" in errors


@pytest.mark.parametrize("text", ["", "root:x:0:0:root:/root:/bin/bash\n", '{"event":"started"}\n{"event":"seal","no":1,"ha'])
def test_a_file_without_anchors_is_refused(audited, database, tmp_path, text):
    """Also beside one that has some: it is not the log that it was taken for."""
    other = tmp_path / "other"
    other.write_text(text)
    code, errors = said(database, "--anchors", audited[0].log_file, "--anchors", other)
    assert code == 2 and errors == f"coffer: there is no anchor and no receipt in {other}\n"


def test_a_receipt_is_not_forgotten(audited, database, tmp_path):
    """Whoever holds sealing up can remove a row; of its receipt the log knows, however long it is by then."""
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
    sealed = [no for [no] in database.query("SELECT no FROM audit.seal WHERE signature IS NOT NULL ORDER BY no")]
    anchored = [line["no"] for daemon in (first, second) for line in daemon.log_lines() if line["event"] == "seal"]
    assert sorted(anchored) == sealed == list(range(len(sealed)))


def test_seals_of_many_signers_verify(audited, database):
    """A key that is retired each month has signed what it has signed, and there is no end of them."""
    daemon, client, secret = audited
    for _ in range(20):
        database.query("SELECT operator.signer_retire()", role="coffer_operator")
        client.access(secret)
        eventually(lambda: is_anchored(database))
    keys = database.query("SELECT encode(public_key, 'hex') FROM auditor.signer", role="coffer_auditor")
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


def test_a_seal_that_the_command_refuses_is_not_anchored(database, start_daemon, new_tenant, tmp_path):
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
    eventually(lambda: "audit" in ready(daemon) and ready(daemon)["audit"]["unanchored"] > 0 and ready(daemon)["warnings"] == {})
    database.query("UPDATE audit.seal SET sealed_at = sealed_at - interval '2 minutes' WHERE anchored_at IS NULL")
    eventually(lambda: list(ready(daemon)["warnings"]) == ["anchor_lag"])
    assert ready(daemon)["audit"]["anchor_lag"] >= 120
    (tmp_path / "open").touch()
    eventually(lambda: ready(daemon)["warnings"] == {})
    assert ready(daemon)["audit"] == {"anchor_lag": 0, "months_ahead": 12, "seal_lag": 0, "unanchored": 0, "unsealed": 0}

    with unsealed(database):
        new_tenant(daemon)
        database.query("UPDATE audit.event SET at = at - interval '2 minutes'")
        eventually(lambda: list(ready(daemon)["warnings"]) == ["seal_lag"])
        assert ready(daemon)["audit"]["seal_lag"] >= 120 and ready(daemon)["audit"]["unsealed"] > 0
    eventually(lambda: ready(daemon)["warnings"] == {})

    [[partition]] = database.query("SELECT 'audit.' || rule.audit_partition((date_trunc('month', now() AT TIME ZONE 'UTC') + interval '2 months')::date)")
    database.query(f"DROP TABLE {partition}")
    eventually(lambda: list(ready(daemon)["warnings"]) == ["months_ahead"])
    database.query("SELECT job.audit_partition_create()")
    eventually(lambda: ready(daemon)["warnings"] == {})

    database.deploy("REVOKE EXECUTE ON FUNCTION daemon.audit_state() FROM coffer_api")
    eventually(lambda: list(ready(daemon)["warnings"]) == ["audit"])
    assert "audit" not in ready(daemon)
