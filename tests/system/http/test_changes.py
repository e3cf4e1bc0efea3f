"""The feed of changes: a consumer that keeps its cursor misses nothing, whatever is killed meanwhile."""

import http.client
import itertools
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from support import eventually
from support.daemon import free_port
from support.load import Load
from support.metrics import values
from support.tenant import Tenant


def sent(call):
    """An answer that is cut off is none."""
    try:
        return call()
    except http.client.HTTPException as error:
        raise ConnectionError from error


class Consumer(threading.Thread):
    """Asks one daemon after the other, and dies after each third batch before it has kept its cursor."""

    def __init__(self, clients):
        super().__init__()
        self.clients = itertools.cycle(clients)
        self.ended = threading.Event()
        self.kept, self.seen, self.again = "1.0", [], 0
        self.start()

    def run(self):
        batches = 0
        while not self.ended.is_set():
            client = next(self.clients)
            path = (
                f"/coffer/v1/regions/{client.region}/changes?after={self.kept}&wait=2&page_size=7"
            )
            try:
                answer = sent(lambda: client.get(path, absolute=True))
            except ConnectionError:
                self.ended.wait(0.05)
                continue
            if answer.status == 200:
                self.seen += [change["cursor"] for change in answer.body["changes"]]
                batches += bool(answer.body["changes"])
                if answer.body["changes"] and batches % 3 == 0:
                    self.again += 1
                else:
                    self.kept = answer.body["cursor"]


def power_cut(cluster, daemons):
    cluster.kill()
    cluster.start()


def restart(cluster, daemons):
    cluster.restart()


def kill_a_daemon(cluster, daemons):
    daemons[0].kill()
    daemons[0].start(ready=False)


def test_no_gap_and_in_order(own_cluster, start_daemon):
    database = own_cluster.database()
    daemons = [start_daemon(database), start_daemon(database)]
    tenant = Tenant(daemons[0])
    watcher = tenant.key("AuditTrailReadOnly")
    secrets = [tenant.client().create_secret(name=f"s{number}")["id"] for number in range(4)]

    def change(client):
        turn = next(client.turn)
        return sent(
            lambda: client.patch(f"/secrets/{secrets[turn % 4]}", {"description": str(turn)})
        )

    writers = [tenant.client(daemon) for daemon in daemons * 2]
    for writer in writers:
        writer.turn = itertools.count()
    consumers = [Consumer([tenant.client(daemon, watcher) for daemon in daemons]) for _ in range(2)]
    try:
        with Load(writers, change) as load:
            for trouble in (restart, power_cut, kill_a_daemon, power_cut):
                trouble(own_cluster, daemons)
                written, seen = load.count(200), [len(consumer.seen) for consumer in consumers]
                eventually(lambda: load.count(200) > written + 20)
                eventually(
                    lambda: all(len(c.seen) > before + 20 for c, before in zip(consumers, seen)), 60
                )
        rows = database.query(
            "SELECT epoch || '.' || id, secret_id FROM auditor.change WHERE secret_id IS NOT NULL ORDER BY id"
        )
        happened = [cursor for cursor, _ in rows]
        eventually(lambda: all(set(consumer.seen) >= set(happened) for consumer in consumers), 60)
    finally:
        for consumer in consumers:
            consumer.ended.set()
            consumer.join()

    answered = [
        f"1.{int(answer.headers['X-Audit-Id'])}" for answer in load.answers if answer.status == 200
    ]
    assert load.statuses() <= {200, 503}
    assert set(answered) <= set(happened)
    for consumer in consumers:
        assert consumer.again > 3
        assert list(dict.fromkeys(consumer.seen)) == happened
    # Per secret, as the rows of the secret say: the last description is that of the last change.
    for secret in secrets:
        [[last, stored]] = database.query(
            "SELECT (SELECT e.request #>> '{body,description}' FROM auditor.change e"
            "         WHERE e.secret_id = s.id ORDER BY e.id DESC LIMIT 1), s.description"
            "  FROM store.secret s WHERE s.id = %s",
            secret,
        )
        assert last == stored


# Waits --------------------------------------------------------------------------------------------


def cursor_of_now(database, client):
    """The cursor after all that has been done: what is not known to be complete yet would come after `latest`."""
    eventually(
        lambda: (
            database.query(
                "SELECT s.id >= (SELECT max(e.id) FROM audit.event e) FROM audit.settled s"
            )
            == [(True,)]
        )
    )
    return client.changes(after="latest")["cursor"]


@pytest.fixture
def watched(database, start_daemon, new_tenant):
    """A client with a secret, and the cursor of now."""
    client = new_tenant(start_daemon(database)).client()
    client.secret = client.create_secret(name="watched")["id"]
    return client, cursor_of_now(database, client)


def names(changes):
    return [change["method_name"] for change in changes["changes"]]


def waiting(threads, client, cursor):
    waiter = client.as_key(client.secret_key)
    return threads.submit(lambda: waiter.changes(after=cursor, wait=60))


def test_a_wait_ends_with_a_change_and_leaves_one_row(watched, database):
    client, cursor = watched
    calls = "SELECT count(*) FROM audit.event WHERE method = 'change_list'"
    [[before]] = database.query(calls)
    with ThreadPoolExecutor(1) as threads:
        heard = waiting(threads, client, cursor)
        client.create_version(client.secret, b"another")
        heard = heard.result(60)
    assert names(heard) == ["CreateSecretVersion"]
    assert client.changes(after=heard["cursor"])["changes"] == []
    assert database.query(calls) == [(before + 2,)]


def test_a_wait_ends_without_a_change(watched):
    client, cursor = watched
    assert client.changes(after=cursor, wait=1)["changes"] == []


def test_a_wait_ends_with_a_change_that_another_daemon_made(watched, database, start_daemon):
    client, cursor = watched
    second = start_daemon(database)
    with ThreadPoolExecutor(1) as threads:
        heard = waiting(threads, client, cursor)
        client.to(second).create_version(client.secret, b"another")
        assert names(heard.result(60)) == ["CreateSecretVersion"]


def is_waiting(metrics):
    """Whether a client waits for its answer, and nothing is asked of PostgreSQL for it."""
    return (
        metrics["coffer_connections_busy"] == 1
        and metrics["coffer_pool_running"] == metrics["coffer_queue_length"] == 0
    )


@pytest.mark.parametrize("trouble", [restart, power_cut])
def test_a_wait_outlives_postgresql(own_cluster, start_daemon, new_tenant, trouble):
    """It holds no connection to it, and goes on until the change that comes after."""
    database = own_cluster.database()
    port = free_port()
    daemon = start_daemon(database, metrics_listen=f"127.0.0.1:{port}")
    client = new_tenant(daemon).client()
    secret = client.create_secret(name="watched")["id"]
    cursor = cursor_of_now(database, client)
    with ThreadPoolExecutor(1) as threads:
        heard = waiting(threads, client, cursor)
        eventually(lambda: is_waiting(values(port)))
        trouble(own_cluster, [daemon])
        eventually(daemon.ready)
        eventually(lambda: client.post(f"/secrets/{secret}/protect").status == 200)
        assert names(heard.result(60)) == ["ProtectSecret"]


def test_a_change_while_the_call_is_on_its_way(database, start_daemon, new_tenant):
    """What the daemon hears of between the look of a call and its answer ends the wait, though nobody waited yet."""
    for timeout in ("lock_timeout", "statement_timeout"):
        database.query(f"ALTER ROLE coffer_api IN DATABASE {database.name} SET {timeout} = 0")
    # A list that can be held up. Not by the lock of a table: who has that has a transaction number, and nothing settles.
    database.deploy(
        "CREATE OR REPLACE FUNCTION endpoint.tag_list(caller rule.caller, request jsonb) RETURNS rule.outcome"
        " LANGUAGE plpgsql AS $$BEGIN PERFORM pg_advisory_xact_lock_shared((request #>> '{query,page,0}')::bigint);"
        " RETURN rule.outcome(200, '{}', NULL::uuid); END$$"
    )
    port = free_port()
    daemon = start_daemon(
        database, pool_size=4, request_deadline=60000, metrics_listen=f"127.0.0.1:{port}"
    )
    client = new_tenant(daemon).client()
    secret = client.create_secret(name="watched")["id"]
    cursor = cursor_of_now(database, client)

    def held_up(threads, number):
        return threads.submit(client.as_key(client.secret_key).get, "/tags", query={"page": number})

    def is_held_up(number):
        return database.query(
            "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND objid = %s AND NOT granted",
            number,
        )

    def is_settled(id):
        return database.query("SELECT s.id FROM audit.settled s WHERE s.id >= %s", id)

    # Behind a list that is held up, the call and another list become one transaction, in which the call has its look and
    # the other then holds up its answer.
    with ThreadPoolExecutor(3) as threads, database.connect() as blocker:
        blocker.execute("SELECT pg_advisory_lock(1), pg_advisory_lock(2)")
        reads = [held_up(threads, 1)]
        eventually(lambda: is_held_up(1))
        heard = waiting(threads, client, cursor)
        eventually(lambda: values(port)["coffer_queue_length"] == 1)
        reads.append(held_up(threads, 2))
        eventually(lambda: values(port)["coffer_queue_length"] == 2)
        blocker.execute("SELECT pg_advisory_unlock(1)")
        eventually(lambda: is_held_up(2))
        change = int(client.post(f"/secrets/{secret}/protect").headers["X-Audit-Id"])
        eventually(lambda: is_settled(change))
        # A daemon that settles once more has heard of what was settled before.
        [[id]] = database.query("SELECT nextval('audit.event_id')")
        eventually(lambda: is_settled(id))
        blocker.execute("SELECT pg_advisory_unlock(2)")
        assert [read.result().status for read in reads] == [200, 200]
        assert names(heard.result(30)) == ["ProtectSecret"]


# What is in it, and for whom ------------------------------------------------------------------------


def test_warnings_of_expiry(database, start_daemon, new_tenant):
    """30, 7 and 1 days ahead; here by the clock of the database, put back by two minutes."""
    tenant = new_tenant(start_daemon(database, job_interval=1))
    client = tenant.client()
    watcher = tenant.client(key=tenant.key("AuditTrailReadOnly"))
    secrets = {}
    for days in (30, 7, 1):
        secrets[days] = client.create_secret(name=f"in-{days}-days")["id"]
        client.create_version(secrets[days], b"value")
    cursor = cursor_of_now(database, client)
    with database.connect() as connection, connection.transaction():
        for days, secret in secrets.items():
            connection.execute(
                "UPDATE store.version SET expires_at = now() + %s * interval '1 day' - interval '1 minute', action = 'disable',"
                " expires_once_accessed = false WHERE secret_id = %s",
                [days, secret],
            )
        connection.execute(
            "UPDATE store.expiry_warning SET reached = now() + days * interval '1 day' - interval '2 minutes'"
        )
    found = []
    while len(found) < 3:
        page = watcher.changes(after=cursor, wait=30)
        assert page["changes"] != []
        found += page["changes"]
        cursor = page["cursor"]
    assert {change["method_name"] for change in found} == {"WarnSecretVersionExpiry"}
    assert [(change["secret_id"], change["revision"]) for change in found] == [
        (secrets[days], 1) for days in (30, 7, 1)
    ]


PERMISSION_SETS = {
    "AuditTrailReadOnly": 200,
    "SecretManagerReadOnly": 200,
    "SecretManagerFullAccess": 200,
    "AllProductsReadOnly": 200,
    "AllProductsFullAccess": 200,
    "KeyManagerReadOnly": 403,
    "KeyManagerFullAccess": 403,
    "SecretManagerSecretAccess": 403,
    "SecretManagerSecretCreate": 403,
    "SecretManagerSecretWrite": 403,
    "SecretManagerSecretDelete": 403,
    "SecretManagerSecretRestore": 403,
}


@pytest.mark.parametrize("permission_set", PERMISSION_SETS)
def test_rights(tenant, permission_set):
    watcher = tenant.client(key=tenant.key(permission_set))
    path = f"/coffer/v1/regions/{watcher.region}/changes?after=latest"
    assert watcher.get(path, absolute=True).status == PERMISSION_SETS[permission_set]


def test_a_watcher_sees_his_projects_alone(tenant, new_tenant, service):
    """Not the other projects of his organization, and not other organizations."""
    client, stranger = tenant.client(), new_tenant(service).client()
    other = tenant.project()
    watcher = tenant.client(key=tenant.key("SecretManagerReadOnly", project_id=other))
    cursor = watcher.changes(after="latest")["cursor"]
    client.create_secret(name="here")
    stranger.create_secret(name="elsewhere")
    expected = client.create_secret(name="there", project_id=other)["id"]
    found = watcher.changes(after=cursor, wait=30)
    assert [(change["secret_id"], change["project_id"]) for change in found["changes"]] == [
        (expected, other)
    ]
    path = f"/coffer/v1/regions/{watcher.region}/changes?project_id={tenant.project_id}"
    assert watcher.get(path, absolute=True).status == 403
