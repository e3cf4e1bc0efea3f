"""Plaintext is in the memory of the daemon for as long as its call runs, and no longer, however that ends.

But for libpq's buffers, which have what went through them until the connection has had a moment of rest, and a
page that no core file has, where keys are. So the core of a daemon that rests has nothing, and without any one of the
guards that see to it, it has: GUARDS.
"""

import base64
import contextlib
import json
import os
import secrets
import socket
import subprocess
import time
from pathlib import Path

import pytest
from canaries import Stage

from support import eventually, leak
from support.client import values
from support.daemon import BINARY, Daemon
from support.memory import SANITIZED, mappings
from support.mutant import mutant
from support.tenant import Tenant

pytestmark = pytest.mark.long


def memory(daemon):
    return b"".join(content for content, _ in mappings(daemon))


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


def send(client, path, body):
    """Send a call on a connection of its own, and do not wait for the answer."""
    body = json.dumps(body).encode()
    connection = socket.create_connection(("127.0.0.1", client.port), 30)
    head = (
        f"POST {client.path(path)} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
        f"X-Auth-Token: {client.secret_key}\r\nContent-Length: {len(body)}\r\n\r\n"
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
    data_key = base64.b64decode(
        manager.post(f"/keys/{key_id}/generate-data-key", {}).body["plaintext"]
    )
    eventually(lambda: not holds(daemon, data_key))


@pytest.mark.parametrize("end", ["answer", "overdue", "gone"])
def test_end_of_a_call_wipes_its_plaintext(daemon, manager, key_id, end):
    canary = secrets.token_bytes(24)
    ciphertext = manager.encrypt(key_id, canary)
    eventually(lambda: not holds(daemon, canary))
    with audit_held_up(daemon):
        connection = send(manager, f"/keys/{key_id}/decrypt", values(ciphertext=ciphertext))
        eventually(lambda: holds(daemon, canary))  # so it would be found
        if end == "gone":
            connection.close()
        elif end == "overdue":
            assert connection.recv(20).startswith(b"HTTP/1.1 503")
    if end == "answer":
        assert connection.recv(20).startswith(b"HTTP/1.1 200")
    connection.close()
    eventually(lambda: not holds(daemon, canary))


# A core file --------------------------------------------------------------------------------------

in_a_core = pytest.mark.skipif(
    os.geteuid() != 0 or SANITIZED,
    reason="only root may make a core of the daemon, and a sanitizer keeps what is freed",
)


def core(daemon, file):
    """What a core file of the daemon has, which root can have made."""
    subprocess.run(["gcore", "-o", file, str(daemon.pid)], check=True, capture_output=True)
    file = file.with_name(f"{file.name}.{daemon.pid}")
    content = file.read_bytes()
    file.unlink()
    return content


@pytest.fixture(scope="module")
def stage(daemon, root_key_file):
    return Stage(Tenant(daemon), root_key_file)


def at_rest(daemon):
    """Whether nothing runs, and what ran last on each connection has nothing secret."""
    running = (
        "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND usename = 'coffer_api'"
        " AND (state <> 'idle' OR query ~ 'api[.]secret_version|dek_rewrap')"
    )
    return not daemon.database.query(running)


def make_room(daemon, client, secret_id, size):
    """Have libpq's buffers of each connection grow for a payload of that size.

    A call whose connection is lost is sent again on another one. Buffers that grow then would take the memory that
    the lost connection has freed, and what is in it would be overwritten with them."""
    running = "SELECT pid FROM pg_stat_activity WHERE query ~ 'api[.]secret_version_create' AND wait_event_type = 'Lock'"
    count, grown = daemon.settings["pool_size"], set()

    def all_grown():
        with audit_held_up(daemon):
            path, body = f"/secrets/{secret_id}/versions", values(data=bytes(size))
            connections = [send(client, path, body) for _ in range(count)]
            eventually(lambda: daemon.database.query(running))
            time.sleep(
                0.2
            )  # most of the others run by then; what is missing comes in another round
            grown.update(pid for (pid,) in daemon.database.query(running))
        for connection in connections:
            assert connection.recv(20).startswith(b"HTTP/1.1 200")
            connection.close()
        return len(grown) >= count

    eventually(all_grown)


def use(daemon, stage):
    """Make all calls; two of them, with a large payload, lose their connections. Return what must not stay.

    What cleans the other connections takes the memory of one of the two that were lost, and not of both."""
    client = stage.tenant.client(daemon)
    secret_id = client.create_secret(name=secrets.token_hex(8))["id"]
    large = secrets.token_bytes(30) * 1000
    make_room(daemon, client, secret_id, len(large))
    with audit_held_up(daemon):
        path = f"/secrets/{secret_id}/versions"
        connections = [send(client, path, values(data=large)) for _ in range(2)]
        ends = (
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE query ~ 'api[.]secret_version_create' AND wait_event_type = 'Lock'"
        )
        lost = 0
        while lost < 2:
            lost += len(eventually(lambda: daemon.database.query(ends)))
    for connection in connections:
        assert connection.recv(20).startswith(b"HTTP/1.1 200")
        connection.close()
    before = stage.secrets()
    assert stage.answer(200, client)
    # Of sizes that the blocks of no other call have, which would be put in their place.
    odd = {f"payload of {size}": secrets.token_bytes(size) for size in (350, 510, 790)}
    manager, key_id = client.key_manager(), stage.scene("key_encrypt").key_id
    for payload in odd.values():
        assert manager.decrypt(key_id, manager.encrypt(key_id, payload)) == payload
    for connection in (client, manager):
        connection.get("/live", absolute=True)  # so what was before is over
    return {**odd, "large payload": large[:30], **before, **stage.secrets()}


@pytest.fixture
def start(numbered, daemon, root_key_file):
    """Start a daemon on the same database, whose root key comes through a pipe, and has come through a file; stop it at the end."""
    daemons = []

    def start(binary=BINARY):
        command = f"/bin/cat {root_key_file}"
        settings = {
            "root_key_command": command,
            "pool_size": 4,
            "read_connections": 2,
            "check_interval": 60,
        }
        daemons.append(Daemon(numbered("daemon"), daemon.database, None, binary=binary, **settings))
        return daemons[-1]

    yield start
    for other in daemons:
        other.stop()


@pytest.fixture
def look(numbered, stage):
    """Look for what must not stay in the core of a daemon that rests; return in what names and forms it was found."""

    def look(daemon, looked_for):
        eventually(lambda: at_rest(daemon))
        return leak.Search(looked_for).find([("core", core(daemon, numbered("core")))])

    return look


@in_a_core
def test_core_of_a_daemon_that_rests_has_nothing_secret(start, stage, look):
    daemon = start()
    looked_for = use(daemon, stage)
    assert look(daemon, looked_for) == set()
    in_memory = {name for name, _, _ in leak.Search(looked_for).find([("memory", memory(daemon))])}
    assert {"root key", "pepper"} <= in_memory  # but not for a core


# What keeps it so: module, piece of its source, what stands there without it, and what is found then. The tokens,
# results and requests that are wiped, too, are in blocks that are wiped when they are freed.
GUARDS = {
    "what is freed is wiped": ("memory", "explicit_bzero(memory, size);", ";", "payload of"),
    "what libevent frees is wiped": (
        "memory",
        "event_set_mem_functions(\n\t    memory_library_new, memory_library_resize, memory_library_free);",
        "(void)memory_library_resize;",
        "secret key",
    ),
    "what libraries free is overwritten": (
        "memory",
        "mallopt(M_PERTURB, MEMORY_PERTURB);",
        "",
        "large payload",
    ),
    "keys are in no core": (
        "memory",
        "madvise(memory, size, MADV_DONTDUMP) != 0",
        "false",
        "root key",
    ),
    "connections are cleaned": ("pool", "\t\tlink_clean(pool->link[i]);", ";", "large payload"),
    "values are wiped": (
        "document",
        "memory_wipe_free(value->bytes, value->size);",
        "memory_free(value->bytes);",
        "payload of",
    ),
    "values in json-c are wiped": (
        "document",
        "memory_wipe((char *)(uintptr_t)text, length);",
        "",
        "payload of",
    ),
    "the buffer of json-c is wiped": (
        "document",
        "document_fill(tokener, size); /* overwrites */",
        "",
        "payload of",
    ),
    "the base64 of answers is wiped": (
        "key_use",
        "memory_wipe_free(text, room);",
        "memory_free(text);",
        "payload of",
    ),
}


@in_a_core
@pytest.mark.parametrize("guard", GUARDS)
def test_core_without_one_guard_has(numbered, start, stage, look, guard):
    module, piece, instead, what = GUARDS[guard]
    daemon = start(mutant(numbered("mutant"), module, piece, instead))
    for _ in range(5):  # what is left of one call may be overwritten by the next
        looked_for = use(daemon, stage)
        if guard == "connections are cleaned":
            time.sleep(2)  # others take a second at most
            found = leak.Search(looked_for).find([("core", core(daemon, numbered("core")))])
        else:
            found = look(daemon, looked_for)
        if any(name.startswith(what) for name, _, _ in found):
            return
    pytest.fail(f"{what} is not found without its guard")


def copied_last(daemon, stage, file):
    """What a core has of the plaintexts that the daemon was the last to copy."""
    manager, key_id = stage.tenant.client(daemon).key_manager(), stage.scene("key_encrypt").key_id
    found = set()
    for size in (200, 400, 790, 1500):
        payload = secrets.token_bytes(size)
        assert manager.decrypt(key_id, manager.encrypt(key_id, payload)) == payload
        manager.get("/live", absolute=True)  # so what was before is over
        found |= leak.Search({size: payload}).find([("core", core(daemon, file))])
    return found


@in_a_core
def test_registers_that_copied_a_plaintext(numbered, start, stage):
    """A core has the registers, too, with the end of what was copied last."""
    assert copied_last(start(), stage, numbered("core")) == set()


if os.environ.get("COFFER_LEAKS") == "long":

    @in_a_core
    def test_registers_are_not_overwritten(numbered, start, stage):
        """It takes a processor whose C library copies by registers that have room for some of it, as those with AVX."""
        daemon = start(mutant(numbered("mutant"), "http_request", "\tmemory_wipe_registers();\n"))
        assert copied_last(daemon, stage, numbered("core")) != set()


# Without any rights but those of its user: no core, and no look into its memory.
UNPRIVILEGED = (
    ["setpriv", "--bounding-set=-all", "--inh-caps=-all"] if os.geteuid() == 0 else ["setpriv"]
)


@pytest.fixture
def start_unprivileged(numbered, start):
    """Start a daemon that has the rights of its user, and would be allowed a core file."""

    def start_unprivileged(binary=BINARY):
        script = numbered("script")
        command = " ".join([*UNPRIVILEGED, str(binary)])
        script.write_text(f'#!/bin/sh\nulimit -c unlimited || ulimit -c 1\nexec {command} "$@"\n')
        script.chmod(0o755)
        return start(script)

    return start_unprivileged


def is_readable(daemon):
    """Whether another process of its user may read its memory."""
    command = [*UNPRIVILEGED, "head", "-c1", f"/proc/{daemon.pid}/auxv"]
    return subprocess.run(command, capture_output=True).stdout != b""


def core_limit(daemon):
    (line,) = [
        line
        for line in Path(f"/proc/{daemon.pid}/limits").read_text().splitlines()
        if line.startswith("Max core")
    ]
    return line.split()[4]


def test_process_of_the_same_user_reads_nothing(start_unprivileged):
    daemon = start_unprivileged()
    assert not is_readable(daemon)
    assert core_limit(daemon) == "0"


def test_process_of_the_same_user_would_read_it_all(numbered, start_unprivileged):
    guard = "prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0"
    assert is_readable(start_unprivileged(mutant(numbered("mutant"), "memory", guard, "false")))


@pytest.mark.skipif(SANITIZED, reason="a sanitizer forbids core files itself")
def test_core_would_be_allowed(numbered, start_unprivileged):
    guard = "setrlimit(RLIMIT_CORE, &none) != 0"
    assert (
        core_limit(
            start_unprivileged(mutant(numbered("mutant"), "memory", guard, "none.rlim_cur != 0"))
        )
        != "0"
    )
