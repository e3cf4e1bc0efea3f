"""Several servers in one connection string, and servers that must say who they are."""

import json
import shutil
import socket
from collections import Counter

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from support import eventually
from support.certificate import certificate
from support.cluster import Database
from support.forwarder import Forwarder
from support.load import Load


def promote(standby):
    with standby.connect() as connection:
        connection.execute("SELECT pg_promote()")


@pytest.fixture
def followed(numbered, own_cluster):
    """A database, and a standby of its cluster, for which each commit waits."""
    database = own_cluster.database()
    standby = own_cluster.standby(numbered("standby"), "standby")
    try:
        own_cluster.set(synchronous_standby_names="standby")
        eventually(
            lambda: (
                own_cluster.connect()
                .execute("SELECT sync_state FROM pg_stat_replication")
                .fetchall()
                == [("sync",)]
            )
        )
        yield database, standby
    finally:
        standby.discard()


def creator():
    """A call that creates a secret, of each client under a name that it has not had yet."""
    names = Counter()

    def create(client):
        names[id(client)] += 1
        return client.post("/secrets", {"name": f"{id(client)}-{names[id(client)]}"})

    return create


def test_standby_takes_over(own_cluster, followed, start_daemon, new_tenant):
    """The primary is lost under load: no answer that was given is, and no change is done twice."""
    database, standby = followed
    # The standby comes first: it is not what the daemon wants, also where that is not said.
    dsn = two_hosts(database, standby.port, own_cluster.port)
    start_daemon(database, dsn=make_conninfo(dsn, target_session_attrs="any")).stop()
    daemon = start_daemon(database, dsn=dsn, request_deadline=60000, key_rate=0)
    tenant = new_tenant(daemon)
    secret_id = tenant.client().create_secret(name="read")["id"]
    tenant.client().create_version(secret_id, b"value")
    clients = [tenant.client() for _ in range(4)]

    def read(client):
        return client.get(f"/secrets/{secret_id}/versions/1/access")

    with Load(clients, creator()) as creates, Load([tenant.client()], read) as reads:
        eventually(lambda: creates.count(200) > 20 and reads.count(200) > 5)
        own_cluster.kill()
        promote(standby)
        before = creates.count(200), reads.count(200)
        eventually(lambda: creates.count(200) > before[0] + 20 and reads.count(200) > before[1] + 5)
    # A create that was repeated blindly would meet its own name.
    assert creates.statuses() | reads.statuses() <= {200, 503}
    assert_all_there(Database(standby, database.name), creates, reads)


def assert_all_there(database, creates, *others):
    receipts = [
        int(answer.headers["X-Audit-Id"])
        for load in (creates, *others)
        for answer in load.answers
        if answer.status == 200
    ]
    ids = [answer.body["id"] for answer in creates.answers if answer.status == 200]
    assert database.query("SELECT count(*) FROM audit.event WHERE id = ANY (%s)", receipts) == [
        (len(set(receipts)),)
    ]
    assert len(set(receipts)) == len(receipts)
    assert database.query("SELECT count(*) FROM store.secret WHERE id = ANY (%s)", ids) == [
        (len(ids),)
    ]


PASSED_OVER = "a host of the database does not serve"


def two_hosts(database, first, second, **options):
    """A connection string of two ports."""
    return make_conninfo(
        database.dsn("coffer_api"),
        host="127.0.0.1,127.0.0.1",
        port=f"{first},{second}",
        target_session_attrs="read-write",
        **options,
    )


def causes(daemon):
    """Why hosts were passed over, in the order of the log."""
    return [line["cause"] for line in daemon.log_lines() if line["event"] == PASSED_OVER]


def backends(database):
    """The processes of PostgreSQL that serve the daemon."""
    rows = database.query(
        "SELECT pid FROM pg_stat_activity WHERE usename = 'coffer_api' AND datname = %s",
        database.name,
    )
    return {pid for (pid,) in rows}


@pytest.mark.parametrize(
    ["said", "settings"],
    [({}, {"connect_timeout": 2000}), ({"connect_timeout": 1}, {"connect_timeout": 60000})],
    ids=["setting", "dsn"],
)
def test_first_host_never_answers(database, start_daemon, said, settings):
    """It costs its time once: all connections know which host serves."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        dsn = two_hosts(database, silent.getsockname()[1], database.cluster.port, **said)
        daemon = start_daemon(database, dsn=dsn, pool_size=4, check_interval=1, **settings)
        eventually(lambda: len(backends(database)) == 4)
        seen = "SELECT max(seen_at) FROM store.instance"
        before = database.query(seen)
        eventually(lambda: database.query(seen) > before)  # the drift check connects, too
        assert causes(daemon) == ["timeout"]


def test_host_falls_silent_under_calls(database, start_daemon, new_tenant):
    """Each call is answered at its deadline, and what waited for that host goes to the next."""
    with Forwarder(database.cluster.port) as forwarder:
        dsn = two_hosts(database, forwarder.port, database.cluster.port)
        daemon = start_daemon(
            database, dsn=dsn, check_interval=60, request_deadline=1000, connect_timeout=2000
        )
        tenant = new_tenant(daemon)
        with Load(
            [tenant.client() for _ in range(4)], lambda client: client.get("/secrets")
        ) as load:
            eventually(lambda: load.count(200) > 20)
            forwarder.fall_silent()
            eventually(lambda: load.count(503) > 0)
            before = load.count(200)
            eventually(lambda: load.count(200) > before + 200)
        assert load.statuses() == {200, 503}
        # Nobody is left with the silent host.
        assert [answer.status for answer in load.answers[-100:]] == [200] * 100


def test_host_falls_silent_while_nobody_calls(database, start_daemon, new_tenant):
    """The check finds out, and takes the connections of the pool along."""
    with Forwarder(database.cluster.port) as forwarder:
        dsn = two_hosts(database, forwarder.port, database.cluster.port)
        daemon = start_daemon(
            database, dsn=dsn, check_interval=1, request_deadline=60000, connect_timeout=2000
        )
        client = new_tenant(daemon).client()
        forwarder.fall_silent()
        eventually(lambda: "another host of the database serves" in daemon.log)
        eventually(daemon.ready)
        assert client.get("/secrets").status == 200


def test_host_is_silent_to_new_connections_only(database, start_daemon, new_tenant):
    """Those that serve stay where they are."""
    with Forwarder(database.cluster.port) as forwarder:
        dsn = two_hosts(database, forwarder.port, database.cluster.port)
        daemon = start_daemon(
            database, dsn=dsn, pool_size=4, check_interval=60, connect_timeout=2000
        )
        client = new_tenant(daemon).client()
        eventually(lambda: len(backends(database)) == 4)
        before = backends(database)
        forwarder.take_no_more()
        with Load([client], lambda client: client.get("/secrets")) as load:
            database.query("SELECT pg_terminate_backend(%s)", min(before))
            eventually(lambda: len(backends(database) - before) == 1)
            answered = len(load.answers)
            eventually(lambda: len(load.answers) > answered + 20)
        assert before - backends(database) == {min(before)}
        assert causes(daemon) == ["timeout"]


def test_only_host_falls_silent(database, start_daemon):
    """What is connected cannot be known to be of use any more; when it answers again, it is."""

    def readiness():
        return json.loads(daemon.readiness()[1])

    with Forwarder(database.cluster.port) as forwarder:
        dsn = make_conninfo(database.dsn("coffer_api"), port=forwarder.port)
        daemon = start_daemon(
            database, dsn=dsn, check_interval=1, request_deadline=60000, connect_timeout=2000
        )
        forwarder.fall_silent()
        eventually(lambda: daemon.readiness()[0] == 503)
        assert readiness() == {
            "reason": "check: the database does not answer",
            "status": "not ready",
        }
        forwarder.go_on()
        eventually(daemon.ready)
        eventually(lambda: readiness()["warnings"] == {})


def test_no_new_connection(database, start_daemon, new_tenant):
    """It serves with those it has, and warns."""
    daemon = start_daemon(database, pool_size=16, check_interval=1)
    client = new_tenant(daemon).client()
    name = database.name
    eventually(lambda: len(backends(database)) == 16)
    database.query(f"ALTER DATABASE {name} CONNECTION LIMIT 0")
    eventually(lambda: "check" in json.loads(daemon.readiness()[1]).get("warnings", {}))
    refused = daemon.log.count("unable to check the database")
    eventually(lambda: daemon.log.count("unable to check the database") > refused + 2)
    assert daemon.ready()
    assert client.get("/secrets").status == 200
    database.query(f"ALTER DATABASE {name} CONNECTION LIMIT -1")
    eventually(lambda: json.loads(daemon.readiness()[1])["warnings"] == {})


def test_primary_falls_silent(own_cluster, followed, start_daemon, new_tenant):
    """Its standby is refused until it takes writes, and then no change is lost or done twice."""
    database, standby = followed
    with Forwarder(own_cluster.port) as forwarder:
        dsn = two_hosts(database, forwarder.port, standby.port)
        daemon = start_daemon(
            database,
            dsn=dsn,
            pool_size=16,  # a call that finds no connection at the move is refused
            request_deadline=60000,
            connect_timeout=2000,
            check_interval=1,
        )
        tenant = new_tenant(daemon)
        clients = [tenant.client() for _ in range(4)]
        with Load(clients, creator()) as creates:
            eventually(lambda: creates.count(200) > 20)
            forwarder.fall_silent()
            eventually(lambda: any("read-only" in cause for cause in causes(daemon)))
            before = creates.count(200)
            promote(standby)
            eventually(lambda: creates.count(200) > before + 20)
        assert creates.statuses() == {200}
        # The first takes connections still, and commits nothing, as it has lost its standby:
        # a second handshake would wait for a lock of the first, and fail by that.
        dsn = two_hosts(database, own_cluster.port, standby.port)
        other = start_daemon(database, dsn=dsn, connect_timeout=2000)
        assert "is not fit to be served" not in other.log
        assert_all_there(Database(standby, database.name), creates)


def test_server_must_show_its_certificate(numbered, own_cluster, start_daemon):
    directory = numbered("certificate")
    key, right = certificate(directory, "right")
    _, other = certificate(directory, "other")
    database = own_cluster.database()

    def start(**options):
        dsn = make_conninfo(database.dsn("coffer_api"), **options)
        return start_daemon(database, ready=False, dsn=dsn, connect_timeout=10000)

    plain = start(sslmode="require")
    eventually(lambda: "server does not support SSL" in plain.log)
    assert not plain.ready()

    for file, name in ((key, "server.key"), (right, "server.crt")):
        shutil.copy(file, own_cluster.data / name)
        shutil.chown(own_cluster.data / name, own_cluster.data.owner(), own_cluster.data.group())
        (own_cluster.data / name).chmod(0o600)
    own_cluster.set(ssl="on")
    eventually(plain.ready)

    wrong = start(sslmode="verify-full", sslrootcert=str(other))
    eventually(lambda: "certificate verify failed" in wrong.log)
    assert not wrong.ready()
    sound = start(sslmode="verify-full", sslrootcert=str(right))
    eventually(sound.ready)
    with psycopg.connect(database.dsn()) as connection:
        rows = connection.execute(
            "SELECT DISTINCT s.ssl FROM pg_stat_ssl s JOIN pg_stat_activity a USING (pid)"
            " WHERE a.usename = 'coffer_api'"
        ).fetchall()
    assert rows == [(True,)]
