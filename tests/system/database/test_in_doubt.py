"""A change whose connection is lost before its answer comes is done once, and its caller is told so."""

import os
import signal
import threading
from functools import partial

import psycopg
import pytest
from expected import assert_answer

from support import eventually
from support.cluster import Cluster
from support.daemon import Daemon
from support.load import together
from support.tenant import Tenant


@pytest.fixture(scope="module")
def cluster(numbered):
    cluster = Cluster(numbered("cluster"))
    yield cluster
    cluster.discard()


@pytest.fixture(scope="module")
def new_database(cluster):
    return cluster.database


@pytest.fixture(scope="module")
def daemon(numbered, new_database, root_key_file):
    """One that waits as long as it takes."""
    daemon = Daemon(numbered("daemon"), new_database(), root_key_file, request_deadline=60000)
    yield daemon
    daemon.stop()


@pytest.fixture
def client(daemon):
    return Tenant(daemon).client()


def in_thread(function):
    """Call in a thread; return what waits for its end and gives what it returned."""
    results = []
    thread = threading.Thread(target=lambda: results.append(function()))
    thread.start()

    def join():
        thread.join(60)
        return results[0]

    return join


def backend_at(database, wait_event):
    """The one backend that waits for this in a call; what runs on a timer may wait, too."""
    rows = database.query(
        "SELECT pid FROM pg_stat_activity"
        " WHERE datname = %s AND wait_event = %s AND query LIKE '%% FROM api.%%'",
        database.name,
        wait_event,
    )
    return rows[0][0] if rows else None


def assert_done_once(daemon, answer, name):
    assert answer.status == 200
    rows = daemon.database.query(
        "SELECT r.receipt, r.repeats, e.request_id = r.id FROM store.request r"
        " JOIN audit.event e ON e.id = r.receipt WHERE r.body::jsonb ->> 'name' = %s",
        name,
    )
    assert rows == [(int(answer.headers["X-Audit-Id"]), rows[0][1], True)]
    found = daemon.database.query("SELECT id::text FROM store.secret WHERE name = %s", name)
    assert found == [(answer.body["id"],)]
    ((count,),) = daemon.database.query(
        "SELECT count(*) FROM audit.event WHERE method = 'secret_create' AND secret_id = %s",
        answer.body["id"],
    )
    assert count == 1
    return rows[0][1]


def test_backend_ends_before_the_commit(daemon, client):
    """It has not happened, and is done on another connection."""
    with daemon.database.connect() as blocker:
        blocker.execute("BEGIN")
        blocker.execute("LOCK TABLE audit.event IN ACCESS EXCLUSIVE MODE")
        answer = in_thread(lambda: client.create_secret(name="before") and client.get("/secrets"))
        eventually(lambda: backend_at(daemon.database, "relation"))
        daemon.database.query(
            "SELECT pg_terminate_backend(%s)", backend_at(daemon.database, "relation")
        )
        blocker.execute("ROLLBACK")
    assert [secret["name"] for secret in answer().body["secrets"]] == ["before"]
    assert "a change is in doubt, it is sent again" in daemon.log


@pytest.fixture
def no_standby(cluster):
    """Commits wait for a standby that is not there, until the block is left."""

    wait_for_standby(cluster, "nobody")
    yield lambda: wait_for_standby(cluster, "")
    wait_for_standby(cluster, "")


def wait_for_standby(cluster, names):
    """Make commits wait for a standby of this name; for none if it is empty."""
    eventually(lambda: set_standby(cluster, names))


def set_standby(cluster, names):
    """Whether it is set; not while the cluster recovers."""
    try:
        with cluster.connect() as connection:
            connection.execute(f"ALTER SYSTEM SET synchronous_standby_names = '{names}'")
            connection.execute("SELECT pg_reload_conf()")
        with cluster.connect() as connection:
            return connection.execute("SHOW synchronous_standby_names").fetchone() == (names,)
    except psycopg.OperationalError:
        return False


@pytest.mark.parametrize("function", ["pg_cancel_backend", "pg_terminate_backend"])
def test_wait_for_a_standby_is_cut_off(daemon, client, no_standby, function):
    """It has happened here, and nobody may be told before the standby has it too."""
    done = in_thread(lambda: client.post("/secrets", {"name": function}))
    eventually(lambda: backend_at(daemon.database, "SyncRep"))
    first = backend_at(daemon.database, "SyncRep")
    with psycopg.connect(daemon.database.dsn(), autocommit=True) as connection:
        connection.execute("SET synchronous_commit = local")
        connection.execute(f"SELECT {function}(%s)", [first])
    # The repeat finds it done, and waits for the standby itself.
    eventually(lambda: backend_at(daemon.database, "SyncRep") not in (None, first))
    no_standby()
    assert assert_done_once(daemon, done(), function) == 1


def test_read_that_is_cut_off_is_read_again(daemon, client, no_standby):
    no_standby()
    secret_id = client.create_secret(name="read")["id"]
    client.create_version(secret_id, b"value")
    wait_for_standby(daemon.database.cluster, "nobody")
    value = in_thread(lambda: client.access(secret_id))
    eventually(lambda: backend_at(daemon.database, "SyncRep"))
    first = backend_at(daemon.database, "SyncRep")
    daemon.database.query("SELECT pg_cancel_backend(%s)", first)
    eventually(lambda: backend_at(daemon.database, "SyncRep") not in (None, first))
    no_standby()
    assert value() == b"value"
    assert "standby not awaited" in daemon.log


IN_DOUBT = {"message": "outcome is unknown, the change may have been made", "type": "unavailable"}


def assert_in_doubt(answer):
    assert_answer(answer, 503, IN_DOUBT)
    assert "Retry-After" not in answer.headers


def names(database):
    return {name for (name,) in database.query("SELECT name FROM store.secret")}


def test_deadline_of_a_change(daemon, start_daemon, new_tenant, no_standby):
    """What runs may have happened, and its client is not asked to send it again; what has only waited has not."""
    database = daemon.database
    no_standby()
    hasty = start_daemon(database, request_deadline=1000, pool_size=6)
    tenant = new_tenant(hasty)
    wait_for_standby(database.cluster, "nobody")
    clients = [tenant.client() for _ in range(16)]
    answers = together(
        [
            partial(client.post, "/secrets", {"name": f"deadline-{number}"})
            for number, client in enumerate(clients)
        ]
    )
    no_standby()
    certain = {n for n, answer in enumerate(answers) if "Retry-After" in answer.headers}
    for number, answer in enumerate(answers):
        if number not in certain:
            assert_in_doubt(answer)
        else:
            assert_answer(answer, 503, {"message": "service is unavailable", "type": "unavailable"})
    assert 0 < len(certain) < 16
    made = names(database)
    assert not {f"deadline-{number}" for number in certain} & made
    eventually(hasty.ready)
    eventually(lambda: clients[0].get("/secrets").status == 200)
    # The one that runs is left to: it is there now.
    eventually(lambda: {f"deadline-{number}" for number in range(16)} & names(database))


def test_end_of_the_daemon_during_a_change(daemon, start_daemon, new_tenant, no_standby):
    no_standby()
    ending = start_daemon(daemon.database, drain_timeout=0)
    client = new_tenant(ending).client()
    wait_for_standby(daemon.database.cluster, "nobody")
    done = in_thread(lambda: client.post("/secrets", {"name": "ending"}))
    eventually(lambda: backend_at(daemon.database, "SyncRep"))
    ending.terminate()
    assert_in_doubt(done())
    assert ending.wait() == 0


def test_postgresql_crashes_while_a_change_waits(cluster, daemon, client, no_standby):
    """While nobody can be asked, the change waits, for as long as its request may take."""
    done = in_thread(lambda: client.post("/secrets", {"name": "crash"}))
    eventually(lambda: backend_at(daemon.database, "SyncRep"))
    os.kill(backend_at(daemon.database, "SyncRep"), signal.SIGKILL)
    no_standby()
    assert_done_once(daemon, done(), "crash")


def test_nobody_hears_warnings(database, start_daemon):
    database.query(
        f"ALTER ROLE coffer_api IN DATABASE {database.name} SET client_min_messages = error"
    )
    daemon = start_daemon(database, ready=False)
    eventually(lambda: "client_min_messages" in daemon.log)
    assert not daemon.ready()
