"""However large answers and requests are, and however slowly clients take or send them, memory has a bound."""

import http.client
import socket
import time
import uuid

import pytest
from test_connections import authenticated, connect

from support import eventually
from support.daemon import free_port
from support.load import together
from support.memory import SANITIZED
from support.metrics import values
from support.tenant import Tenant

MIB = 1 << 20
SECRETS = 100


@pytest.fixture
def frugal(service, start_daemon):
    """A daemon with room for two pages of the largest size."""
    return start_daemon(
        service.database,
        metrics_listen=f"127.0.0.1:{free_port()}",
        request_memory=32 * MIB,
        request_deadline=60_000,  # a page takes its time where others build one, too
    )


@pytest.fixture(scope="module")
def describe(service, module_tenant):
    """Give the hundred secrets of a tenant a description."""
    client = module_tenant.client()
    for number in range(SECRETS):
        client.create_secret(name=f"s{number}")

    def describe(description):
        service.database.query(
            "UPDATE store.secret SET description = %s WHERE project_id = %s",
            description,
            module_tenant.project_id,
        )

    return describe


@pytest.fixture(scope="module")
def module_tenant(service):
    return Tenant(service)


def metrics(daemon):
    return values(daemon.settings["metrics_listen"].rpartition(":")[2])


def peak(daemon):
    """The most memory that the process has had, in bytes; 0 with a sanitizer, which keeps what is freed."""
    if SANITIZED:
        return 0
    with open(f"/proc/{daemon.pid}/status") as file:
        (line,) = [line for line in file if line.startswith("VmHWM:")]
    return int(line.split()[1]) * 1024


def list_request(client):
    path = client.path("/secrets", {"page_size": 100})
    return f"GET {path} HTTP/1.1\r\nHost: x\r\nX-Auth-Token: {client.secret_key}\r\n\r\n".encode()


def test_pages_that_nobody_takes(frugal, module_tenant, describe):
    """Sixty of six megabytes each: those who are slowest lose theirs, and others are served."""
    describe("x" * 60_000)
    client = module_tenant.client(frugal)
    assert client.get("/tags").status == 200
    before = peak(frugal)
    slow = []
    for _ in range(60):
        connection = socket.socket()
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.connect(("127.0.0.1", frugal.port))
        connection.sendall(list_request(client))
        slow.append(connection)
    eventually(lambda: metrics(frugal)["coffer_answers_shed_total"] > 10)
    eventually(lambda: client.get("/tags").status == 200)
    for connection in slow:
        connection.close()
    eventually(lambda: metrics(frugal)["coffer_request_memory_bytes"] < MIB)
    # Two pages more may be under way, in PostgreSQL's form and ours; libpq keeps buffers of their size.
    assert peak(frugal) - before < 200 * MIB


def test_many_large_pages_at_once(frugal, module_tenant, describe):
    """They wait for each other, and all are answered."""
    describe("x" * 60_000)
    callers = [module_tenant.client(frugal) for _ in range(12)]
    answers = together(
        [
            lambda caller=caller: caller.get("/secrets", query={"page_size": 100})
            for caller in callers
        ]
    )
    assert {(answer.status, len(answer.body["secrets"])) for answer in answers} == {(200, SECRETS)}
    assert peak(frugal) < 200 * MIB


def test_page_that_is_too_large(frugal, module_tenant, describe):
    """It is refused with what to do about it."""
    describe("\x01" * 43_000)  # as it could be stored before the limit counted what JSON writes
    client = module_tenant.client(frugal)
    answer = client.get("/secrets", query={"page_size": 100})
    assert answer.status == 400
    assert answer.body["details"] == [
        {
            "argument_name": "page_size",
            "help_message": "the page has more than 8 MiB; ask for a smaller one",
            "reason": "constraint",
        }
    ]
    answer = client.get("/secrets", query={"page_size": 20})
    assert (answer.status, len(answer.body["secrets"])) == (200, 20)


def test_bodies_that_do_not_end(service, start_daemon, tenant):
    """Those without a good key have a part of the memory, and leave the rest to others."""
    daemon = start_daemon(
        service.database, metrics_listen=f"127.0.0.1:{free_port()}", request_memory=16 * MIB
    )
    client = tenant.client(daemon)
    good = authenticated(daemon, client)
    slow, refused = [], None
    for _ in range(40):
        connection = connect(daemon)
        head = f"POST {client.path('/secrets')} HTTP/1.1\r\nHost: x\r\nX-Auth-Token: {uuid.uuid4()}\r\n"
        connection.sendall(f"{head}Content-Length: 250000\r\n\r\n".encode())
        try:
            connection.sendall(b" " * 249_000)
        except OSError:
            pass  # it is refused
        slow.append(connection)
    time.sleep(0.2)
    for connection in slow:
        connection.settimeout(0.05)
        try:
            if connection.recv(1, socket.MSG_PEEK):
                refused = connection
                break
        except OSError:
            pass
    assert refused is not None
    answer = http.client.HTTPResponse(refused)
    answer.begin()
    assert (answer.status, answer.headers["Retry-After"]) == (503, "1")
    assert metrics(daemon)["coffer_request_memory_bytes"] < 6 * MIB
    body = b'{"name":"n","description":"%s"}' % (b"x" * 60_000)
    head = f"POST {client.path('/secrets')} HTTP/1.1\r\nHost: x\r\nX-Auth-Token: {client.secret_key}\r\n"
    good.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
    answer = http.client.HTTPResponse(good)
    answer.begin()
    assert b'"name":"n"' in answer.read() and answer.status != 503
    for connection in [good, *slow]:
        connection.close()
    eventually(lambda: metrics(daemon)["coffer_request_memory_bytes"] < MIB)


def test_bodies_of_many_values(service, start_daemon, tenant):
    """No request has so many, and a parser takes hundreds of bytes for each: 60 MiB for such a body."""
    daemon = start_daemon(service.database)
    client = tenant.client(daemon)
    before = peak(daemon)
    for value in ("{}", '"a"', "0"):
        body = (
            b'{"name":"n","tags":[%s]}' % ",".join([value] * (250_000 // (len(value) + 1))).encode()
        )
        answer = client.post("/secrets", body)
        assert (answer.status, answer.body["details"][0]["argument_name"]) == (400, "body")
    assert peak(daemon) - before < 10 * MIB
    answer = client.get("/secrets", query={"tags": ["t"] * 1024})
    assert answer.status == 200 or answer.body["details"][0]["argument_name"] == "tags"
    answer = client.get("/secrets", query={"tags": ["t"] * 1025})
    assert (answer.status, answer.body["details"][0]["argument_name"]) == (400, "query")


def test_bodies_that_come_byte_by_byte(service, start_daemon, tenant):
    """What is kept of them is their bytes, not a buffer for each."""
    daemon = start_daemon(service.database)
    client = tenant.client(daemon)
    head = f"POST {client.path('/secrets')} HTTP/1.1\r\nHost: x\r\nX-Auth-Token: {uuid.uuid4()}\r\n"
    slow = [connect(daemon) for _ in range(50)]
    for connection in slow:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.sendall(f"{head}Content-Length: 250000\r\n\r\n".encode())
    before = peak(daemon)
    for _ in range(1000):
        for connection in slow:
            connection.send(b" ")
    assert client.get("/tags").status == 200
    assert peak(daemon) - before < 8 * MIB
    for connection in slow:
        connection.close()
