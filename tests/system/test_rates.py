"""How often a key may call, and an address may fail; and whose address that is."""

import uuid

import pytest

from support import eventually
from support.daemon import Daemon


@pytest.fixture(scope="module")
def limited(service, numbered, root_key_file):
    """One request a second, ten at first; of failures five at first; and some proxies."""
    daemon = Daemon(
        numbered("limited"),
        service.database,
        root_key_file,
        key_rate=1,
        key_burst=10,
        denied_rate=1,
        denied_burst=5,
        trusted_proxies="127.0.0.1, 10.0.0.0/8,2001:db8:1::/48",
    )
    yield daemon
    daemon.stop()


@pytest.fixture
def client(tenant, limited):
    return tenant.client(limited)


def forwarded(address):
    return {"X-Forwarded-For": address}


def assert_too_many(answer, quota):
    assert answer.status == 429
    assert answer.headers["Retry-After"] == "1"
    assert answer.headers["Content-Type"] == "application/json"
    assert uuid.UUID(answer.headers["X-Request-Id"])
    assert "X-Audit-Id" not in answer.headers
    assert answer.body == {
        "help_message": "send fewer, or ask for a higher limit",
        "limit": {"quota": quota, "window_seconds": 1},
        "message": "too many requests",
        "reset_seconds": 1,
        "type": "too_many_requests",
    }
    assert list(answer.body) == sorted(answer.body)


def test_key_with_too_many_requests(client, limited, tenant):
    """What is too much is not asked of the database; other keys do not notice."""
    answers = [client.get("/tags") for _ in range(40)]
    passed = [answer for answer in answers if answer.status == 200]
    assert 10 <= len(passed) < 40 and all(answer.status == 200 for answer in answers[:10])
    for answer in answers:
        if answer.status != 200:
            assert_too_many(answer, 1)
    assert tenant.client(limited, tenant.key("SecretManagerFullAccess")).get("/tags").status == 200
    ((events,),) = limited.database.query(
        "SELECT count(*) FROM audit.event WHERE organization_id = %s AND method = 'tag_list'",
        tenant.organization_id,
    )
    assert events == len(passed) + 1


def test_address_with_too_many_failures(client, limited):
    """Guesses are refused before the database is asked; a good key is let through."""
    assert client.get("/tags", headers=forwarded("192.0.2.1")).status == 200
    answers = [
        client.as_key(str(uuid.uuid4())).get("/tags", headers=forwarded("192.0.2.1"))
        for _ in range(20)
    ]
    statuses = [answer.status for answer in answers]
    assert statuses[:5] == [401] * 5 and set(statuses) == {401, 429}
    assert_too_many(answers[statuses.index(429)], 1)
    assert client.get("/tags", headers=forwarded("192.0.2.1")).status == 200


def test_tokens_that_are_none_are_failures(client):
    """They empty the bucket, which then fills as any other: nobody is locked out for long."""
    guess = client.as_key(str(uuid.uuid4()))

    def refused():
        for _ in range(6):
            assert client.as_key("x").get("/tags", headers=forwarded("192.0.2.2")).status == 401
        return guess.get("/tags", headers=forwarded("192.0.2.2")).status == 429

    eventually(refused)
    for _ in range(100):
        assert client.as_key("x").get("/tags", headers=forwarded("192.0.2.2")).status == 401
    eventually(lambda: guess.get("/tags", headers=forwarded("192.0.2.2")).status == 401, seconds=10)


def test_addresses_are_told_apart(client):
    """An IPv6 client has a network of 64 bits to itself, and counts as one."""

    def guess(address):
        return client.as_key(str(uuid.uuid4())).get("/tags", headers=forwarded(address)).status

    assert {guess(f"192.0.2.{number}") for number in range(10, 30)} == {401}
    assert {guess(f"2001:db8::{number}") for number in range(1, 20)} == {401, 429}
    assert guess("2001:db8:0:1::1") == 401


@pytest.mark.parametrize(
    "sent, address",
    [
        (None, "127.0.0.1"),
        ("192.0.2.7", "192.0.2.7"),
        ("2001:DB8:7::7", "2001:db8:7::7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        # Only what a trusted proxy has added counts, and that stands last.
        ("203.0.113.1, 192.0.2.7", "192.0.2.7"),
        ("203.0.113.1, 192.0.2.7, 10.1.2.3", "192.0.2.7"),
        ("203.0.113.1,192.0.2.7,2001:db8:1:2::3 , 10.1.2.3", "192.0.2.7"),
        ("10.1.2.4, 10.1.2.3", "10.1.2.4"),
        ("unknown, 10.1.2.3", "10.1.2.3"),
        ("192.0.2.7, unknown", "127.0.0.1"),
        ("192.0.2.7:8080", "127.0.0.1"),
        ("192.0.2.7,", "192.0.2.7"),
        ("", "127.0.0.1"),
        ("192.0.2.256", "127.0.0.1"),
        ("'; DROP TABLE x; --", "127.0.0.1"),
        (", ".join(["192.0.2.7"] + ["10.0.0.1"] * 15), "192.0.2.7"),
        (", ".join(["192.0.2.7"] + ["10.0.0.1"] * 16), "10.0.0.1"),
    ],
)
def test_address_behind_proxies(client, limited, sent, address):
    answer = client.get("/tags", headers=forwarded(sent) if sent is not None else {})
    ((kept,),) = limited.database.query(
        "SELECT host(ip) FROM audit.event WHERE id = %s", int(answer.headers["X-Audit-Id"])
    )
    assert kept == address


def test_several_headers_are_one_list(limited, client):
    head = (
        f"GET {client.path('/tags')} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
        f"X-Auth-Token: {client.secret_key}\r\nX-Forwarded-For: 203.0.113.1\r\n"
        "x-forwarded-for: 192.0.2.8, 10.0.0.9\r\nX-Forwarded-For: 10.0.0.8\r\n\r\n"
    )
    assert b"HTTP/1.1 200 " in client.raw(head.encode())
    assert any(line.get("ip") == "192.0.2.8" for line in limited.log_lines())


def test_nobody_else_is_believed(service, tenant):
    """Without trusted proxies the header is a header."""
    answer = tenant.client(service).get("/tags", headers=forwarded("192.0.2.9"))
    ((kept,),) = service.database.query(
        "SELECT host(ip) FROM audit.event WHERE id = %s", int(answer.headers["X-Audit-Id"])
    )
    assert kept == "127.0.0.1"


def test_zero_is_no_limit(start_daemon, service, tenant):
    daemon = start_daemon(service.database, denied_burst=1, key_burst=1)
    client = tenant.client(daemon)
    assert {client.get("/tags").status for _ in range(20)} == {200}
    assert {client.as_key(str(uuid.uuid4())).get("/tags").status for _ in range(20)} == {401}


def test_key_that_is_revoked_is_a_guess(limited, tenant):
    key = tenant.key("SecretManagerFullAccess")
    client = tenant.client(limited, key)
    assert client.get("/tags", headers=forwarded("192.0.2.30")).status == 200
    limited.database.query(
        "SELECT operator.api_key_revoke(%s)", key.access_key, role="coffer_operator"
    )
    statuses = [client.get("/tags", headers=forwarded("192.0.2.30")).status for _ in range(12)]
    assert statuses[:5] == [401] * 5 and 429 in statuses
