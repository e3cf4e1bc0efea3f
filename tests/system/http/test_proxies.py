"""Proxies before the daemon: how they name their clients, and how they check its health."""

import http.client
import socket
import ssl
import struct
import uuid

import pytest
from test_connections import ask, is_closed
from test_tls import authority, context_for  # noqa: F401, a fixture

from support import eventually
from support.client import Client
from support.daemon import Daemon, free_port

PROXY = "127.0.0.9"
SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
TCP4 = b"PROXY TCP4 192.0.2.7 10.0.0.1 51008 443\r\n"
TCP6 = b"PROXY TCP6 2001:db8::7 2001:db8::1 51008 443\r\n"


def binary(command, family, addresses):
    """A header of version 2."""
    return SIGNATURE + struct.pack("!BBH", command, family, len(addresses)) + addresses


IPV4 = socket.inet_aton("192.0.2.8") + socket.inet_aton("10.0.0.1") + struct.pack("!HH", 51008, 443)
IPV6 = (
    socket.inet_pton(socket.AF_INET6, "2001:db8::8")
    + socket.inet_pton(socket.AF_INET6, "2001:db8::1")
    + struct.pack("!HH", 51008, 443)
)
TLV = b"\xea\x00\x03\x01vp"

# name: (header, the address that the audit has)
HEADERS = {
    "TCP4": (TCP4, "192.0.2.7"),
    "TCP6": (TCP6, "2001:db8::7"),
    "UNKNOWN": (b"PROXY UNKNOWN\r\n", PROXY),
    "UNKNOWN with addresses": (b"PROXY UNKNOWN 192.0.2.7 10.0.0.1 1 2\r\n", PROXY),
    "IPv4": (binary(0x21, 0x11, IPV4), "192.0.2.8"),
    "IPv4 with more": (binary(0x21, 0x11, IPV4 + TLV), "192.0.2.8"),
    "IPv6": (binary(0x21, 0x21, IPV6), "2001:db8::8"),
    "LOCAL": (binary(0x20, 0x00, b""), PROXY),
    "LOCAL with addresses": (binary(0x20, 0x11, IPV4), PROXY),
    "unknown family": (binary(0x21, 0x00, TLV), PROXY),
    "UNIX": (binary(0x21, 0x31, bytes(216)), PROXY),
}

# What is no such header.
BROKEN = {
    "a request": b"GET /live HTTP/1.1\r\nHost: x\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "a line feed alone": b"PROXY TCP4 192.0.2.7 10.0.0.1 51008 443\n",
    "a wrong address": b"PROXY TCP4 192.0.2 10.0.0.1 51008 443\r\n",
    "a line without end": b"PROXY UNKNOWN " + b"x" * 200,
    "UDP": binary(0x21, 0x12, IPV4),
    "version 3": binary(0x31, 0x11, IPV4),
    "addresses cut off": binary(0x21, 0x11, IPV4[:-1]),
    "a length without bound": binary(0x21, 0x11, bytes(3000)),
}


@pytest.fixture(scope="module")
def proxied(service, numbered, root_key_file):
    """A daemon whose proxy speaks the PROXY protocol, and whose timeouts are short."""
    daemon = Daemon(
        numbered("proxied"),
        service.database,
        root_key_file,
        trusted_proxies=f"{PROXY}, 10.0.0.0/8",
        proxy_protocol=1,
        header_timeout=1,
        max_address_connections=4,
        metrics_listen=f"127.0.0.1:{free_port()}",
    )
    yield daemon
    daemon.stop()


def connect(daemon, source=PROXY):
    connection = socket.create_connection(
        ("127.0.0.1", daemon.port), 30, source_address=(source, 0)
    )
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def tags(client, *headers):
    """A request whose audit row has the client's address."""
    lines = "".join(f"{header}\r\n" for header in headers)
    return f"GET {client.path('/tags')} HTTP/1.1\r\nHost: x\r\nX-Auth-Token: {client.secret_key}\r\n{lines}\r\n".encode()


def address_of(database, connection, request=b""):
    """Send the request; return the address that its audit row has."""
    connection.sendall(request)
    response = http.client.HTTPResponse(connection)
    response.begin()
    response.read()
    assert response.status == 200
    ((ip,),) = database.query(
        "SELECT host(ip) FROM audit.event WHERE id = %s", int(response.headers["X-Audit-Id"])
    )
    return ip


@pytest.mark.parametrize("header, address", HEADERS.values(), ids=HEADERS.keys())
def test_proxy_names_its_client(proxied, tenant, header, address):
    """Once for all requests of the connection, and however the network cuts the header."""
    request = tags(tenant.client(proxied))
    with connect(proxied) as connection:
        assert address_of(proxied.database, connection, header + request) == address
        assert address_of(proxied.database, connection, request) == address
    with connect(proxied) as connection:
        for byte in header[:-1]:
            connection.sendall(bytes([byte]))
        assert address_of(proxied.database, connection, header[-1:] + request) == address


@pytest.mark.parametrize("sent", BROKEN.values(), ids=BROKEN.keys())
def test_proxy_without_its_header_is_refused(proxied, sent):
    with connect(proxied) as connection:
        connection.sendall(sent)
        eventually(lambda: is_closed(connection))


@pytest.mark.parametrize("sent", [b"", b"P", TCP4[:-1], SIGNATURE, binary(0x21, 0x11, IPV4)[:-1]])
def test_proxy_that_does_not_end_its_header(proxied, sent):
    with connect(proxied) as connection:
        connection.sendall(sent)
        eventually(lambda: is_closed(connection))


@pytest.mark.parametrize("header", [TCP4, binary(0x21, 0x11, IPV4)])
def test_client_that_is_no_proxy_does_not_choose_its_address(proxied, tenant, header):
    """Such a header of its own is no HTTP; without one it is served as itself."""
    client = tenant.client(proxied)
    with connect(proxied, "127.0.0.1") as connection:
        assert ask(connection, header + tags(client)) in (400, 405)
    headers = ("X-Forwarded-For: 192.0.2.7", "Forwarded: for=192.0.2.7")
    with connect(proxied, "127.0.0.1") as connection:
        assert address_of(proxied.database, connection, tags(client, *headers)) == "127.0.0.1"
    # Nor behind the proxy, by a header of the other kind, or a second one of the same.
    with connect(proxied) as connection:
        assert (
            address_of(proxied.database, connection, TCP4 + tags(client, *headers)) == "192.0.2.7"
        )
    with connect(proxied) as connection:
        assert ask(connection, TCP4 + TCP6 + tags(client)) in (400, 405)


def test_proxies_in_a_row(proxied, tenant):
    """The one that connects names another one, which names the client in its request."""
    client = tenant.client(proxied)
    header = b"PROXY TCP4 10.0.0.5 10.0.0.1 1 2\r\n"
    with connect(proxied) as connection:
        request = header + tags(client, "X-Forwarded-For: 192.0.2.9:51008")
        assert address_of(proxied.database, connection, request) == "192.0.2.9"


def test_clients_of_a_proxy_are_counted_each(proxied):
    """Four connections of each, and all that the proxy has for itself."""
    request = b"GET /live HTTP/1.1\r\nHost: x\r\n\r\n"
    connections = []
    for number in range(3):
        header = b"PROXY TCP4 192.0.2.%d 10.0.0.1 1 2\r\n" % (20 + number)
        for _ in range(4):
            connections.append(connect(proxied))
            assert ask(connections[-1], header + request) == 200
    with connect(proxied) as connection:
        connection.sendall(header + request)
        eventually(lambda: is_closed(connection))
    for _ in range(6):
        connections.append(connect(proxied))
        assert ask(connections[-1], HEADERS["LOCAL"][0] + request) == 200
    for connection in connections:
        connection.close()


def test_proxy_header_comes_before_tls(service, start_daemon, authority, tenant):  # noqa: F811
    certificate, key = authority.issue("behind-a-proxy")
    daemon = start_daemon(
        service.database,
        ready=False,
        trusted_proxies=PROXY,
        proxy_protocol=1,
        tls_certificate=certificate,
        tls_key=key,
    )
    eventually(daemon.listens)
    context = context_for(authority)

    def is_ready():
        with context.wrap_socket(
            connect(daemon, "127.0.0.1"), server_hostname="127.0.0.1"
        ) as connection:
            return ask(connection, b"GET /ready HTTP/1.1\r\nHost: x\r\n\r\n") == 200

    eventually(is_ready)
    request = tags(tenant.client(daemon))
    for header, address in HEADERS.values():
        plain = connect(daemon)
        plain.sendall(header)
        with context.wrap_socket(plain, server_hostname="127.0.0.1") as connection:
            assert address_of(daemon.database, connection, request) == address
    with connect(daemon) as plain, pytest.raises((ssl.SSLError, ConnectionError)):
        context.wrap_socket(plain, server_hostname="127.0.0.1")
    with context.wrap_socket(
        connect(daemon, "127.0.0.1"), server_hostname="127.0.0.1"
    ) as connection:
        assert address_of(daemon.database, connection, request) == "127.0.0.1"


def test_proxy_protocol_needs_proxies(service, start_daemon):
    daemon = start_daemon(service.database, ready=False, proxy_protocol=1)
    assert daemon.wait() == 2
    assert "it needs trusted_proxies" in daemon.log


# Headers ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name, value, address",
    [
        ("X-Forwarded-For", "203.0.113.7:51008", "203.0.113.7"),
        ("X-Forwarded-For", "[2001:db8::7]:443", "2001:db8::7"),
        ("X-Forwarded-For", "unknown", "127.0.0.1"),
        ("Forwarded", 'for=203.0.113.7;proto=https, for="10.0.0.5:80"', "203.0.113.7"),
        ("Forwarded", 'For="[2001:db8::7]:4711"', "2001:db8::7"),
        ("Forwarded", "for=unknown", "127.0.0.1"),
        ("Forwarded", "for=_hidden", "127.0.0.1"),
        ("Forwarded", 'for=", for=203.0.113.7', "203.0.113.7"),
    ],
)
def test_header_of_a_proxy(service, start_daemon, tenant, name, value, address):
    """That which the setting names, and not the other one, which the client may have sent."""
    daemon = start_daemon(
        service.database, trusted_proxies="127.0.0.1, 10.0.0.0/8", proxy_header=name
    )
    other = {
        "X-Forwarded-For": "Forwarded: for=198.51.100.1",
        "Forwarded": "X-Forwarded-For: 198.51.100.1",
    }
    with connect(daemon, "127.0.0.1") as connection:
        request = tags(tenant.client(daemon), f"{name}: {value}", other[name])
        assert address_of(daemon.database, connection, request) == address


def test_header_that_is_none(service, start_daemon):
    daemon = start_daemon(service.database, ready=False, proxy_header="X-Real-IP")
    assert daemon.wait() == 2
    assert "X-Forwarded-For or Forwarded" in daemon.log


# Health -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/live", "/ready", "/metadata"])
def test_head_of_a_health_endpoint(service, path):
    """Answered as GET is, without the body; and the connection goes on."""
    connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=30)
    connection.request("GET", path)
    got = connection.getresponse()
    got.read()
    connection.request("HEAD", path)
    answer = connection.getresponse()
    assert (answer.status, answer.read()) == (200, b"")
    assert answer.headers["Content-Type"] == got.headers["Content-Type"]
    assert int(answer.headers["Content-Length"]) == int(got.headers["Content-Length"])
    connection.request("HEAD", path)
    assert connection.getresponse().status == 200
    connection.close()


def test_head_of_a_daemon_that_is_not_ready(start_daemon, service):
    daemon = start_daemon(
        service.database, ready=False, dsn="host=127.0.0.1 port=1 user=coffer_api dbname=x"
    )
    eventually(daemon.listens)
    connection = http.client.HTTPConnection("127.0.0.1", daemon.port, timeout=30)
    connection.request("HEAD", "/ready")
    assert connection.getresponse().status == 503
    connection.close()


def test_head_of_the_api_is_no_method(api):
    answer = Client(api.port, api.secret_key).call("HEAD", "/tags")
    assert answer.status == 405
    assert answer.headers["Allow"] == "GET"
    assert uuid.UUID(answer.headers["X-Request-Id"])
