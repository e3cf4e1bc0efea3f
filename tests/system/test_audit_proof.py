"""The audit from the first row to the proof: seals, anchors, verification."""

import json

import pytest

from support import eventually
from support.audit import is_anchored, verify, verify_inside


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
