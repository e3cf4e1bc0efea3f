"""PostgreSQL goes away, comes back, or is held up: every call is answered, and the daemon mends itself."""

import base64
import os
import signal

import psycopg
import pytest
from expected import assert_answer, assert_headers

from support import eventually
from support.cluster import Cluster
from support.daemon import Daemon
from support.load import Load, together
from support.tenant import Tenant

UNAVAILABLE = 503, {"message": "service is unavailable", "type": "unavailable"}


@pytest.fixture(scope="module")
def cluster(numbered):
    """One that only the tests of this file use, and that runs between them."""
    cluster = Cluster(numbered("cluster"))
    yield cluster
    cluster.discard()


@pytest.fixture(scope="module")
def new_database(cluster):
    return cluster.database


@pytest.fixture(scope="module")
def daemon(numbered, new_database, root_key_file):
    daemon = Daemon(numbered("daemon"), new_database(), root_key_file, pool_size=16)
    yield daemon
    daemon.stop()


@pytest.fixture(scope="module")
def tenant(daemon):
    tenant = Tenant(daemon)
    daemon.database.query(
        "SELECT operator.quota_set(%s, 'secret_version', 1000000)",
        tenant.organization_id,
        role="coffer_operator",
    )
    return tenant


@pytest.fixture
def client(tenant):
    return tenant.client()


def assert_unavailable(answer):
    assert_answer(answer, *UNAVAILABLE)
    assert int(answer.headers["Retry-After"]) > 0


def serves(client):
    return lambda: client.get("/secrets").status == 200


def test_stopped_and_started(cluster, daemon, client):
    secret_id = client.create_secret(name="s")["id"]
    client.create_version(secret_id, b"data")
    cluster.stop()
    for method, path, body in [
        ("GET", "/secrets", None),
        ("GET", f"/secrets/{secret_id}/versions/1/access", None),
        ("POST", "/secrets", {"name": "t"}),
        ("POST", f"/secrets/{secret_id}/versions", {"data": "AA=="}),
        ("DELETE", f"/secrets/{secret_id}", None),
    ]:
        assert_unavailable(client.call(method, path, body))
    assert client.get("/ready", absolute=True).status == 503
    assert client.get("/live", absolute=True).status == 200
    assert client.get("/metadata", absolute=True).status == 200
    assert client.get("/nowhere").status == 404

    cluster.start()
    eventually(daemon.ready)
    assert client.access(secret_id) == b"data"
    assert daemon.process.poll() is None


def test_started_before_postgresql(cluster, daemon, client, numbered, root_key_file):
    cluster.stop()
    early = Daemon(numbered("early"), daemon.database, root_key_file, ready=False)
    try:
        eventually(early.listens)
        assert_unavailable(client.to(early).get("/secrets"))
        assert client.to(early).get("/live", absolute=True).status == 200
        assert not early.ready()
        cluster.start()
        eventually(early.ready)
        eventually(serves(client.to(early)))
    finally:
        cluster.start()
        early.stop()
    eventually(serves(client))


def backends(cluster):
    """The processes of PostgreSQL that serve the daemon; None while it takes no connections."""
    try:
        with cluster.connect() as connection:
            rows = connection.execute(
                "SELECT pid FROM pg_stat_activity WHERE usename = 'coffer_api'"
            ).fetchall()
    except psycopg.OperationalError:
        return None
    return {pid for (pid,) in rows}


def are_others(cluster, before):
    """Whether none of these serves any more, and others do."""
    now = backends(cluster)
    return now is not None and now and not now & before


def terminate_backends(cluster):
    before = backends(cluster)
    with cluster.connect() as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM unnest(%s::int[]) AS pid", [list(before)]
        )
    eventually(lambda: are_others(cluster, before))


def kill_a_backend(cluster):
    """PostgreSQL then ends all others, and recovers."""
    before = backends(cluster)
    os.kill(min(before), signal.SIGKILL)
    eventually(lambda: are_others(cluster, before))


def power_cut(cluster):
    cluster.kill()
    cluster.start()


def has_settled(answers):
    return len(answers) > 20 and {answer.status for answer in answers[-20:]} == {200}


@pytest.mark.parametrize(
    "trouble", [Cluster.restart, terminate_backends, kill_a_backend, power_cut]
)
def test_trouble_under_load(cluster, daemon, tenant, client, trouble):
    """What is answered 200 has happened, and its row is there; the rest is 503."""
    secrets = [
        client.create_secret(name=f"{trouble.__name__}-{number}")["id"] for number in range(4)
    ]
    for secret_id in secrets:
        client.create_version(secret_id, b"first")

    def create(client):
        return client.post(
            f"/secrets/{client.secret_id}/versions", {"data": base64.b64encode(b"later").decode()}
        )

    def access(client):
        return client.get(f"/secrets/{client.secret_id}/versions/1/access")

    def clients():
        for secret_id in secrets:
            client = tenant.client()
            client.secret_id = secret_id
            yield client

    with Load(list(clients()), create) as creates, Load(list(clients()), access) as accesses:
        for load in (creates, accesses):
            eventually(lambda: load.count(200) > 20)
        trouble(cluster)
        for load in (creates, accesses):
            before = len(load.answers)
            eventually(lambda: has_settled(load.answers[before:]))

    assert creates.statuses() | accesses.statuses() <= {200, 503}
    for answer in creates.answers + accesses.answers:
        assert_headers(answer)
        if answer.status == 503:
            assert_unavailable(answer)
    for answer in accesses.answers:
        assert answer.status == 503 or answer.body["data"] == base64.b64encode(b"first").decode()

    receipts = [
        int(answer.headers["X-Audit-Id"])
        for answer in creates.answers + accesses.answers
        if answer.status == 200
    ]
    ((found,),) = daemon.database.query(
        "SELECT count(*) FROM audit.event WHERE id = ANY (%s)", receipts
    )
    assert found == len(receipts) == len(set(receipts))

    made = [
        (answer.body["secret_id"], answer.body["revision"])
        for answer in creates.answers
        if answer.status == 200
    ]
    assert len(set(made)) == len(made)
    for secret_id in secrets:
        rows = daemon.database.query(
            "SELECT revision FROM store.version WHERE secret_id = %s ORDER BY revision", secret_id
        )
        revisions = [revision for (revision,) in rows]
        assert revisions == list(range(1, len(revisions) + 1))
        assert {revision for owner, revision in made if owner == secret_id} <= set(revisions)
    assert daemon.process.poll() is None


# PostgreSQL is there, and something holds it up ---------------------------------------------------


@pytest.fixture(scope="module")
def hasty(numbered, new_database, root_key_file):
    """A daemon that waits for two seconds at most, with a client."""
    daemon = Daemon(
        numbered("hasty"),
        new_database(),
        root_key_file,
        request_deadline=2000,
        pool_size=4,
        queue_limit=8,
    )
    yield daemon, Tenant(daemon).client()
    daemon.stop()


def copies(client, number):
    return [client.as_key(client.secret_key) for _ in range(number)]


def get_secrets(client):
    return lambda: client.get("/secrets")


def test_deadline(hasty):
    daemon, client = hasty
    with daemon.database.connect() as blocker:
        blocker.execute("BEGIN")
        blocker.execute("LOCK TABLE audit.event IN ACCESS EXCLUSIVE MODE")
        # More than the pool and the line have room for; each is answered.
        for answer in together(map(get_secrets, copies(client, 32))):
            assert_unavailable(answer)
        assert client.get("/live", absolute=True).status == 200
        blocker.execute("ROLLBACK")
    eventually(serves(client))
    assert {answer.status for answer in together(map(get_secrets, copies(client, 8)))} == {200}


def test_change_that_waits_too_long_for_its_turn(hasty):
    """It is in doubt: it may get its turn yet."""
    daemon, client = hasty
    secret_id = client.create_secret(name="held")["id"]
    with daemon.database.connect() as blocker:
        blocker.execute("BEGIN")
        blocker.execute("SELECT FROM store.secret WHERE id = %s FOR UPDATE", [secret_id])
        assert client.post(f"/secrets/{secret_id}/protect").status == 503
        assert client.get(f"/secrets/{secret_id}").status == 200
        blocker.execute("ROLLBACK")
    eventually(lambda: client.post(f"/secrets/{secret_id}/protect").status == 200)


def test_statement_timeout(new_database, start_daemon, new_tenant):
    database = new_database()
    with database.connect() as owner:
        owner.execute(f"ALTER ROLE coffer_api IN DATABASE {database.name} SET lock_timeout = 0")
        owner.execute(
            f"ALTER ROLE coffer_api IN DATABASE {database.name} SET statement_timeout = '200ms'"
        )
    client = new_tenant(start_daemon(database)).client()
    with database.connect() as blocker:
        blocker.execute("BEGIN")
        blocker.execute("LOCK TABLE audit.event IN ACCESS EXCLUSIVE MODE")
        assert_unavailable(client.get("/secrets"))
        blocker.execute("ROLLBACK")
    eventually(serves(client))


def test_lock_that_goes_in_time_is_waited_for(daemon, client):
    """The database gives up after a second; the daemon tries again within its deadline."""
    secret_id = client.create_secret(name="held-for-a-while")["id"]
    with daemon.database.connect() as blocker:
        blocker.execute("BEGIN")
        blocker.execute("SELECT FROM store.secret WHERE id = %s FOR UPDATE", [secret_id])

        def release():
            # The second try is what waits now.
            eventually(lambda: waits_since_its_second_try(daemon.database, first))
            blocker.execute("ROLLBACK")

        first = []
        answer, _ = together([lambda: client.post(f"/secrets/{secret_id}/protect"), release])
    assert answer.status == 200


def waits_since_its_second_try(database, seen):
    """Whether a statement of the daemon waits for a lock that is not the first seen to do so."""
    rows = database.query(
        "SELECT query_start FROM pg_stat_activity"
        " WHERE datname = %s AND usename = 'coffer_api' AND wait_event_type = 'Lock'",
        database.name,
    )
    if rows and not seen:
        seen.append(rows)
    return bool(rows) and rows != seen[0]


def test_no_answer_without_its_audit_row(new_database, start_daemon, new_tenant):
    """When the row cannot be written, the call has not happened, and no value leaves."""
    database = new_database()
    client = new_tenant(start_daemon(database)).client()
    secret_id = client.create_secret(name="s")["id"]
    client.create_version(secret_id, b"data")
    database.deploy("REVOKE INSERT ON audit.event FROM coffer_exec")
    for method, path, body in [
        ("GET", f"/secrets/{secret_id}/versions/1/access", None),
        ("POST", f"/secrets/{secret_id}/versions", {"data": "AA=="}),
        ("POST", "/secrets", {"name": "t"}),
        ("GET", "/secrets/x", None),
    ]:
        answer = client.call(method, path, body)
        assert_answer(answer, 503, {"message": "service is unavailable", "type": "unavailable"})
        assert "X-Audit-Id" not in answer.headers
    database.deploy("GRANT INSERT ON audit.event TO coffer_exec")
    assert client.access(secret_id) == b"data"
    assert client.get(f"/secrets/{secret_id}").body["version_count"] == 1
    assert client.get("/secrets").body["total_count"] == 1


def test_a_server_that_takes_no_writes_for_a_while(cluster, daemon, client):
    """A call that was refused is surely not done; the connections stay, and serve when the server takes writes again."""

    def connections():
        return {
            pid
            for (pid,) in daemon.database.query(
                "SELECT pid FROM pg_stat_activity WHERE usename = 'coffer_api' AND application_name LIKE 'coffer%'"
            )
        }

    eventually(serves(client))
    before = connections()
    cluster.set(default_transaction_read_only="on")
    try:
        for _ in range(3):
            assert_unavailable(client.post("/secrets", {"name": "refused"}))
        assert_unavailable(client.get("/secrets"))
        assert "takes no writes" in daemon.readiness()[1]
    finally:
        cluster.set(default_transaction_read_only="off")
    eventually(serves(client))
    assert len(before & connections()) >= 16  # the check has one of its own now and then
    assert not [
        secret for secret in client.get("/secrets").body["secrets"] if secret["name"] == "refused"
    ]
