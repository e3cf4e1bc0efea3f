"""Requests that can be read in two ways: each is refused, and its connection closed."""

import http.client
import json
import socket
import uuid

import pytest

HOST = b"Host: localhost\r\n"
GET = b"GET /metadata HTTP/1.1\r\n"
POST = b"POST /metadata HTTP/1.1\r\n"
CHUNKS = b"Transfer-Encoding: chunked"
CLOSE = b"Connection: close"
# What would be answered 200 if it were taken for a request of its own.
SMUGGLED = b"GET /live HTTP/1.1\r\nHost: x\r\n\r\n"
SIZE = b"Content-Length: %d" % len(SMUGGLED)


def get(*headers, line=GET, host=HOST):
    return line + host + b"".join(header + b"\r\n" for header in headers) + b"\r\n"


def post(*headers):
    return get(*headers, line=POST)


def target(target, *headers):
    return get(*headers, line=b"GET " + target + b" HTTP/1.1\r\n")


# name: (bytes, status)
REFUSED = {
    # Lengths that differ, or are none.
    "two lengths that differ": (post(b"Content-Length: 0", b"Content-Length: 33") + SMUGGLED, 400),
    "two lengths that agree": (post(b"Content-Length: 2", b"Content-Length: 2") + b"{}", 400),
    "lengths in a list": (post(b"Content-Length: 2, 2") + b"{}", 400),
    "length with a plus": (post(b"Content-Length: +2") + b"{}", 400),
    "length with a minus": (post(b"Content-Length: -2") + b"{}", 400),
    "length in hexadecimal": (post(b"Content-Length: 0x2") + b"{}", 400),
    "length with a point": (post(b"Content-Length: 2.0") + b"{}", 400),
    "length with a blank in it": (post(b"Content-Length: 1 2") + b"{}", 400),
    "length in a string": (post(b'Content-Length: "2"') + b"{}", 400),
    "length without digits": (post(b"Content-Length:") + b"{}", 400),
    "length in other digits": (post(b"Content-Length: \xd9\xa2") + b"{}", 400),
    "length without end": (post(b"Content-Length: " + b"9" * 40), 413),
    "length that wraps around": (post(b"Content-Length: 18446744073709551618") + b"{}", 413),
    "length past the limit": (post(b"Content-Length: 262145"), 413),
    # Bodies whose length is not before them.
    "chunks": (post(CHUNKS) + b"2\r\n{}\r\n0\r\n\r\n", 411),
    "chunk size 0x2": (post(CHUNKS) + b"0x2\r\n{}\r\n0\r\n\r\n", 411),
    "chunk size +2": (post(CHUNKS) + b"+2\r\n{}\r\n0\r\n\r\n", 411),
    "chunk without its end": (post(CHUNKS) + b"2\r\n{}0\r\n\r\n", 411),
    "chunks in capitals": (post(b"TRANSFER-ENCODING: CHUNKED") + b"0\r\n\r\n", 411),
    "chunks twice": (post(CHUNKS, CHUNKS), 411),
    "identity": (post(b"Transfer-Encoding: identity"), 411),
    "encoding that is none": (post(b"Transfer-Encoding: xchunked"), 411),
    "chunks, then a length": (post(CHUNKS, b"Content-Length: 2") + b"0\r\n\r\n", 411),
    "a length, then chunks": (post(b"Content-Length: 5", CHUNKS) + b"0\r\n\r\n", 411),
    "chunks of a GET": (get(CHUNKS) + b"0\r\n\r\n" + SMUGGLED, 411),
    "trailer": (post(CHUNKS, b"Trailer: X-Auth-Token") + b"0\r\nX-Auth-Token: x\r\n\r\n", 411),
    "blank before the colon": (post(b"Transfer-Encoding : chunked") + b"0\r\n\r\n", 400),
    "tab before the colon": (post(b"Content-Length\t: 2") + b"{}", 400),
    "expectation": (post(b"Expect: 100-continue", b"Content-Length: 2") + b"{}", 417),
    "another expectation": (get(b"Expect: tea"), 417),
    "body of a HEAD": (get(SIZE, line=b"HEAD / HTTP/1.1\r\n") + SMUGGLED, 400),
    "body of a TRACE": (get(SIZE, line=b"TRACE / HTTP/1.1\r\n") + SMUGGLED, 400),
    # Headers.
    "no host": (get(host=b""), 400),
    "two hosts": (get(b"Host: elsewhere"), 400),
    "two hosts that agree": (get(b"HOST: localhost"), 400),
    "two content types": (get(b"Content-Type: application/json", b"content-type: text/plain"), 400),
    "two authorizations": (get(b"Authorization: a", b"Authorization: b"), 400),
    "header without a name": (get(b": x"), 400),
    "header without a colon": (get(b"X-Auth-Token"), 400),
    "blank in a name": (get(b"X Auth: x"), 400),
    "control in a name": (get(b"X\x01: x"), 400),
    "no ASCII in a name": (get(b"X\xe9: x"), 400),
    "brackets in a name": (get(b"X[0]: x"), 400),
    "header over two lines": (get(b"X-One: a", b" b"), 400),
    "header over two lines, with a tab": (get(b"X-One: a", b"\tTransfer-Encoding: chunked"), 400),
    "blank line that is none": (get(b"X-One: a", b" "), 400),
    "first header begins with a blank": (GET + b" " + HOST + b"\r\n", 400),
    "NUL in a value": (get(b"X-One: a\x00b"), 400),
    "control in a value": (get(b"X-One: a\x0bb"), 400),
    "escape in a value": (get(b"X-One: \x1b[2J"), 400),
    "delete in a value": (get(b"X-One: a\x7f"), 400),
    "carriage return in a value": (get(b"X-One: a\rX-Two: b"), 400),
    "two carriage returns": (get(b"X-One: a\r"), 400),
    "line feed alone": (b"GET /metadata HTTP/1.1\nHost: localhost\n\n", 400),
    "line feed alone, once": (get(b"X-One: a\nX-Two: b"), 400),
    "line feed alone before the body": (POST + HOST + b"Content-Length: 2\r\n\n{}", 400),
    "headers of one line too many": (get(*[b"X-%d: x" % n for n in range(64)]), 431),
    "headers too large": (get(b"X-One: " + b"x" * 16384), 431),
    "headers too large, not ended": (GET + b"X-One: " + b"x" * 20000, 431),
    "path and query too large": (target(b"/metadata?" + b"x" * 16384), 431),
    # The first line.
    "no method": (get(line=b" /metadata HTTP/1.1\r\n"), 400),
    "empty line first": (b"\r\n" + get(), 400),
    "two blanks": (get(line=b"GET  /metadata HTTP/1.1\r\n"), 400),
    "blank after the version": (get(line=b"GET /metadata HTTP/1.1 \r\n"), 505),
    "tabs": (get(line=b"GET\t/metadata\tHTTP/1.1\r\n"), 400),
    "blank in the target": (target(b"/meta data"), 400),
    "no version": (b"GET /metadata\r\n\r\n", 400),
    "version 0.9": (get(line=b"GET /metadata HTTP/0.9\r\n"), 505),
    "version 1.2": (get(line=b"GET /metadata HTTP/1.2\r\n"), 505),
    "version 1.10": (get(line=b"GET /metadata HTTP/1.10\r\n"), 505),
    "version 01.1": (get(line=b"GET /metadata HTTP/01.1\r\n"), 505),
    "version 2.0": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
    "version in small letters": (get(line=b"GET /metadata http/1.1\r\n"), 400),
    "another protocol": (get(line=b"GET /metadata SIP/2.0\r\n"), 400),
    "TLS": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(64)), 400),
    "method that is none": (get(line=b"FETCH /metadata HTTP/1.1\r\n"), 405),
    "method in small letters": (get(line=b"get /metadata HTTP/1.1\r\n"), 405),
    "method that begins like one": (get(line=b"GETS /metadata HTTP/1.1\r\n"), 405),
    "tunnel": (get(line=b"CONNECT localhost:443 HTTP/1.1\r\n"), 405),
    "brackets in the method": (get(line=b"G(T /metadata HTTP/1.1\r\n"), 400),
    # Targets.
    "address in absolute form": (target(b"http://localhost/metadata"), 400),
    "address of a scheme that runs": (target(b"javascript:alert(1)"), 400),
    "authority": (target(b"localhost:80"), 400),
    "star": (get(line=b"OPTIONS * HTTP/1.1\r\n"), 400),
    "no slash": (target(b"metadata"), 400),
    "two slashes first": (target(b"//localhost/metadata"), 400),
    "dot": (target(b"/./metadata"), 400),
    "dot at the end": (target(b"/metadata/."), 400),
    "two dots": (target(b"/live/../metadata"), 400),
    "two dots at the end": (target(b"/metadata/.."), 400),
    "fragment": (target(b"/metadata#top"), 400),
    "fragment in the query": (target(b"/metadata?a#top"), 400),
    "NUL in the target": (target(b"/metadata\x00"), 400),
    "escaped NUL in the path": (target(b"/metadata%00"), 400),
    "control in the target": (target(b"/meta\x08data"), 400),
    "delete in the target": (target(b"/metadata\x7f"), 400),
    "UTF-8 in the target": (target("/métadata".encode()), 400),
    "path that is too long": (target(b"/" + b"x" * 2048), 400),
}  # fmt: skip

# What looks odd and can be read in one way only.
ACCEPTED = {
    "HTTP/1.0 without a host": (b"GET /metadata HTTP/1.0\r\n\r\n", 200),
    "no host's name": (get(CLOSE, host=b"Host:\r\n"), 200),
    "no blank after a colon": (get(b"Connection:close"), 200),
    "tabs around a value": (get(b"X-One:\t a \t", CLOSE), 200),
    "empty value": (get(b"X-One:", CLOSE), 200),
    "latin letters in a value": (get(b"X-One: caf\xe9", CLOSE), 200),
    "every letter of a name": (get(b"!#$%&'*+-.^_`|~09azAZ: x", CLOSE), 200),
    "as many headers as may be": (get(CLOSE, *[b"X-%d: x" % n for n in range(62)]), 200),
    "as long a path as may be": (target(b"/" + b"x" * 2047 + b"", CLOSE), 404),
    "two slashes": (target(b"/live//metadata", CLOSE), 404),
    "dots that are a name": (target(b"/.../..x/.y", CLOSE), 404),
    "odd letters in a path": (target(b"/{}|\\^`<>\"[];:@!$&'()*+,=", CLOSE), 404),
    "slashes and dots in a query": (target(b"/metadata?a=//b/../c%00", CLOSE), 200),
    "length with zeros first": (get(b"Content-Length: 000000002", CLOSE) + b"{}", 200),
    "body of a GET": (get(b"Content-Length: 2", CLOSE) + b"{}", 200),
    "POST without a length": (post(CLOSE), 405),
}  # fmt: skip


@pytest.fixture(autouse=True)
def lives_on(service):
    """After each of them the same process answers."""
    yield
    assert service.process.poll() is None, service.log
    connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=30)
    connection.request("GET", "/live")
    assert connection.getresponse().status == 200
    connection.close()


def exchange(service, pieces):
    """Send the pieces; return status, headers, body, and what followed until the end."""
    with socket.create_connection(("127.0.0.1", service.port), 30) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for piece in pieces:
            try:
                connection.sendall(piece)
            except OSError:
                break  # it has answered, and waits no longer
        received = b""
        while chunk := connection.recv(65536):
            received += chunk
    head, _, rest = received.partition(b"\r\n\r\n")
    line, *lines = head.decode().split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines)
    size = int(headers["Content-Length"])
    return int(line.split()[1]), headers, rest[:size], rest[size:]


def assert_refused(exchanged, status):
    found, headers, body, rest = exchanged
    assert (found, headers["Connection"], headers["Content-Type"]) == (
        status,
        "close",
        "application/json",
    )
    assert uuid.UUID(headers["X-Request-Id"])
    assert ("Allow" in headers) == (status == 405)
    body = json.loads(body)
    assert body["type"] == ("invalid_arguments" if status == 400 else "unknown")
    if status == 400:
        (detail,) = body["details"]
        assert (detail["argument_name"], detail["reason"]) == ("request", "format")
    assert rest == b""


@pytest.mark.parametrize("sent, status", REFUSED.values(), ids=REFUSED.keys())
def test_refused(service, sent, status):
    assert_refused(exchange(service, [sent]), status)


@pytest.mark.parametrize(
    "name", ["two lengths that differ", "header over two lines", "NUL in a value", "body of a HEAD"]
)
def test_refused_byte_by_byte(service, name):
    """However the network cuts it."""
    sent, status = REFUSED[name]
    assert_refused(exchange(service, [sent[i : i + 1] for i in range(len(sent))]), status)


@pytest.mark.parametrize(
    "name", ["two lengths that differ", "chunks", "line feed alone", "headers too large"]
)
def test_refused_behind_a_sound_one(service, name):
    """The sound one is answered, the other one refused, and what follows is nothing."""
    sent, status = REFUSED[name]
    found, _, body, rest = exchange(service, [get() + sent + SMUGGLED])
    assert (found, json.loads(body)["platform"]) == (200, "external")
    assert rest.startswith(f"HTTP/1.1 {status} ".encode()) and rest.count(b"HTTP/1.1 ") == 1


@pytest.mark.parametrize("sent, status", ACCEPTED.values(), ids=ACCEPTED.keys())
def test_accepted(service, sent, status):
    found, _, _, rest = exchange(service, [sent])
    assert (found, rest) == (status, b"")


def test_what_a_refusal_says(service):
    """Why, for who writes a client; nothing of what was sent."""
    _, _, body, _ = exchange(service, [get(b"X-Secret canary")])
    assert json.loads(body) == {
        "details": [
            {
                "argument_name": "request",
                "help_message": "a header has no name, or no colon",
                "reason": "format",
            }
        ],
        "message": "invalid argument(s)",
        "type": "invalid_arguments",
    }
    assert "canary" not in service.log
