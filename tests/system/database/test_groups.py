"""Reads that wait share a commit: nobody is answered before it, and none of them does harm to another."""

import base64
import http.client
import os
import signal
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from support import eventually
from support.client import Answer
from support.cluster import Cluster
from support.daemon import Daemon, free_port
from support.metrics import values
from support.tenant import Tenant

LIMIT = 8


@pytest.fixture(scope="module")
def database(new_database):
    return patient(new_database())


def patient(database):
    """A test holds calls up by a lock until it has seen what it waits for."""
    database.query(f"ALTER ROLE coffer_api IN DATABASE {database.name} SET lock_timeout = 0")
    return database


@pytest.fixture(scope="module")
def new_daemon(numbered, database, root_key_file):
    daemons = []

    def start():
        daemons.append(
            Daemon(
                numbered("daemon"),
                database,
                root_key_file,
                read_connections=1,
                group_limit=LIMIT,
                pool_size=4,
            )
        )
        return daemons[-1]

    yield start
    for daemon in daemons:
        daemon.stop()


@pytest.fixture(scope="module")
def daemon(new_daemon):
    return new_daemon()


@pytest.fixture(scope="module")
def client(daemon):
    return Tenant(daemon).client()


@pytest.fixture(scope="module")
def secrets(client):
    """Ids of secrets, each with its own id for a value."""
    ids = [client.create_secret(name=f"s-{number}")["id"] for number in range(20)]
    for id in ids:
        client.create_version(id, id.encode())
    return ids


def access_path(secret_id):
    return f"/secrets/{secret_id}/versions/latest/access"


class Sent:
    """A request that is on its way; answer() waits for what comes. With keep, send() sends another on its connection."""

    def __init__(self, client, path, keep=False):
        self._connection = http.client.HTTPConnection("127.0.0.1", client.port, timeout=60)
        self._keep = keep
        self.send(client, path)

    def send(self, client, path):
        self._connection.request(
            "GET", client.path(path), headers={"X-Auth-Token": client.secret_key}
        )

    def answer(self):
        response = self._connection.getresponse()
        answer = Answer(response.status, response.headers, response.read())
        if not self._keep:
            self._connection.close()
        return answer


def has_read_all(client):
    """Whether a daemon has taken in all that was sent to it."""
    with open("/proc/net/tcp") as table:
        rows = [line.split() for line in table][1:]
    return all(
        row[4].endswith(":00000000") for row in rows if row[1].endswith(f":{client.port:04X}")
    )


def read_together(database, clients_and_ids, meanwhile=lambda: None):
    """One read holds the only connection for reads, and these come while it does; gives their answers in order."""
    clients = {client.port: client for client, _ in clients_and_ids}.values()
    with database.connect() as blocker:
        blocker.execute("BEGIN")
        blocker.execute("LOCK TABLE audit.event IN SHARE MODE")

        def stopped():
            ((count,),) = blocker.execute(
                "SELECT count(*) FROM pg_locks l JOIN pg_stat_activity a USING (pid)"
                " WHERE NOT l.granted AND a.datname = current_database() AND a.usename = 'coffer_api'"
            ).fetchall()
            return count == len(clients)

        first = [Sent(client, "/secret-types") for client in clients]
        eventually(stopped)
        sent = [Sent(client, access_path(id)) for client, id in clients_and_ids]
        for client in clients:
            eventually(lambda client=client: has_read_all(client))
            # Answered in its turn, after what was read before it.
            for _ in range(2):
                assert client.get("/live", absolute=True).status == 200
        meanwhile()
    assert {one.answer().status for one in first} <= {200, 503}
    return [one.answer() for one in sent]


def groups(database, answers):
    """How many of the answers came out of each transaction, the largest number first."""
    receipts = [int(answer.headers["X-Audit-Id"]) for answer in answers if answer.status == 200]
    rows = database.query("SELECT id, xid FROM audit.event WHERE id = ANY (%s)", receipts)
    assert len(rows) == len(receipts) == len(set(receipts)), "each answer has a row of its own"
    return sorted(Counter(xid for _, xid in rows).values(), reverse=True)


def value(answer):
    return base64.b64decode(answer.body["data"]).decode()


def test_reads_that_wait_share_a_commit(database, client, secrets):
    answers = read_together(database, [(client, id) for id in secrets])
    assert [value(answer) for answer in answers] == secrets
    assert groups(database, answers) == [8, 8, 4]
    for answer, id in zip(answers, secrets):
        rows = database.query(
            "SELECT secret_id::text FROM audit.event WHERE id = %s",
            int(answer.headers["X-Audit-Id"]),
        )
        assert rows == [(id,)]


def test_a_lone_read_is_sent_at_once(database, client, secrets):
    answers = [client.get(access_path(id)) for id in secrets[:5]]
    assert groups(database, answers) == [1] * 5


def test_what_is_heard_together_goes_together(numbered, root_key_file, new_database):
    """While another read runs, reads that arrive in one turn of the loop are a group, though more connections are free."""
    database = patient(new_database())
    daemon = Daemon(numbered("daemon"), database, root_key_file, read_connections=6, pool_size=8)
    try:
        client = Tenant(daemon).client()
        ids = [client.create_secret(name=f"s-{number}")["id"] for number in range(5)]
        for id in ids:
            client.create_version(id, id.encode())
        database.query(
            "CREATE FUNCTION public.wait() RETURNS trigger LANGUAGE plpgsql AS"
            " $$BEGIN PERFORM pg_advisory_xact_lock(1); RETURN NULL; END$$"
        )
        database.deploy(
            "CREATE TRIGGER wait AFTER INSERT ON audit.event"
            f" FOR EACH ROW WHEN (NEW.secret_id = '{ids[0]}') EXECUTE FUNCTION public.wait()"
        )
        others = [Sent(client, access_path(id), keep=True) for id in ids[1:]]
        assert [value(one.answer()) for one in others] == ids[1:]
        with psycopg.connect(database.dsn(), autocommit=True) as blocker:
            blocker.execute("SELECT pg_advisory_lock(1)")
            held = Sent(client, access_path(ids[0]))
            eventually(
                lambda: database.query(
                    "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND objid = 1 AND NOT granted"
                )
            )
            os.kill(daemon.pid, signal.SIGSTOP)
            for one, id in zip(others, ids[1:]):
                one.send(client, access_path(id))
            os.kill(daemon.pid, signal.SIGCONT)
            answers = [one.answer() for one in others]
        assert [value(answer) for answer in answers] == ids[1:]
        assert groups(database, answers) == [4]
        assert value(held.answer()) == ids[0]
    finally:
        daemon.stop()


def test_lists_of_events_hold_up_nobody(start_daemon, new_tenant, new_database):
    """Some may take seconds: so they are in no group, and on a quarter of the connections at the most."""
    database = patient(new_database())
    database.query(f"ALTER ROLE coffer_api IN DATABASE {database.name} SET statement_timeout = 0")
    port = free_port()
    daemon = start_daemon(
        database,
        read_connections=1,
        pool_size=8,
        request_deadline=60000,
        metrics_listen=f"127.0.0.1:{port}",
    )
    tenant = new_tenant(daemon)
    client, key = tenant.client(), tenant.key("AuditTrailReadOnly").secret_key
    secret = client.create_secret(name="read")["id"]
    client.create_version(secret, b"value")
    database.query(
        "CREATE FUNCTION public.wait() RETURNS trigger LANGUAGE plpgsql AS"
        " $$BEGIN PERFORM pg_advisory_xact_lock(1); RETURN NULL; END$$"
    )
    database.deploy(
        "CREATE TRIGGER wait AFTER INSERT ON audit.event"
        " FOR EACH ROW WHEN (NEW.method = 'audit_event_list') EXECUTE FUNCTION public.wait()"
    )
    events = f"/audit-trail/v1alpha1/regions/{client.region}/events?organization_id={tenant.organization_id}"
    with ThreadPoolExecutor(12) as threads, database.connect() as blocker:
        blocker.execute("BEGIN")
        blocker.execute("SELECT pg_advisory_xact_lock(1)")
        lists = [threads.submit(client.as_key(key).get, events, absolute=True) for _ in range(12)]
        eventually(lambda: values(port)["coffer_queue_length"] == 10)
        assert client.access(secret) == b"value"
        client.create_version(secret, b"another")
        assert client.access(secret) == b"another"
        assert client.get("/tags").status == 200  # a list of anything else, too
        blocker.execute("ROLLBACK")
        assert {one.result().status for one in lists} == {200}
    rows = database.query(
        "SELECT count(DISTINCT e.xid) FROM audit.event e WHERE e.method = 'audit_event_list'"
    )
    assert rows == [(12,)]


@pytest.mark.parametrize("pool_size, connections", [(8, 2), (2, 1)])
def test_lists_hold_up_nobody(start_daemon, new_tenant, new_database, pool_size, connections):
    """They look at many rows: so they are in groups of their own, on a quarter of the connections at the most."""
    database = patient(new_database())
    database.query(f"ALTER ROLE coffer_api IN DATABASE {database.name} SET statement_timeout = 0")
    port = free_port()
    daemon = start_daemon(
        database,
        read_connections=1,
        pool_size=pool_size,
        request_deadline=60000,
        metrics_listen=f"127.0.0.1:{port}",
    )
    tenant, other = new_tenant(daemon), new_tenant(daemon)
    client, reader = tenant.client(), other.client()
    auditor = other.client(key=other.key("AuditTrailReadOnly"))
    listed = client.create_secret(name="listed")["id"]
    secret = reader.create_secret(name="read")["id"]
    reader.create_version(secret, b"value")
    changes = f"/coffer/v1/regions/{client.region}/changes"
    lists = [client.path(f"/secrets{path}") for path in ("", "/browse", f"/{listed}/versions")]
    lists += [client.path("/tags"), client.key_manager().path("/keys"), changes]
    key = tenant.key(
        "SecretManagerFullAccess", "KeyManagerFullAccess", "AuditTrailReadOnly"
    ).secret_key
    database.query(
        "CREATE FUNCTION public.wait() RETURNS trigger LANGUAGE plpgsql AS"
        " $$BEGIN PERFORM pg_advisory_xact_lock_shared(1); RETURN NULL; END$$"
    )
    database.deploy(
        "CREATE TRIGGER wait AFTER INSERT ON audit.event FOR EACH ROW"
        f" WHEN (NEW.organization_id = '{tenant.organization_id}') EXECUTE FUNCTION public.wait()"
    )
    with ThreadPoolExecutor(12) as threads, database.connect() as blocker:
        blocker.execute("SELECT pg_advisory_lock(1)")
        sent = [threads.submit(client.as_key(key).get, path, absolute=True) for path in lists * 2]
        eventually(lambda: values(port)["coffer_queue_length"] == 12 - connections)
        assert reader.access(secret) == b"value"
        reader.create_version(secret, b"another")
        assert reader.access(secret) == b"another"
        if pool_size > 2:
            events = f"/audit-trail/v1alpha1/regions/{client.region}/events?organization_id={other.organization_id}"
            assert auditor.get(events, absolute=True).status == 200
        blocker.execute("SELECT pg_advisory_unlock(1)")
        answers = [one.result() for one in sent]
    assert {answer.status for answer in answers} == {200}
    assert groups(database, answers)[0] == 8


def test_a_group_that_needs_keys(database, new_daemon, client, secrets):
    """A daemon that has just started knows none of them."""
    answers = read_together(database, [(client.to(new_daemon()), id) for id in secrets[:LIMIT]])
    assert [value(answer) for answer in answers] == secrets[:LIMIT]
    groups(database, answers)


def test_a_caller_who_reads_in_two_projects(new_daemon, daemon):
    """What the daemon guesses from the last read is wrong then, and does no harm."""
    tenant = Tenant(daemon)
    client = tenant.client()
    projects = [tenant.project_id, tenant.project()]
    ids = [
        client.create_secret(name=f"p-{number}", project_id=projects[number % 2])["id"]
        for number in range(6)
    ]
    for id in ids:
        client.create_version(id, id.encode())
    later = client.to(new_daemon())
    assert [later.access(id).decode() for id in ids + ids] == ids + ids


@pytest.fixture
def trouble(database):
    """Let the audit row of a secret fail with a SQLSTATE, at once or at the commit."""
    made = []

    def make(secret_id, sqlstate, at_commit):
        made.append(secret_id)
        database.deploy(
            f"CREATE FUNCTION public.trouble() RETURNS trigger LANGUAGE plpgsql AS"
            f" $$BEGIN RAISE SQLSTATE '{sqlstate}'; END$$;"
            f"CREATE {'CONSTRAINT' if at_commit else ''} TRIGGER trouble AFTER INSERT ON audit.event"
            f" {'DEFERRABLE INITIALLY DEFERRED' if at_commit else ''}"
            f" FOR EACH ROW WHEN (NEW.secret_id = '{secret_id}') EXECUTE FUNCTION public.trouble()"
        )

    yield make
    if made:
        # The table before its partitions, as everybody else locks them.
        database.deploy("LOCK TABLE audit.event; DROP FUNCTION public.trouble() CASCADE")


@pytest.mark.parametrize("at_commit", [False, True])
@pytest.mark.parametrize(
    "sqlstate, status",
    [
        ("22012", 500),
        ("53100", 503),
        ("40001", 503),
        ("XX000", 500),
        ("42704", 500),
        ("42883", 500),
        ("57014", 503),
    ],
)
def test_a_fault_harms_nobody_else(database, client, secrets, trouble, sqlstate, status, at_commit):
    bad = secrets[3]
    trouble(bad, sqlstate, at_commit)
    answers = read_together(database, [(client, id) for id in secrets[:LIMIT]])
    assert {id: answer.status for answer, id in zip(answers, secrets)} == {
        id: status if id == bad else 200 for id in secrets[:LIMIT]
    }
    assert [value(answer) for answer in answers if answer.status == 200] == [
        id for id in secrets[:LIMIT] if id != bad
    ]
    assert groups(database, answers) == [1] * (LIMIT - 1)
    assert bad not in answers[3].raw.decode()


@pytest.mark.parametrize("daemons", [1, 2])
def test_what_is_read_once_is_read_once(database, new_daemon, client, secrets, daemons):
    once = client.create_secret(
        name=f"once-{daemons}",
        ephemeral_policy={"expires_once_accessed": True, "action": "disable"},
    )["id"]
    client.create_version(once, b"once")
    clients = [client, client.to(new_daemon())][:daemons]
    asked = [
        (clients[number % daemons], once if number % 4 < 2 else secrets[number])
        for number in range(16)
    ]
    answers = read_together(database, asked)
    assert Counter(answer.status for answer, (_, id) in zip(answers, asked) if id == once) == {
        200: 1,
        412: 7,
    }
    assert {value(answer) for answer, (_, id) in zip(answers, asked) if id != once} == {
        id for _, id in asked if id != once
    }
    groups(database, answers)


def end_backends(database):
    with database.connect() as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'coffer_api'"
        )


def kill_a_backend(database):
    with database.connect() as connection:
        ((pid,),) = connection.execute(
            "SELECT pid FROM pg_stat_activity WHERE usename = 'coffer_api' AND wait_event_type = 'Lock' LIMIT 1"
        ).fetchall()
        os.kill(pid, signal.SIGKILL)
        # Then PostgreSQL ends all sessions, this one too, and recovers.
        eventually(lambda: not responds(connection))


def responds(connection):
    try:
        return bool(connection.execute("SELECT 1").fetchall())
    except psycopg.OperationalError:
        return False


def serves(database):
    try:
        return bool(database.query("SELECT 1"))
    except psycopg.OperationalError:
        return False


@pytest.mark.parametrize("end", [end_backends, kill_a_backend])
def test_postgresql_goes_away_in_the_middle_of_a_group(numbered, root_key_file, end):
    cluster = Cluster(numbered("cluster"))
    database = patient(cluster.database())
    daemon = Daemon(numbered("daemon"), database, root_key_file, read_connections=1, pool_size=3)
    try:
        client = Tenant(daemon).client()
        ids = [client.create_secret(name=f"s-{number}")["id"] for number in range(8)]
        for id in ids:
            client.create_version(id, id.encode())
        # The row of the last one waits, and with it its whole group.
        database.query(
            "CREATE FUNCTION public.wait() RETURNS trigger LANGUAGE plpgsql AS"
            " $$BEGIN PERFORM pg_advisory_xact_lock(1); RETURN NULL; END$$"
        )
        database.deploy(
            "CREATE TRIGGER wait AFTER INSERT ON audit.event"
            f" FOR EACH ROW WHEN (NEW.secret_id = '{ids[-1]}') EXECUTE FUNCTION public.wait()"
        )
        blocker = psycopg.connect(database.dsn(), autocommit=True)
        blocker.execute("SELECT pg_advisory_lock(1)")
        sent = []
        with database.connect() as holder:
            holder.execute("BEGIN")
            holder.execute("LOCK TABLE audit.event IN SHARE MODE")
            sent.append(Sent(client, "/secret-types"))
            sent += [Sent(client, access_path(id)) for id in ids]
            eventually(lambda: has_read_all(client))
            assert client.get("/live", absolute=True).status == 200
        eventually(
            lambda: database.query(
                "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND objid = 1 AND NOT granted"
            )
        )
        end(database)
        blocker.close()
        answers = [one.answer() for one in sent]
        assert {answer.status for answer in answers} <= {200, 503}
        eventually(lambda: serves(database) and daemon.ready())
        groups(database, answers)
        assert client.access(ids[0]) == ids[0].encode()
    finally:
        daemon.stop()
        cluster.stop()
