"""The daemon's log: a JSON line for each request, with the receipt that the audit holds."""

import fcntl
import json
import os
import re
import shutil
from threading import Thread

import pytest

from support import eventually
from support.audit import is_anchored, verify
from support.daemon import Daemon
from support.tenant import Tenant


@pytest.fixture(scope="module")
def calls(numbered, new_database, root_key_file):
    """A daemon of its own, its client, and the answers to calls of every outcome."""
    daemon = Daemon(numbered("logged"), new_database(), root_key_file, log_level="debug")
    tenant = Tenant(daemon)
    client = tenant.client()
    secret_id = client.create_secret(name="s", description="described")["id"]
    client.create_version(secret_id, b"payload of the log test")
    answers = [
        client.get("/secrets"),
        client.get(f"/secrets/{secret_id}"),
        client.get(f"/secrets/{secret_id}/versions/1/access"),
        client.get(f"/secrets/{secret_id}/versions/latest/access"),
        client.get(
            "/secrets-by-path/versions/1/access",
            query={"project_id": tenant.project_id, "secret_name": "s"},
        ),
        client.post(f"/secrets/{secret_id}/protect"),
        client.delete(f"/secrets/{secret_id}"),
        client.post("/secrets", {"name": "s"}),
        client.post("/secrets", b"{"),
        client.get("/secrets/x"),
        client.get("/nowhere"),
        client.call("PUT", "/secrets"),
        client.as_key(None).get("/secrets"),
        client.as_key("00000000-0000-4000-8000-000000000000").get("/secrets"),
        tenant.client(key=tenant.key("SecretManagerReadOnly")).get(
            f"/secrets/{secret_id}/versions/1/access"
        ),
        client.get("/tags", headers={"User-Agent": 'quoted "agent" \\ \u00e9'.encode("latin-1")}),
        client.get("/tags", query={"unknown": "value of a query"}),
    ]
    yield daemon, client, answers
    daemon.stop()


def line_of(daemon, answer):
    lines = [line for line in daemon.log_lines() if answer.headers["X-Request-Id"] in line.values()]
    return [line for line in lines if "status" in line]


def test_lines_are_json_objects(calls):
    daemon, _, _ = calls
    for line in daemon.log.splitlines():
        assert isinstance(json.loads(line), dict), line


def test_each_request_has_one_line(calls):
    daemon, _, answers = calls
    for answer in answers:
        eventually(lambda: line_of(daemon, answer))
        (line,) = line_of(daemon, answer)
        assert line["status"] == answer.status


def test_receipts_agree(calls):
    """Header, log and audit: one id, one hash, and the hash is that of the row."""
    daemon, _, answers = calls
    receipts = 0
    for answer in answers:
        (line,) = line_of(daemon, answer)
        if "X-Audit-Id" not in answer.headers:
            assert answer.status in (400, 401, 404, 405)
            continue
        receipts += 1
        receipt = int(answer.headers["X-Audit-Id"])
        ((digest, sound, request_id, status),) = daemon.database.query(
            "SELECT encode(hash, 'hex'), hash = rule.audit_hash(e), request_id::text, status"
            "  FROM audit.event e WHERE id = %s",
            receipt,
        )
        assert (request_id, status, sound) == (answer.headers["X-Request-Id"], answer.status, True)
        assert receipt in line.values()
        assert digest in line.values()
    assert receipts >= 12


def test_every_value_that_left_has_its_row(calls):
    daemon, _, answers = calls
    read = [answer for answer in answers if answer.status == 200 and "data" in answer.body]
    assert len(read) == 3
    for answer in read:
        rows = daemon.database.query(
            "SELECT method, secret_id::text, revision, status"
            "  FROM audit.event WHERE request_id = %s",
            answer.headers["X-Request-Id"],
        )
        ((method, secret_id, revision, status),) = rows
        assert method.startswith("secret_version_access")
        assert (secret_id, revision, status) == (
            answer.body["secret_id"],
            answer.body["revision"],
            200,
        )


@pytest.mark.parametrize("level", ["warning", "error"])
def test_receipts_are_in_the_log_at_every_level(database, start_daemon, new_tenant, level):
    """And nothing else of a request that went well."""
    daemon = start_daemon(database, log_level=level)
    client = new_tenant(daemon).client()
    secret_id = client.create_secret(name="s")["id"]
    client.create_version(secret_id, b"value")
    answer = client.get(f"/secrets/{secret_id}/versions/1/access")
    assert client.get("/nowhere").status == 404
    (line,) = line_of(daemon, answer)
    assert line["receipt"] == int(answer.headers["X-Audit-Id"]) and line["receipt_hash"]
    assert (line["event"], line["level"]) == ("receipt", "info")
    assert "request" not in [line["event"] for line in daemon.log_lines()]


def test_audit_says_who_and_from_where(calls):
    daemon, client, answers = calls
    ((ip, role, organization, principal, key),) = daemon.database.query(
        "SELECT host(ip), database_role,"
        "       organization_id IS NOT NULL, principal_id IS NOT NULL, api_key_id IS NOT NULL"
        "  FROM audit.event WHERE id = %s",
        int(answers[0].headers["X-Audit-Id"]),
    )
    assert (ip, role, organization, principal, key) == ("127.0.0.1", "coffer_api", True, True, True)


def test_log_is_silent_about_secrets(calls):
    daemon, client, _ = calls
    log = daemon.log
    password = re.search(r"password=(\S+)", daemon.database.dsn("coffer_api"))[1].strip("'")
    for secret in (
        client.secret_key,
        "payload of the log test",
        "cGF5bG9hZCBvZiB0aGUgbG9nIHRlc3Q=",
        "value of a query",
        "value+of+a+query",
        "described",
        password,
    ):
        assert secret not in log


def test_a_log_whose_reader_stalls(database, start_daemon, new_tenant, numbered):
    """Nobody waits for it: neither calls, nor health, nor the end. Seals do, and come whole and once."""
    reader, writer = os.pipe()
    fcntl.fcntl(reader, fcntl.F_SETPIPE_SZ, 4096)
    daemon = start_daemon(database, log=writer)
    os.close(writer)
    client = new_tenant(daemon).client()
    secret_id = client.create_secret(name="read")["id"]
    client.create_version(secret_id, b"value")
    answers = [client.get(f"/secrets/{secret_id}/versions/1/access") for _ in range(20)]
    receipts = [int(answer.headers["X-Audit-Id"]) for answer in answers]

    def is_warned():
        assert client.get("/live", absolute=True).status == 200
        return "log" in json.loads(daemon.readiness()[1])["warnings"]

    eventually(is_warned)
    assert not is_anchored(database)

    log = numbered("log")
    with log.open("wb") as file:
        copier = Thread(
            target=shutil.copyfileobj,
            args=(os.fdopen(reader, "rb", buffering=0, closefd=False), file, 4096),
        )
        copier.start()
        eventually(lambda: json.loads(daemon.readiness()[1])["warnings"] == {})
        eventually(lambda: is_anchored(database))
        daemon.terminate()
        assert daemon.wait() == 0
        copier.join()
    os.close(reader)
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert lines[-1]["event"] == "stopped"
    assert set(receipts) <= {line.get("receipt") for line in lines}
    seals = [line["no"] for line in lines if line["event"] == "seal"]
    assert seals == [no for (no,) in database.query("SELECT no FROM audit.seal ORDER BY no")]
    assert verify(database, "--anchors", log) == (0, [])


def test_the_end_does_not_wait_for_a_log_whose_reader_stalls(database, start_daemon, new_tenant):
    reader, writer = os.pipe()
    fcntl.fcntl(reader, fcntl.F_SETPIPE_SZ, 4096)
    daemon = start_daemon(database, log=writer)
    os.close(writer)
    client = new_tenant(daemon).client()
    for _ in range(50):
        assert client.get("/secrets").status == 200
    daemon.terminate()
    assert daemon.wait() == 0
    os.close(reader)
