"""How often a key may call, and an address may fail; and whose address that is."""

import socket
import time
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
from test_changes import is_waiting

from support import eventually
from support.daemon import Daemon, free_port
from support.load import together
from support.metrics import values


@pytest.fixture(scope="module")
def limited(service, numbered, root_key_file):
    """One request a second, ten at first; of failures five at first; and some proxies."""
    daemon = Daemon(
        numbered("limited"),
        service.database,
        root_key_file,
        metrics_listen=f"127.0.0.1:{free_port()}",
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


def test_new_key_beside_guesses(client, tenant):
    """Nothing tells it from a guess, until the guesses end."""
    new = client.as_key(tenant.key("SecretManagerFullAccess").secret_key)

    def refused():
        for _ in range(6):
            client.as_key(str(uuid.uuid4())).get("/tags", headers=forwarded("192.0.2.3"))
        return new.get("/tags", headers=forwarded("192.0.2.3")).status == 429

    eventually(refused)
    eventually(lambda: new.get("/tags", headers=forwarded("192.0.2.3")).status == 200)


def test_key_with_too_many_refusals(service, start_daemon, tenant):
    """A refusal counts as several calls, so that a key without rights does not fill the audit."""
    daemon = start_daemon(
        service.database, key_rate=1, key_burst=1000, denied_rate=1, denied_burst=10
    )
    client = tenant.client(daemon, tenant.key("SecretManagerReadOnly"))
    answers = [
        client.post("/secrets", {"name": "x", "description": "d" * 60000}) for _ in range(20)
    ]
    statuses = [answer.status for answer in answers]
    assert statuses[:9] == [403] * 9 and set(statuses) == {403, 429}
    assert_too_many(answers[-1], 1)
    ((rows, largest),) = daemon.database.query(
        "SELECT count(*), max(pg_column_size(request)) FROM audit.event WHERE api_key_id ="
        " (SELECT k.id FROM store.api_key k WHERE k.principal_id = (SELECT e.principal_id FROM audit.event e WHERE e.id = %s))",
        int(answers[0].headers["X-Audit-Id"]),
    )
    assert rows == statuses.count(403) and largest < 2048
    granted = tenant.client(daemon, tenant.key("SecretManagerReadOnly"))
    assert [granted.get("/tags").status for _ in range(50)] == [200] * 50


def metrics_of(daemon):
    return values(daemon.settings["metrics_listen"].rpartition(":")[2])


def in_parallel(client, daemon, address, keys):
    """
    The statuses of a call with each of these keys, of which the database decides none before all have come; and how many
    tokens an address, or a key, may have got meanwhile at one a second.
    """
    callers = [client.as_key(key) for key in keys]
    began = time.monotonic()
    with daemon.database.connect() as blocker, ThreadPoolExecutor(1) as threads:
        blocker.execute("BEGIN")
        blocker.execute("LOCK store.api_key IN ACCESS EXCLUSIVE MODE")
        answers = threads.submit(
            together,
            [
                lambda caller=caller: caller.get("/tags", headers=forwarded(address))
                for caller in callers
            ],
        )
        eventually(
            lambda: metrics_of(daemon)["coffer_connections_busy"] >= len(keys) or answers.done()
        )
        blocker.execute("ROLLBACK")
        statuses = [answer.status for answer in answers.result()]
    return statuses, time.monotonic() - began + 1


def test_guesses_in_parallel(client, limited):
    """No more of them come to the database than may fail, however many come at once."""
    address = "192.0.2.40"
    statuses, refilled = in_parallel(
        client, limited, address, [str(uuid.uuid4()) for _ in range(60)]
    )
    assert set(statuses) == {401, 429}
    assert 5 <= statuses.count(401) <= 5 + refilled
    ((events,),) = limited.database.query(
        "SELECT count(*) FROM audit.event WHERE ip = %s AND status = 401", address
    )
    assert events == statuses.count(401)


def test_one_guess_in_parallel(client, limited):
    """It is a guess until it is refused, and repeats of it have as many calls again."""
    statuses, refilled = in_parallel(client, limited, "192.0.2.41", [str(uuid.uuid4())] * 60)
    assert set(statuses) == {401, 429}
    assert 10 <= statuses.count(401) <= 10 + 2 * refilled


def test_new_key_in_parallel(client, limited, tenant):
    """Of its first calls no more pass than of a key that is known, but for those that are the first."""
    key = tenant.key("SecretManagerFullAccess").secret_key
    statuses, refilled = in_parallel(client, limited, "192.0.2.42", [key] * 60)
    assert set(statuses) == {200, 429}
    assert 10 <= statuses.count(200) <= 10 + 5 + refilled


@pytest.fixture
def wary(service, start_daemon):
    """One failure a second, and no more at once; a key may call as often as it likes."""
    return start_daemon(
        service.database,
        metrics_listen=f"127.0.0.1:{free_port()}",
        denied_rate=1,
        denied_burst=1,
        request_deadline=2000,
        trusted_proxies="127.0.0.1",
    )


def test_good_keys_are_not_held_up_by_each_other(wary, tenant):
    """First calls from one address wait for each other rather than being refused: each takes what a failure would."""
    client = tenant.client(wary)
    keys = [tenant.key("SecretManagerFullAccess").secret_key for _ in range(8)]
    statuses, _ = in_parallel(client, wary, "192.0.2.50", [client.secret_key] * 200 + keys)
    assert set(statuses) == {200}


def test_call_that_waits_for_changes_holds_nobody_up(wary, tenant):
    """Its key is known to be good when it begins to wait."""
    watcher = tenant.client(wary, tenant.key("AuditTrailReadOnly"))
    cursor = tenant.client().changes(after="latest")["cursor"]
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(lambda: watcher.changes(after=cursor, wait=60))
        eventually(lambda: is_waiting(metrics_of(wary)))
        client = tenant.client(wary)
        assert client.get("/tags").status == 200
        client.create_secret(name="s")
        assert [change["method_name"] for change in waiting.result()["changes"]] == ["CreateSecret"]


def test_keys_that_nobody_can_look_up(wary, tenant):
    """Whether they run or wait, their calls end at the deadline; and they have not failed."""
    client = tenant.client(wary)
    keys = [tenant.key("SecretManagerFullAccess").secret_key for _ in range(4)]
    with wary.database.connect() as blocker:
        blocker.execute("BEGIN")
        blocker.execute("LOCK store.api_key IN ACCESS EXCLUSIVE MODE")
        answers = together([lambda caller=client.as_key(key): caller.get("/tags") for key in keys])
        blocker.execute("ROLLBACK")
    assert [answer.status for answer in answers] == [503] * 4
    assert [client.as_key(key).get("/tags").status for key in keys] == [200] * 4


def test_stop_while_calls_wait(service, start_daemon, tenant):
    """They are answered as those that run."""
    daemon = start_daemon(
        service.database,
        denied_rate=1,
        denied_burst=1,
        drain_timeout=0,
        metrics_listen=f"127.0.0.1:{free_port()}",
    )
    client = tenant.client(daemon)
    with service.database.connect() as blocker, ThreadPoolExecutor(4) as threads:
        blocker.execute("BEGIN")
        blocker.execute("LOCK store.api_key IN ACCESS EXCLUSIVE MODE")
        answers = [threads.submit(client.as_key(client.secret_key).get, "/tags") for _ in range(4)]
        eventually(lambda: metrics_of(daemon)["coffer_connections_busy"] == 4)
        daemon.terminate()
        assert [answer.result().status for answer in answers] == [503] * 4
        assert daemon.wait() == 0


def test_stale_key_keeps_no_other_out(wary, tenant):
    """Repeats of a wrong key are no new guesses, however many come, and are limited all the same."""
    client = tenant.client(wary)
    stale = client.as_key(str(uuid.uuid4()))
    keys = [tenant.key("SecretManagerFullAccess").secret_key for _ in range(8)]
    statuses = [stale.get("/tags", headers=forwarded("192.0.2.4")).status]
    time.sleep(1.1)  # the first of them was a guess
    for key in keys:
        statuses += [stale.get("/tags", headers=forwarded("192.0.2.4")).status for _ in range(10)]
        assert client.as_key(key).get("/tags", headers=forwarded("192.0.2.4")).status == 200
    assert set(statuses) == {401, 429}
    # Another address has to guess for itself, and another wrong key is a guess.
    assert stale.get("/tags", headers=forwarded("192.0.2.5")).status == 401
    guesses = [
        client.as_key(str(uuid.uuid4())).get("/tags", headers=forwarded("192.0.2.4")).status
        for _ in range(8)
    ]
    assert 429 in guesses


def test_key_that_is_refused_and_then_good(wary, tenant):
    """It is known to be good from then on."""
    key = tenant.key("SecretManagerFullAccess")
    client = tenant.client(wary, key)
    expires = "UPDATE store.api_key SET expires_at = {} WHERE access_key = %s"
    wary.database.query(expires.format("now() - interval '1 hour'"), key.access_key)
    assert client.get("/tags", headers=forwarded("192.0.2.6")).status == 401
    assert client.get("/tags", headers=forwarded("192.0.2.6")).status == 401
    wary.database.query(expires.format("NULL"), key.access_key)
    eventually(lambda: client.get("/tags", headers=forwarded("192.0.2.6")).status == 200)
    assert {client.get("/tags", headers=forwarded("192.0.2.6")).status for _ in range(20)} == {200}


def test_tokens_that_are_none_are_no_guesses(client, tenant):
    """The database is not asked about them, and they keep nobody out."""
    for _ in range(100):
        assert client.as_key("x").get("/tags", headers=forwarded("192.0.2.2")).status == 401
        assert client.as_key(None).get("/tags", headers=forwarded("192.0.2.2")).status == 401
    assert (
        client.as_key(str(uuid.uuid4())).get("/tags", headers=forwarded("192.0.2.2")).status == 401
    )
    new = client.as_key(tenant.key("SecretManagerFullAccess").secret_key)
    assert new.get("/tags", headers=forwarded("192.0.2.2")).status == 200


def test_addresses_are_told_apart(client):
    """An IPv6 client has a network of 64 bits to itself, and counts as one."""

    def guess(address):
        return client.as_key(str(uuid.uuid4())).get("/tags", headers=forwarded(address)).status

    assert {guess(f"192.0.2.{number}") for number in range(10, 30)} == {401}
    assert {guess(f"2001:db8::{number}") for number in range(1, 20)} == {401, 429}
    assert guess("2001:db8:0:1::1") == 401


@pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="there is no IPv6")
def test_clients_of_ipv4_on_a_socket_of_ipv6(service, start_daemon, tenant):
    """They are told apart, and the audit has their addresses as they write them."""
    port = free_port()
    daemon = start_daemon(
        service.database, ready=False, listen=f"[::]:{port}", denied_rate=1, denied_burst=5
    )
    daemon.port = port
    eventually(daemon.ready)
    client = tenant.client(daemon)

    def call(address, key):
        request = f"GET {client.path('/tags')} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-Auth-Token: {key}\r\n\r\n"
        return int(client.raw(request.encode(), source=address).split()[1])

    assert {call("127.0.0.2", str(uuid.uuid4())) for _ in range(20)} == {401, 429}
    assert call("127.0.0.3", str(uuid.uuid4())) == 401
    assert call("127.0.0.4", client.secret_key) == 200
    ((kept,),) = service.database.query(
        "SELECT count(*) FROM audit.event WHERE ip <<= '127.0.0.4/32' AND organization_id = %s",
        tenant.organization_id,
    )
    assert kept == 1


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
        ("192.0.2.7:8080", "192.0.2.7"),
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
