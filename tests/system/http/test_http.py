"""What arrives at the socket: requests cut short, glued together, too large, or no HTTP at all."""

import base64
import http.client
import json
import socket
import subprocess
import uuid

import pytest
from expected import NO_ROUTE, assert_answer, assert_headers

from support.client import Answer

BASE = "/secret-manager/v1beta1/regions/fr-par"


@pytest.fixture(autouse=True)
def lives_on(service, api):
    """After each test the same process answers."""
    yield
    assert service.process.poll() is None, service.log
    assert api.get("/secrets", query={"page_size": 1}).status == 200


def request(client, method, path, headers=(), body=b"", version="1.1"):
    """The bytes of a request; further headers are lines."""
    lines = [
        f"{method} {path} HTTP/{version}",
        "Host: localhost",
        f"X-Auth-Token: {client.secret_key}",
        *headers,
    ]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + body


def answers(received):
    """Take the bytes of several answers apart: a list of (status, headers, body)."""
    found = []
    while received:
        head, _, received = received.partition(b"\r\n\r\n")
        status, *lines = head.decode().split("\r\n")
        headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
        length = int(headers.get("content-length", len(received)))
        found.append((int(status.split()[1]), headers, received[:length]))
        received = received[length:]
    return found


CLOSE = "Connection: close"


# Paths --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        f"{BASE}/secrets/",
        f"{BASE}//secrets",
        f"{BASE}/secrets/{uuid.UUID(int=0)}/",
        f"{BASE}/secrets/browse/",
        f"{BASE}%2Fsecrets",
        f"{BASE}/SECRETS",
        "/secret-manager/v1beta1/regions/fr-pa/secrets",
        "/secret-manager/v1beta1/regions/fr-parr/secrets",
        "/secret-manager/v1beta1/regions/fr-par,/secrets",
        "/secret-manager/v1beta1/regions/{region}/secrets",
        "/metadata/",
        "/readyz",
    ],
)
def test_what_looks_like_a_route_is_none(api, path):
    assert_answer(api.get(path, absolute=True), *NO_ROUTE)


def test_escapes_in_a_path_are_undone(api, new_secret):
    secret_id = new_secret()["id"]
    api.create_version(secret_id, b"data")
    escaped = "".join(f"%{ord(character):02x}" for character in secret_id)
    answer = api.get(f"/secrets/{escaped}/versions/%31")
    assert (answer.status, answer.body["revision"]) == (200, 1)


@pytest.mark.parametrize(
    "escape", ["%2F", "%0A", "%FF", "%C0%80", "%ED%A0%80", "%", "%G0", "%2", "+", "%20"]
)
def test_escapes_do_not_become_part_of_a_route_or_an_id(api, new_secret, escape):
    secret_id = new_secret()["id"]
    answer = api.get(f"/secrets/{secret_id}{escape}")
    assert answer.status == 400, answer
    (detail,) = answer.body["details"]
    assert (detail["argument_name"], detail["reason"]) == ("secret_id", "format")


# Methods ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["PUT", "HEAD", "OPTIONS", "TRACE"])
def test_method_that_no_endpoint_has(api, method):
    answer = api.call(method, "/secrets")
    assert answer.status == 405
    assert {name.strip() for name in answer.headers["Allow"].split(",")} == {"GET", "POST"}
    assert_headers(answer)


@pytest.mark.parametrize("method", ["PUT", "HEAD", "OPTIONS"])
def test_method_on_a_path_that_is_none(api, method):
    answer = api.call(method, "/nowhere")
    assert (answer.status, answer.headers["Allow"]) == (404, None)


@pytest.mark.parametrize("method", ["FOO", "get", "CONNECT", "G\x00T", "PROPFIND"])
def test_method_that_is_none(api, method):
    with socket.create_connection(("127.0.0.1", api.port), 30) as connection:
        connection.sendall(request(api, method, f"{BASE}/secrets", [CLOSE]))
        response = http.client.HTTPResponse(connection)
        try:
            response.begin()
            assert 400 <= response.status < 600
        except http.client.RemoteDisconnected:
            pass  # what is no HTTP may be left without an answer


# Bytes --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"\r\n",
        b"\x00",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200),
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET /\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET / HTTP/1.1\r\n: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n{",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n{}",
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n{}",
        bytes(range(256)) * 16,
    ],
    ids=lambda sent: repr(sent)[:50],
)
def test_no_request(service, sent):
    """A client that has sent it and leaves harms nobody, with an answer or without one."""
    with socket.create_connection(("127.0.0.1", service.port), 30) as connection:
        connection.sendall(sent)
        connection.shutdown(socket.SHUT_WR)
        received = b""
        try:
            while chunk := connection.recv(65536):
                received += chunk
        except ConnectionResetError:
            pass
    assert received == b"" or received.startswith(b"HTTP/1.")


def test_requests_glued_together_are_answered_in_order(api, new_secret):
    secrets = [new_secret() for _ in range(5)]
    sent = b"".join(request(api, "GET", f"{BASE}/secrets/{secret['id']}") for secret in secrets)
    received = answers(api.raw(sent + request(api, "GET", "/metadata", [CLOSE])))
    assert [status for status, _, _ in received] == [200] * 6
    assert [json.loads(body)["id"] for _, _, body in received[:5]] == [
        secret["id"] for secret in secrets
    ]


def test_next_request_arrives_while_the_first_is_with_the_database(api, service, new_secret):
    """Bytes on a connection whose request is pending must wait, not upset the server."""
    secret_id = new_secret()["id"]
    with service.database.connect() as blocker:
        blocker.execute("BEGIN")
        blocker.execute("SELECT FROM store.secret WHERE id = %s FOR UPDATE", [secret_id])
        with socket.create_connection(("127.0.0.1", service.port), 30) as connection:
            connection.sendall(request(api, "POST", f"{BASE}/secrets/{secret_id}/protect"))
            assert api.get("/tags").status == 200  # the loop has come round since
            connection.sendall(request(api, "GET", f"{BASE}/secrets/{secret_id}", [CLOSE]))
            assert api.get("/tags").status == 200
            blocker.execute("ROLLBACK")
            received = b""
            while chunk := connection.recv(65536):
                received += chunk
    assert [status for status, _, _ in answers(received)] == [200, 200]


@pytest.mark.parametrize("half", [10, 100, -1])
def test_client_leaves_in_the_middle_of_its_request(api, service, half):
    sent = request(api, "POST", f"{BASE}/secrets", body=b'{"name": "left"}')
    with socket.create_connection(("127.0.0.1", service.port), 30) as connection:
        connection.sendall(sent[:half])


def test_client_leaves_before_its_answer(api, service, new_secret):
    """What it asked for is done all the same, and the connection to the database serves others."""
    secret_id = new_secret()["id"]
    with service.database.connect() as blocker:
        blocker.execute("BEGIN")
        blocker.execute("SELECT FROM store.secret WHERE id = %s FOR UPDATE", [secret_id])
        for _ in range(20):  # more than there are connections to the database
            with socket.create_connection(("127.0.0.1", service.port), 30) as connection:
                connection.sendall(request(api, "POST", f"{BASE}/secrets/{secret_id}/protect"))
        blocker.execute("ROLLBACK")
    assert api.get(f"/secrets/{secret_id}").status == 200


def test_http_1_0(api):
    received = answers(api.raw(request(api, "GET", f"{BASE}/tags", version="1.0")))
    assert [status for status, _, _ in received] == [200]


def test_connection_is_kept_whatever_the_answer(api, new_secret):
    """Refusals, too, leave the connection to the next request."""
    secret_id = new_secret()["id"]
    connection = http.client.HTTPConnection("127.0.0.1", api.port, timeout=30)
    token = {"X-Auth-Token": api.secret_key}
    connection.connect()
    port = connection.sock.getsockname()[1]
    for method, path, body, headers, status in [
        ("GET", f"{BASE}/secrets/{secret_id}", None, token, 200),
        ("GET", "/nowhere", None, token, 404),
        ("PUT", f"{BASE}/secrets", b"{}", token, 405),
        ("GET", f"{BASE}/secrets", None, {}, 401),
        ("POST", f"{BASE}/secrets", b"{", token, 400),
        ("GET", f"{BASE}/secrets/{secret_id}", b"{}", token, 200),
        ("DELETE", f"{BASE}/secrets/{secret_id}", b"{}", token, 204),
        ("DELETE", f"{BASE}/secrets/{secret_id}", b"{}", token, 412),
        ("GET", "/metadata", None, {}, 200),
    ]:
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        response.read()
        assert (method, path, response.status) == (method, path, status)
        assert connection.sock is not None and connection.sock.getsockname()[1] == port
    connection.close()


# Sizes --------------------------------------------------------------------------------------------


def test_headers_up_to_the_limit(api):
    assert api.get("/tags", headers={"X-Filler": "x" * (15 * 1024)}).status == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Filler": "x" * 16384},
        {"X-Filler": "x" * 60000},
        {f"X-Filler-{number}": "x" * 100 for number in range(160)},
    ],
    ids=["one", "one much too large", "many"],
)
def test_headers_past_the_limit(api, headers):
    answer = api.get("/tags", headers=headers)
    body = {"message": "request headers are too large", "type": "unknown"}
    assert (answer.status, answer.body) == (431, body)
    assert_headers(answer)


def test_query_past_the_limit(api):
    answer = api.get("/tags", query={"unknown": "x" * 16384})
    assert answer.status == 431


def test_headers_without_end(service):
    with socket.create_connection(("127.0.0.1", service.port), 30) as connection:
        with pytest.raises(OSError):
            connection.sendall(b"GET / HTTP/1.1\r\n")
            while True:
                connection.sendall(b"X-Filler: " + b"x" * 10000 + b"\r\n")


def padded(name, size):
    body = json.dumps({"name": name}).encode()
    return body + b" " * (size - len(body))


def test_body_up_to_the_limit(api, new_name):
    assert api.post("/secrets", padded(new_name(), 262144)).status == 200


@pytest.mark.parametrize("size", [262145, 400_000, 5_000_000])
def test_body_past_the_limit(api, new_name, size):
    """Told so, also when the body is so large that it is not read to its end."""
    name = new_name()
    with socket.create_connection(("127.0.0.1", api.port), 30) as connection:
        try:
            connection.sendall(request(api, "POST", f"{BASE}/secrets", body=padded(name, size)))
        except OSError:
            pass  # it is not taken; the answer is there
        response = http.client.HTTPResponse(connection)
        response.begin()
        answer = Answer(response.status, response.headers, response.read())
    assert_answer(answer, 413, {"message": "request body is too large", "type": "unknown"})
    assert api.get("/secrets", query={"name": name}).body["total_count"] == 0


def test_body_that_is_only_announced_past_the_limit(api):
    head = request(api, "POST", f"{BASE}/secrets", ["Content-Length: 100000000000"])
    with socket.create_connection(("127.0.0.1", api.port), 30) as connection:
        connection.sendall(head)
        response = http.client.HTTPResponse(connection)
        response.begin()
        assert response.status == 413


def test_body_in_chunks_past_the_limit(api):
    head = request(api, "POST", f"{BASE}/secrets", ["Transfer-Encoding: chunked"])
    chunk = b"8000\r\n" + b" " * 0x8000 + b"\r\n"
    with socket.create_connection(("127.0.0.1", api.port), 30) as connection:
        try:
            connection.sendall(head + chunk * 20 + b"0\r\n\r\n")
        except OSError:
            pass
        response = http.client.HTTPResponse(connection)
        response.begin()
        assert response.status == 413


def curl(api, tmp_path, path, *arguments, body=None):
    """The status and body of a call by curl, whose token is in a file."""
    header = tmp_path / "header"
    header.write_text(f"X-Auth-Token: {api.secret_key}\n")
    done = subprocess.run(
        [
            *("curl", "--silent", "--show-error", "--max-time", "30", "--expect100-timeout", "20"),
            *("--header", f"@{header}", "--write-out", "\n%{http_code}", *arguments),
            f"http://127.0.0.1:{api.port}{api.path(path)}",
        ],
        input=body,
        capture_output=True,
        check=True,
    )
    answer, _, status = done.stdout.rpartition(b"\n")
    return int(status), json.loads(answer)


@pytest.mark.parametrize(
    "arguments",
    [
        ("--upload-file", "-"),
        ("--upload-file", "-", "--header", "Expect:"),
        ("--data-binary", "@-", "--header", "Expect: 100-continue"),
    ],
    ids=["chunks and 100", "chunks", "100"],
)
def test_curl_sends_a_body(api, tmp_path, new_name, arguments):
    """curl -T - sends chunks, whose number says nothing, and waits for 100 before it does."""
    name = new_name()
    body = json.dumps({"name": name, "description": "x" * 60_000}).encode()
    status, secret = curl(api, tmp_path, "/secrets", "--request", "POST", *arguments, body=body)
    assert (status, secret["name"], len(secret["description"])) == (200, name, 60_000)
    path = f"/secrets/{secret['id']}/versions"
    payload = bytes(range(256)) * 256
    body = json.dumps({"data": base64.b64encode(payload).decode()}).encode()
    status, version = curl(api, tmp_path, path, "--request", "POST", *arguments, body=body)
    assert (status, version["revision"]) == (200, 1)
    assert api.access(secret["id"]) == payload


def test_curl_is_refused_before_it_sends(api, tmp_path):
    """A client that waits for 100 is told of an unfit token without its body."""
    status, answer = curl(
        api.as_key("x"),
        tmp_path,
        "/secrets",
        "--data-binary",
        "@-",
        "--header",
        "Expect: 100-continue",
        body=b"x" * 100_000,
    )
    assert (status, answer["type"]) == (401, "denied_authentication")


def test_largest_payload(api, new_secret):
    """65,536 bytes in base64, with the JSON around them, are within the limit of a body."""
    secret_id = new_secret()["id"]
    payload = bytes(range(256)) * 256
    api.create_version(secret_id, payload)
    assert api.access(secret_id) == payload
