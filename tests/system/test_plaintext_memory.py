"""Plaintext is in the memory of the daemon for as long as its call runs, and no longer, however that ends."""

import base64
import contextlib
import json
import re
import secrets
import socket

import pytest

from support import eventually
from support.client import values
from support.daemon import Daemon
from support.tenant import Tenant

MAPPING = re.compile(r"([0-9a-f]+)-([0-9a-f]+) r")
LARGEST = 1 << 28  # what is larger is no memory, but room that a sanitizer keeps


def memory(daemon):
    """All that the daemon has in memory; to read it takes more than to be of the same user."""
    content = []
    try:
        with open(f"/proc/{daemon.pid}/maps") as maps, open(f"/proc/{daemon.pid}/mem", "rb") as file:
            for first, end in MAPPING.findall(maps.read()):
                size = int(end, 16) - int(first, 16)
                with contextlib.suppress(OSError, OverflowError):  # what the kernel lends
                    file.seek(int(first, 16))
                    content.append(file.read(size) if size <= LARGEST else b"")
    except PermissionError:
        pytest.skip("only root may read the memory of the daemon")
    return b"".join(content)


def holds(daemon, canary):
    content = memory(daemon)
    return canary in content or base64.b64encode(canary) in content


@pytest.fixture(scope="module")
def daemon(numbered, new_database, root_key_file):
    daemon = Daemon(numbered("daemon"), new_database(), root_key_file, request_deadline=3000)
    yield daemon
    daemon.stop()


@pytest.fixture(scope="module")
def manager(daemon):
    return Tenant(daemon).client().key_manager()


@pytest.fixture(scope="module")
def key_id(manager):
    return manager.create_key()["id"]


@contextlib.contextmanager
def audit_held_up(daemon):
    """Calls wait for the row of the audit, the last thing that they do."""
    with daemon.database.connect() as blocker:
        blocker.execute("BEGIN")
        blocker.execute("LOCK TABLE audit.event IN ACCESS EXCLUSIVE MODE")
        yield
        blocker.execute("ROLLBACK")


def send(manager, key_id, verb, body):
    """Send a call on a connection of its own, and do not wait for the answer."""
    body = json.dumps(body).encode()
    connection = socket.create_connection(("127.0.0.1", manager.port), 30)
    head = (
        f"POST {manager.path(f'/keys/{key_id}/{verb}')} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
        f"X-Auth-Token: {manager.secret_key}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    connection.sendall(head.encode() + body)
    return connection


@pytest.mark.parametrize("size", [24, 240, 60000])
def test_calls_leave_nothing(daemon, manager, key_id, size):
    canary, place = secrets.token_bytes(24), secrets.token_bytes(24)
    plaintext = canary * (size // 24)
    ciphertext = manager.encrypt(key_id, plaintext, place)
    assert manager.decrypt(key_id, ciphertext, place) == plaintext
    assert manager.ask_to_decrypt(key_id, ciphertext).status == 400
    eventually(lambda: not holds(daemon, canary))
    eventually(lambda: not holds(daemon, place))
    data_key = base64.b64decode(manager.post(f"/keys/{key_id}/generate-data-key", {}).body["plaintext"])
    eventually(lambda: not holds(daemon, data_key))


@pytest.mark.parametrize("end", ["answer", "overdue", "gone"])
def test_end_of_a_call_wipes_its_plaintext(daemon, manager, key_id, end):
    canary = secrets.token_bytes(24)
    ciphertext = manager.encrypt(key_id, canary)
    eventually(lambda: not holds(daemon, canary))
    with audit_held_up(daemon):
        connection = send(manager, key_id, "decrypt", values(ciphertext=ciphertext))
        eventually(lambda: holds(daemon, canary))  # so it would be found
        if end == "gone":
            connection.close()
        elif end == "overdue":
            assert connection.recv(20).startswith(b"HTTP/1.1 503")
    if end == "answer":
        assert connection.recv(20).startswith(b"HTTP/1.1 200")
    connection.close()
    eventually(lambda: not holds(daemon, canary))
