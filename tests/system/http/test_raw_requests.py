"""Requests that can be read in two ways: each is refused, and its connection closed."""

import http.client
import json
import socket
import uuid

import pytest

HOST = b"Host: localhost\r\n"
GET = b"GET /metadata HTTP/1.1\r\n"
POST = b"POST /metadata HTTP/1.1\r\n"
TOKEN = b"X-Auth-Token: 11111111-1111-4111-8111-111111111111"
CHUNKS = b"Transfer-Encoding: chunked"
EXPECT = b"Expect: 100-continue"
CLOSE = b"Connection: close"
# What would be answered 200 if it were taken for a request of its own.
SMUGGLED = b"GET /live HTTP/1.1\r\nHost: x\r\n\r\n"
SIZE = b"Content-Length: %d" % len(SMUGGLED)


def get(*headers, line=GET, host=HOST):
    return line + host + b"".join(header + b"\r\n" for header in headers) + b"\r\n"


def post(*headers):
    """A body needs a token; whose it is, is not looked at here."""
    return get(TOKEN, *headers, line=POST)


def chunks(*pieces):
    """A POST with a body of such pieces, and a smuggled request behind it."""
    return post(CHUNKS) + b"".join(pieces) + SMUGGLED


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
    "chunk size 0x2": (chunks(b"0x2\r\n{}\r\n0\r\n\r\n"), 400),
    "chunk size +2": (chunks(b"+2\r\n{}\r\n0\r\n\r\n"), 400),
    "chunk size -1": (chunks(b"-1\r\n{}\r\n0\r\n\r\n"), 400),
    "chunk size in other digits": (chunks(b"\xd9\xa2\r\n{}\r\n0\r\n\r\n"), 400),
    "chunk size with a blank before": (chunks(b" 2\r\n{}\r\n0\r\n\r\n"), 400),
    "chunk size with a blank behind": (chunks(b"2 \r\n{}\r\n0\r\n\r\n"), 400),
    "chunk size without digits": (chunks(b"\r\n{}\r\n0\r\n\r\n"), 400),
    "chunk size without end": (chunks(b"0" * 40 + b"2\r\n{}\r\n0\r\n\r\n"), 400),
    "chunk size that wraps around": (chunks(b"10000000000000002\r\n{}\r\n0\r\n\r\n"), 400),
    "chunk size past the limit": (chunks(b"40001\r\n"), 413),
    "chunks past the limit": (chunks(b"20000\r\n" + b"x" * 0x20000 + b"\r\n20001\r\n"), 413),
    "chunks of a byte each": (chunks(b"1\r\nx\r\n" * 60_000), 413),
    "chunk with an extension": (chunks(b"2;a=b\r\n{}\r\n0\r\n\r\n"), 400),
    "chunk with an empty extension": (chunks(b"2;\r\n{}\r\n0\r\n\r\n"), 400),
    "chunk with an extension of a line feed": (chunks(b"2;\nxx\r\n{}\r\n0\r\n\r\n"), 400),
    "last chunk with an extension": (chunks(b"2\r\n{}\r\n0;a\r\n\r\n"), 400),
    "chunk size ends with a line feed": (chunks(b"2\n{}\r\n0\r\n\r\n"), 400),
    "chunk size ends with a carriage return": (chunks(b"2\r{}\r\n0\r\n\r\n"), 400),
    "chunk without its end": (chunks(b"2\r\n{}0\r\n\r\n"), 400),
    "chunk that ends with a line feed": (chunks(b"2\r\n{}\n0\r\n\r\n"), 400),
    "chunk longer than its size": (chunks(b"2\r\n{}}\r\n0\r\n\r\n"), 400),
    "chunk shorter than its size": (chunks(b"3\r\n{}\r\n0\r\n\r\n"), 400),
    "last chunk ends with a line feed": (chunks(b"2\r\n{}\r\n0\n\n"), 400),
    "no empty line behind the last chunk": (chunks(b"2\r\n{}\r\n0\r\n"), 400),
    "trailer": (post(CHUNKS, b"Trailer: X-Auth-Token") + b"0\r\nX-Auth-Token: x\r\n\r\n", 400),
    "trailer that nobody has named": (chunks(b"0\r\nHost: elsewhere\r\n\r\n"), 400),
    "trailer over two lines": (chunks(b"0\r\n x\r\n\r\n"), 400),
    "chunks twice": (post(CHUNKS, CHUNKS) + b"0\r\n\r\n" + SMUGGLED, 400),
    "chunks, then another encoding": (post(CHUNKS, b"Transfer-encoding: cow"), 400),
    "chunks in a list": (post(b"Transfer-Encoding: chunked, chunked"), 501),
    "chunks, then identity": (post(b"Transfer-Encoding: chunked, identity"), 501),
    "gzip, then chunks": (post(b"Transfer-Encoding: gzip, chunked"), 501),
    "identity": (post(b"Transfer-Encoding: identity"), 501),
    "encoding that is none": (post(b"Transfer-Encoding: xchunked"), 501),
    "encoding without a name": (post(b"Transfer-Encoding:"), 501),
    "encoding in a string": (post(b'Transfer-Encoding: "chunked"'), 501),
    "encoding with a parameter": (post(b"Transfer-Encoding: chunked;a=b"), 501),
    "vertical tab before the encoding": (post(b"Transfer-Encoding: \x0bchunked"), 400),
    "chunks, then a length": (post(CHUNKS, b"Content-Length: 2") + b"0\r\n\r\n", 400),
    "chunks, then no length": (post(CHUNKS, b"Content-Length: 0") + b"0\r\n\r\n", 400),
    "a length, then chunks": (post(b"Content-Length: 5", CHUNKS) + b"0\r\n\r\n" + SMUGGLED, 400),
    "a length of the first chunk": (post(b"Content-Length: 4", CHUNKS) + b"5\r\n" + SMUGGLED, 400),
    "chunks of HTTP/1.0": (get(TOKEN, CHUNKS, line=b"POST /metadata HTTP/1.0\r\n") + b"0\r\n\r\n", 400),
    "chunks of a HEAD": (get(TOKEN, CHUNKS, line=b"HEAD / HTTP/1.1\r\n") + b"0\r\n\r\n", 400),
    "blank before the colon": (post(b"Transfer-Encoding : chunked") + b"0\r\n\r\n", 400),
    "tab before the colon": (post(b"Content-Length\t: 2") + b"{}", 400),
    "another expectation": (get(b"Expect: tea"), 417),
    "an expectation and another": (post(b"Expect: 100-continue, tea", b"Content-Length: 2"), 417),
    "an expectation twice": (post(EXPECT, EXPECT, b"Content-Length: 2") + b"{}", 400),
    "body without a token": (get(SIZE, line=POST) + SMUGGLED, 401),
    "chunks without a token": (get(CHUNKS, line=POST) + b"0\r\n\r\n" + SMUGGLED, 401),
    "body with a malformed token": (get(b"X-Auth-Token: x", SIZE, line=POST) + SMUGGLED, 401),
    "body with two tokens": (get(TOKEN, TOKEN, SIZE, line=POST) + SMUGGLED, 401),
    "expectation without a token": (get(EXPECT, SIZE, line=POST), 401),
    "expectation past the limit": (post(EXPECT, b"Content-Length: 262145"), 413),
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
    "length with zeros first": (get(TOKEN, b"Content-Length: 000000002", CLOSE) + b"{}", 200),
    "body of a GET": (get(TOKEN, b"Content-Length: 2", CLOSE) + b"{}", 200),
    "chunks": (post(CHUNKS, CLOSE) + b"2\r\n{}\r\n0\r\n\r\n", 405),
    "chunks in capitals": (post(b"TRANSFER-ENCODING:CHUNKED", CLOSE) + b"0\r\n\r\n", 405),
    "chunks of a GET": (get(TOKEN, CHUNKS, CLOSE) + b"2\r\n{}\r\n0\r\n\r\n", 200),
    "chunk size with zeros first": (post(CHUNKS, CLOSE) + b"00000002\r\n{}\r\n00\r\n\r\n", 405),
    "as large a chunk as may be": (post(CHUNKS, CLOSE) + b"40000\r\n" + b"x" * 0x40000 + b"\r\n0\r\n\r\n", 405),
    "framing in the data": (post(CHUNKS, CLOSE) + b"7\r\n\r\n0\r\n\r\n\r\n0\r\n\r\n", 405),
    "expectation that does not wait": (post(EXPECT, b"Content-Length: 2", CLOSE) + b"{}", 405),
    "expectation without a body": (get(EXPECT, CLOSE), 200),
    "expectation of HTTP/1.0": (get(EXPECT, line=b"GET /metadata HTTP/1.0\r\n"), 200),
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
    types = {400: "invalid_arguments", 401: "denied_authentication"}
    assert body["type"] == types.get(status, "unknown")
    if status == 400:
        (detail,) = body["details"]
        assert (detail["argument_name"], detail["reason"]) == ("request", "format")
    assert rest == b""


@pytest.mark.parametrize("sent, status", REFUSED.values(), ids=REFUSED.keys())
def test_refused(service, sent, status):
    assert_refused(exchange(service, [sent]), status)


@pytest.mark.parametrize(
    "name",
    [
        "two lengths that differ",
        "header over two lines",
        "NUL in a value",
        "body of a HEAD",
        "chunk size +2",
        "chunk without its end",
        "trailer that nobody has named",
        "identity",
    ],  # fmt: skip
)
def test_refused_byte_by_byte(service, name):
    """However the network cuts it."""
    sent, status = REFUSED[name]
    assert_refused(exchange(service, [sent[i : i + 1] for i in range(len(sent))]), status)


@pytest.mark.parametrize(
    "name",
    ["two lengths that differ", "chunk size +2", "trailer", "line feed alone", "headers too large"],
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


@pytest.mark.parametrize("piece", [1, 7, 100_000])
def test_what_follows_chunks_is_the_next_request(service, piece):
    """However the network cuts them, the body ends where its last chunk does."""
    sent = post(CHUNKS) + b"%x\r\n%b\r\n0\r\n\r\n" % (len(SMUGGLED), SMUGGLED) + get(CLOSE)
    found, _, _, rest = exchange(service, [sent[i : i + piece] for i in range(0, len(sent), piece)])
    assert found == 405
    assert rest.startswith(b"HTTP/1.1 200 ") and rest.count(b"HTTP/1.1 ") == 1


@pytest.mark.parametrize(
    "head, body",
    [
        (post(EXPECT, b"Content-Length: 2", CLOSE), b"{}"),
        (post(b"expect: 100-Continue", CHUNKS, CLOSE), b"2\r\n{}\r\n0\r\n\r\n"),
    ],
    ids=["length", "chunks"],
)
@pytest.mark.parametrize("before", [b"", get()], ids=["first request", "second request"])
def test_client_that_waits_for_100(service, head, body, before):
    with (
        socket.create_connection(("127.0.0.1", service.port), 30) as connection,
        connection.makefile("rb") as answers,
    ):
        connection.sendall(before + head)
        if before:
            size = 0
            while line := answers.readline().strip():
                if line.startswith(b"Content-Length: "):
                    size = int(line.split()[1])
            assert b"external" in answers.read(size)
        assert answers.readline() + answers.readline() == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(body)
        assert answers.read().startswith(b"HTTP/1.1 405 ")


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
