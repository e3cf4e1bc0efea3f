"""SIGTERM: what was begun is ended and answered, nothing new is begun, and the exit status is 0."""

import http.client
import signal
import socket
from contextlib import suppress

import pytest

from support import eventually
from support.client import Client
from support.daemon import free_port
from support.load import Load, together
from support.metrics import values


def waiting(database, schema="api"):
    """How many connections of daemons wait for a lock in the database, in a function of that schema."""
    ((count,),) = database.query(
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = %s AND usename = 'coffer_api' AND wait_event_type = 'Lock' AND query ~ %s",
        database.name,
        rf" {schema}\.",
    )
    return count


def refuses_connections(daemon):
    # One that is on its way while the socket closes is reset: the next one tells.
    with suppress(ConnectionResetError):
        try:
            socket.create_connection(("127.0.0.1", daemon.port), 10).close()
        except ConnectionRefusedError:
            return True
    return False


def send(daemon, secret_key):
    """Send a request on a connection of its own, and do not wait for the answer."""
    connection = socket.create_connection(("127.0.0.1", daemon.port), 60)
    path = Client(daemon.port).path("/secrets")
    head = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nX-Auth-Token: {secret_key}\r\n\r\n"
    connection.sendall(head.encode())
    return connection


def status_of_answer(connection):
    with connection:
        response = http.client.HTTPResponse(connection)
        response.begin()
        response.read()
        return response.status


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_running_requests_are_answered(new_database, start_daemon, new_tenant, number):
    port = free_port()
    daemon = start_daemon(new_database(), pool_size=4, metrics_listen=f"127.0.0.1:{port}")
    tenant = new_tenant(daemon)
    eventually(lambda: values(port)["coffer_pool_open"] == 4)
    with daemon.database.connect() as blocker:
        blocker.execute("BEGIN")
        blocker.execute("LOCK TABLE audit.event IN ACCESS EXCLUSIVE MODE")
        # Four run, one of which may be what seals the audit; the others stand in line.
        connections = [send(daemon, tenant.full_access.secret_key) for _ in range(12)]
        eventually(lambda: waiting(daemon.database, "(api|daemon)") == 4)
        for _ in range(2):  # once round its loop, it has taken all that was there before
            assert tenant.client().get("/live", absolute=True).status == 200
        daemon.process.send_signal(number)
        eventually(lambda: refuses_connections(daemon))
        blocker.execute("ROLLBACK")
    assert [status_of_answer(connection) for connection in connections] == [200] * 12
    assert daemon.wait() == 0


def test_under_load(new_database, start_daemon, new_tenant):
    """What the audit says was done, its client was told."""
    daemon = start_daemon(new_database())
    tenant = new_tenant(daemon)
    secret_id = tenant.client().create_secret(name="s")["id"]
    tenant.client().create_version(secret_id, b"data")
    ((start,),) = daemon.database.query("SELECT max(id) FROM audit.event")

    with Load(
        [tenant.client() for _ in range(16)],
        lambda client: client.get(f"/secrets/{secret_id}/versions/1/access"),
    ) as load:
        eventually(lambda: load.count(200) > 200)
        daemon.terminate()
        assert daemon.wait() == 0

    assert load.statuses() <= {200, 503}
    rows = daemon.database.query(
        "SELECT request_id FROM audit.event WHERE id > %s AND method = 'secret_version_access'",
        start,
    )
    done = {str(request_id) for (request_id,) in rows}
    told = {answer.headers["X-Request-Id"] for answer in load.answers if answer.status == 200}
    assert done == told


def test_drain_timeout(new_database, start_daemon, new_tenant):
    """What does not come to an end is answered that it did not."""
    daemon = start_daemon(new_database(), drain_timeout=1)
    client = new_tenant(daemon).client()
    with daemon.database.connect() as blocker:
        blocker.execute("BEGIN")
        blocker.execute("LOCK TABLE audit.event IN ACCESS EXCLUSIVE MODE")

        def stop():
            eventually(lambda: waiting(daemon.database) > 0)
            daemon.terminate()
            return daemon.wait()

        answer, status = together([lambda: client.get("/secrets"), stop])
    assert (answer.status, status) == (503, 0)


def test_a_request_that_comes_with_the_signal(new_database, start_daemon, new_tenant):
    """Of a connection that is taken in the loop's last round, the request is read when all is closed."""
    daemon = start_daemon(new_database())
    secret_key = new_tenant(daemon).full_access.secret_key
    daemon.process.send_signal(signal.SIGSTOP)
    connection = send(daemon, secret_key)
    daemon.terminate()
    daemon.process.send_signal(signal.SIGCONT)
    assert daemon.wait() == 0
    with suppress(ConnectionError):
        assert status_of_answer(connection) in (200, 503)


def test_idle_connections_do_not_hold_it_up(new_database, start_daemon):
    daemon = start_daemon(new_database(), idle_timeout=3600, drain_timeout=3600)
    connections = [socket.create_connection(("127.0.0.1", daemon.port), 30) for _ in range(10)]
    connections[0].sendall(b"GET / HTTP/1.1\r\n")
    daemon.terminate()
    assert daemon.wait() == 0
    for connection in connections:
        connection.close()


def test_without_a_database(start_daemon, own_cluster):
    daemon = start_daemon(own_cluster.database())
    own_cluster.stop()
    daemon.terminate()
    assert daemon.wait() == 0
