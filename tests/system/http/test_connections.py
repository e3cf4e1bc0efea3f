"""Clients that take their time, come in masses, or vanish: all others are served."""

import base64
import http.client
import os
import resource
import socket
import struct
import time
import uuid

import pytest

from support import eventually
from support.client import Client
from support.daemon import Daemon, free_port
from support.metrics import values

METADATA = b"GET /metadata HTTP/1.1\r\nHost: x\r\n\r\n"
# Of a body, which is read only with a token.
TOKEN = b"X-Auth-Token: 11111111-1111-4111-8111-111111111111\r\n"
METRICS = b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.fixture(scope="module")
def impatient(service, numbered, root_key_file):
    """A daemon that gives each phase of a connection one second, and few connections at once."""
    daemon = Daemon(
        numbered("impatient"),
        service.database,
        root_key_file,
        header_timeout=1,
        body_timeout=1,
        request_deadline=1000,
        send_timeout=1,
        idle_timeout=2,
    )
    yield daemon
    daemon.stop()


@pytest.fixture(scope="module")
def small(service, numbered, root_key_file):
    """A daemon for four connections."""
    daemon = Daemon(numbered("small"), service.database, root_key_file, max_connections=4)
    yield daemon
    daemon.stop()


def connect(daemon):
    return connect_to(daemon.port)


def connect_to(port):
    return socket.create_connection(("127.0.0.1", port), 30)


def descriptors(daemon):
    return len(os.listdir(f"/proc/{daemon.pid}/fd"))


def ask(connection, request=METADATA):
    """One request on a connection that stays open; the status."""
    connection.sendall(request)
    response = http.client.HTTPResponse(connection)
    response.begin()
    response.read()
    return response.status


# Time -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "first, each",
    [
        (b"", b"x"),
        (b"GET /metadata HTTP/1.1\r\n", b"X-One: x\r\n"),
        (
            b"POST /metadata HTTP/1.1\r\nHost: x\r\n" + TOKEN + b"Content-Length: 100000\r\n\r\n",
            b"x",
        ),
        (METADATA + b"GET", b"x"),
    ],
    ids=["first line", "headers", "body", "second request"],
)
def test_byte_after_byte(impatient, first, each):
    """Each byte is in time, and the request is not."""
    with connect(impatient) as connection:
        connection.sendall(first)
        with pytest.raises(ConnectionError):
            for _ in range(300):
                connection.sendall(each)
                time.sleep(0.1)


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"GET /meta",
        b"GET /metadata HTTP/1.1\r\nHost: x\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\n" + TOKEN + b"Content-Length: 9\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\n" + TOKEN + b"Content-Length: 9\r\n\r\n{",
        b"POST / HTTP/1.1\r\nHost: x\r\n" + TOKEN + b"Transfer-Encoding: chunked\r\n\r\n1",
    ],
)
def test_silence(impatient, sent):
    with connect(impatient) as connection:
        connection.sendall(sent)
        assert connection.recv(65536) == b""


def test_connection_between_requests_is_idle_and_not_overdue(impatient):
    """It may last longer than any phase, as long as each request and each pause is short."""
    with connect(impatient) as connection:
        for _ in range(6):
            assert ask(connection) == 200
            time.sleep(0.5)
        assert connection.recv(65536) == b""


def test_call_that_waits_is_not_overdue(impatient, tenant):
    """It may wait longer than a call may run and an answer may take, together."""
    client = tenant.client(impatient)
    cursor = client.changes(after="latest")["cursor"]
    assert client.changes(after=cursor, wait=4)["changes"] == []


def test_answer_that_is_not_taken(impatient, tenant):
    """To read a byte now and then does not hold a connection for long."""
    client = tenant.client(impatient)
    secret_id = client.create_secret(name="large")["id"]
    client.create_version(secret_id, bytes(65536))
    path = client.path(f"/secrets/{secret_id}/versions/1/access")
    request = (
        f"GET {path} HTTP/1.1\r\nHost: x\r\nX-Auth-Token: {client.secret_key}\r\n\r\n".encode()
    )
    before = descriptors(impatient)
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.connect(("127.0.0.1", impatient.port))
        connection.sendall(request * 60)
        for _ in range(3):
            assert connection.recv(1)
            time.sleep(0.2)
        eventually(lambda: descriptors(impatient) == before)
        with pytest.raises(ConnectionError):
            connection.settimeout(30)
            for _ in range(1000):
                connection.sendall(request)
                time.sleep(0.01)
    assert impatient.ready()


# Numbers ----------------------------------------------------------------------------------------


def test_new_connections_wait_at_the_cap(small, tenant):
    """Those that have work keep it; who comes is served when one of them has ended."""
    client = tenant.client(small)
    secret_id = client.create_secret(name="locked")["id"]
    client.close()
    head = f"POST {client.path(f'/secrets/{secret_id}/protect')} HTTP/1.1\r\nHost: x\r\n"
    request = f"{head}X-Auth-Token: {client.secret_key}\r\n\r\n".encode()
    with small.database.connect() as blocker:
        blocker.execute("BEGIN")
        blocker.execute("SELECT FROM store.secret WHERE id = %s FOR UPDATE", [secret_id])
        busy = [connect(small) for _ in range(4)]
        for connection in busy:
            connection.sendall(request)
        with connect(small) as waiting:
            waiting.sendall(METADATA)
            waiting.settimeout(2)
            with pytest.raises(TimeoutError):
                waiting.recv(1)
            blocker.execute("ROLLBACK")
            for connection in busy:
                assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")
                connection.close()
            waiting.settimeout(30)
            assert waiting.recv(65536).startswith(b"HTTP/1.1 200 ")


def test_idle_connections_make_room(small):
    idle = [connect(small) for _ in range(4)]
    for connection in idle:
        assert ask(connection) == 200
    with connect(small) as connection:
        assert ask(connection) == 200
    for connection in idle:
        connection.close()


@pytest.mark.parametrize("asked", [METADATA, METRICS], ids=["api", "metrics"])
def test_no_descriptors_are_left(service, start_daemon, asked):
    """The daemon waits until there are some, and does not spin, nor fill its log; whichever address it is."""
    metrics = free_port()
    daemon = start_daemon(service.database, metrics_listen=f"127.0.0.1:{metrics}")
    port = metrics if asked is METRICS else daemon.port
    limits = resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE, (descriptors(daemon) + 8, limits[1]))
    clients = [connect_to(port) for _ in range(40)]
    eventually(lambda: "unable to accept" in daemon.log)
    before = processor_time(daemon)
    logged = daemon.log.count("unable to accept")
    time.sleep(1)
    assert processor_time(daemon) - before < 0.5
    assert daemon.log.count("unable to accept") - logged < 20
    # Those that wait are served one after another, for the oldest idle ones make room.
    assert ask(clients[-1], asked) == 200
    for client in clients:
        client.close()
    with connect_to(port) as connection:
        assert ask(connection, asked) == 200


def test_address_of_metrics_has_few_connections(service, start_daemon):
    """Who opens more of them takes nothing from the API; and the idle ones make room."""
    metrics = free_port()
    daemon = start_daemon(service.database, metrics_listen=f"127.0.0.1:{metrics}")
    before = descriptors(daemon)
    clients = [connect_to(metrics) for _ in range(100)]
    assert ask(clients[0], METRICS) == 200
    with connect(daemon) as connection:
        assert ask(connection) == 200
        assert descriptors(daemon) <= before + 16 + 1
    assert ask(clients[-1], METRICS) == 200
    for client in clients:
        client.close()


def test_address_of_metrics_has_the_same_times(service, start_daemon):
    metrics = free_port()
    start_daemon(service.database, metrics_listen=f"127.0.0.1:{metrics}", header_timeout=1)
    with connect_to(metrics) as connection, pytest.raises(ConnectionError):
        for _ in range(300):
            connection.sendall(b"x")
            time.sleep(0.1)


def test_more_connections_than_descriptors_are_warned_of(service, start_daemon):
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most >= 100_000:
        pytest.skip("there are enough for any setting")
    daemon = start_daemon(service.database, max_connections=100_000)
    assert "there may be more connections than descriptors" in daemon.log


def processor_time(daemon):
    """Seconds that a daemon has computed."""
    with open(f"/proc/{daemon.pid}/stat") as file:
        fields = file.read().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_thousands_of_idle_connections(service, start_daemon):
    """Ten thousand, where the system allows them, are no burden to the one that works."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    count = min(10_000, most - 500)
    daemon = start_daemon(service.database, max_connections=20_000, max_address_connections=20_000)
    idle = [connect(daemon) for _ in range(count)]
    eventually(lambda: descriptors(daemon) > count)
    with connect(daemon) as connection:
        assert [ask(connection) for _ in range(20)] == [200] * 20
    assert [ask(connection) for connection in idle[:: count // 100]] == [200] * len(
        idle[:: count // 100]
    )
    for connection in idle:
        connection.close()
    eventually(lambda: descriptors(daemon) < 100)


# Numbers of one address ---------------------------------------------------------------------------


@pytest.fixture
def narrow(service, start_daemon):
    """A daemon for four connections of an address, and eight in all."""
    return start_daemon(
        service.database,
        metrics_listen=f"127.0.0.1:{free_port()}",
        max_address_connections=4,
        max_connections=8,
        trusted_proxies="127.0.0.9",
    )


def connect_from(daemon, address):
    return socket.create_connection(("127.0.0.1", daemon.port), 30, source_address=(address, 0))


def slow_body(daemon, client, address="127.0.0.1"):
    """A connection whose request with a well-formed token has a body that does not come."""
    connection = connect_from(daemon, address)
    head = f"POST {client.path('/secrets')} HTTP/1.1\r\nHost: x\r\nX-Auth-Token: {uuid.uuid4()}\r\n"
    connection.sendall(f"{head}Content-Length: 100000\r\n\r\n{{".encode())
    return connection


def is_closed(connection):
    """Whether the daemon has ended the connection, which it must not have answered."""
    connection.settimeout(0.01)
    try:
        assert connection.recv(1) == b""
    except TimeoutError:
        return False
    except ConnectionError:
        pass
    return True


def authenticated(daemon, client, address="127.0.0.1"):
    """A connection on which a call was authenticated."""
    connection = connect_from(daemon, address)
    request = f"GET {client.path('/tags')} HTTP/1.1\r\nHost: x\r\nX-Auth-Token: {client.secret_key}\r\n\r\n"
    assert ask(connection, request.encode()) == 200
    return connection


def refused_connections(daemon):
    return values(daemon.settings["metrics_listen"].rpartition(":")[2])[
        "coffer_connections_refused_total"
    ]


def test_slow_bodies_of_one_address_leave_room_for_others(narrow, tenant):
    """However many it opens; and a key that is good comes through beside them."""
    client = tenant.client(narrow)
    slow = [slow_body(narrow, client) for _ in range(40)]
    assert refused_connections(narrow) > 0
    with connect_from(narrow, "127.0.0.2") as connection:
        assert ask(connection) == 200
    time.sleep(1.1)  # what has just come is spared
    assert client.get("/tags").status == 200
    for connection in slow:
        connection.close()


def test_proxies_are_not_counted_as_an_address(narrow):
    connections = [connect_from(narrow, "127.0.0.9") for _ in range(6)]
    assert [ask(connection) for connection in connections] == [200] * 6
    for connection in connections:
        connection.close()


def test_connection_too_many_takes_the_place_of_one_without_a_key(narrow, tenant):
    """Of the same address: those that a good key has come by are kept, as long as there are others."""
    client = tenant.client(narrow)
    good = [authenticated(narrow, client) for _ in range(3)]
    slow = slow_body(narrow, client)
    other = slow_body(narrow, client, "127.0.0.2")
    time.sleep(1.1)
    good.append(authenticated(narrow, client))
    eventually(lambda: is_closed(slow))
    assert not is_closed(other)
    assert not any(is_closed(connection) for connection in good)
    for connection in good:
        connection.settimeout(30)
        assert ask(connection) == 200
        connection.close()
    other.close()


def test_at_the_cap_those_without_a_key_go_first(narrow, tenant):
    """In all that they do, and though others have been idle for longer."""
    client = tenant.client(narrow)
    good = [authenticated(narrow, client, "127.0.0.2") for _ in range(2)]
    slow = [slow_body(narrow, client, f"127.0.0.{number}") for number in range(3, 9)]
    time.sleep(1.1)
    with connect_from(narrow, "127.0.0.10") as connection:
        assert ask(connection) == 200
    eventually(lambda: all(is_closed(connection) for connection in slow))
    assert not any(is_closed(connection) for connection in good)
    for connection in good:
        connection.settimeout(30)
        assert ask(connection) == 200
        connection.close()


def test_body_is_not_read_without_a_token(service, api):
    """The answer comes before the body does."""
    with connect(service) as connection:
        head = f"POST {api.path('/secrets')} HTTP/1.1\r\nHost: x\r\nContent-Length: 200000\r\n\r\n"
        assert ask(connection, head.encode()) == 401
        assert connection.recv(1) == b""


# Clients that vanish ----------------------------------------------------------------------------


def vanish(connection):
    """Close with a reset, as a machine that lost its power."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def test_clients_vanish_at_any_point(service, tenant):
    """While they connect, send, wait or read; what they held is free again."""
    client = tenant.client(service)
    secret_id = client.create_secret(name="s")["id"]
    client.create_version(secret_id, bytes(65536))
    path = client.path(f"/secrets/{secret_id}/versions")
    token = f"X-Auth-Token: {client.secret_key}\r\n"
    body = f'{{"data":"{base64.b64encode(bytes(30000)).decode()}"}}'
    read = f"GET {path}/1/access HTTP/1.1\r\nHost: x\r\n{token}\r\n"
    write = (
        f"PATCH {path}/1 HTTP/1.1\r\nHost: x\r\n{token}Content-Length: {len(body)}\r\n\r\n{body}"
    )
    before = descriptors(service)
    for request in (read.encode() * 3, write.encode()):
        for size in [0, 1, 10, 40, len(request) // 2, len(request) - 1, len(request)]:
            for leave in (vanish, socket.socket.close):
                connection = connect(service)
                connection.sendall(request[:size])
                leave(connection)
    assert client.access(secret_id) == bytes(65536)
    eventually(lambda: descriptors(service) <= before)


def test_pipelined_requests_wait_for_a_pending_call(service, tenant):
    """However many: they are answered in order, once the first is."""
    client = tenant.client(service)
    secret_id = client.create_secret(name="s")["id"]
    head = f"HTTP/1.1\r\nHost: x\r\nX-Auth-Token: {client.secret_key}\r\n"
    first = f"POST {client.path(f'/secrets/{secret_id}/protect')} {head}\r\n".encode()
    last = f"GET {client.path('/tags')} {head}Connection: close\r\n\r\n".encode()
    with service.database.connect() as blocker:
        blocker.execute("BEGIN")
        blocker.execute("SELECT FROM store.secret WHERE id = %s FOR UPDATE", [secret_id])
        with connect(service) as connection:
            connection.sendall(first)
            assert client.get("/tags").status == 200  # the loop has come round since
            connection.sendall(METADATA * 500 + last)
            assert client.get("/tags").status == 200
            blocker.execute("ROLLBACK")
            received = b""
            while chunk := connection.recv(65536):
                received += chunk
    assert received.count(b"HTTP/1.1 200 ") == 502
    assert (
        received.index(b'"protected":true')
        < received.index(b'"platform"')
        < received.index(b'"tags"', -200)
    )


def test_fault_is_told_to_a_client_that_still_sends(service):
    """A reset, which closing with bytes unread would cause, may take the answer away."""
    client = Client(service.port)
    for _ in range(20):
        answer = client.call("POST", "/metadata", bytes(3_000_000), absolute=True)
        assert answer.status == 413
