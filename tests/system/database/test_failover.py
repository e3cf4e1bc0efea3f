"""A standby that lagged takes over: daemons notice, an epoch declares the loss, and the proof of the audit goes on."""

import json

import pytest
from test_servers import promote, two_hosts

from support import eventually
from support.audit import is_anchored, start_verify, verify, verify_inside
from support.cluster import Database


class Pair:
    """A database, a standby that has stopped following it, and two daemons that know of what only the primary has."""

    def __init__(self, cluster, standby, start_daemon, new_tenant, **settings):
        self.cluster, self.standby = cluster, standby
        self.database = cluster.database()
        self.other = Database(standby, self.database.name)
        dsn = two_hosts(self.database, cluster.port, standby.port)
        self.daemons = [
            start_daemon(self.database, dsn=dsn, check_interval=1, connect_timeout=2000, **settings)
            for _ in range(2)
        ]
        tenant = new_tenant(self.daemons[0])
        self.clients = [tenant.client(daemon) for daemon in self.daemons]
        self.secret = self.clients[0].create_secret(name="kept")["id"]
        self.clients[0].create_version(self.secret, b"kept")
        eventually(lambda: is_anchored(self.database))
        self.cut()
        self.clients[0].create_version(self.secret, b"lost")
        for client in self.clients:
            assert client.access(self.secret) == b"lost"
        eventually(lambda: is_anchored(self.database))
        self.cursor = self.clients[0].changes(after="latest")["cursor"]
        self.newest = newest(self.database)

    def cut(self):
        """The standby has all that there is, and gets no more."""
        eventually(self._has_followed)
        with self.standby.connect() as connection:
            connection.execute("ALTER SYSTEM SET primary_conninfo = ''")
            connection.execute("SELECT pg_reload_conf()")
            eventually(lambda: connection.execute("SELECT FROM pg_stat_wal_receiver").rowcount == 0)

    def _has_followed(self):
        with self.cluster.connect() as primary, self.standby.connect() as standby:
            [(lsn,)] = primary.execute("SELECT pg_current_wal_lsn()").fetchall()
            return standby.execute("SELECT pg_last_wal_replay_lsn() >= %s", [lsn]).fetchone()[0]

    def fail_over(self):
        self.cluster.kill()
        promote(self.standby)
        eventually(lambda: not self.other.query("SELECT pg_is_in_recovery()")[0][0])

    def logs(self):
        return [word for daemon in self.daemons for word in ("--anchors", daemon.log_file)]

    def verified(self):
        """Exit status, damages, and what is said beside, with the logs of both."""
        process = start_verify(self.other, *self.logs())
        output, said = process.communicate(timeout=60)
        return process.returncode, output, said

    def assert_goes_on(self):
        """Both serve, no id is given again, changes are not skipped, and the loss is named and is no damage."""
        for daemon in self.daemons:
            eventually(daemon.ready)
        for client in self.clients:
            answer = client.get(f"/secrets/{self.secret}/versions/latest/access")
            assert (answer.status, answer.body["revision"]) == (200, 1)
            assert int(answer.headers["X-Audit-Id"]) > self.newest + 10**11
        self.clients[1].create_version(self.secret, b"new")
        found = eventually(lambda: self.clients[0].changes(after=self.cursor)["changes"])
        assert "CreateSecretVersion" in [change["method_name"] for change in found]
        eventually(lambda: is_anchored(self.other))
        assert verify_inside(self.other) == []
        status, damages, said = self.verified()
        assert (status, damages) == (0, "")
        assert "were lost when epoch 2 began" in said and "were lost when their epoch ended" in said
        assert self.other.query("SELECT epoch FROM audit.epoch ORDER BY 1") == [(1,), (2,)]


def newest(database):
    [[id]] = database.query("SELECT max(id) FROM audit.event")
    return id


def reason(daemon):
    return json.loads(daemon.readiness()[1]).get("reason", "")


@pytest.fixture
def standby(numbered, own_cluster):
    standby = own_cluster.standby(numbered("standby"), "late")
    yield standby
    standby.discard()


def test_standby_that_lagged_takes_over(own_cluster, standby, start_daemon, new_tenant):
    pair = Pair(own_cluster, standby, start_daemon, new_tenant)
    # It is behind, and nothing is lost yet.
    status, damages, said = pair.verified()
    assert (status, damages) == (0, "")
    assert said.count("this standby is behind") == 2

    pair.fail_over()
    for daemon in pair.daemons:
        eventually(lambda daemon=daemon: "lacks what this daemon has seen" in reason(daemon))
        assert "operator.audit_epoch_begin" in reason(daemon)
    assert pair.clients[0].get("/secrets").status == 503
    status, damages = verify(pair.other, *pair.logs())
    assert status == 1 and {damage.split()[0] for damage in damages} == {
        "anchor_lost",
        "receipt_lost",
    }

    pair.other.query(
        "SELECT operator.audit_epoch_begin('the primary was lost')", role="coffer_operator"
    )
    pair.assert_goes_on()


def test_epoch_on_loss(own_cluster, standby, start_daemon, new_tenant):
    """Of two daemons that may, one begins it, and it says what it had seen."""
    pair = Pair(own_cluster, standby, start_daemon, new_tenant, epoch_on_loss=1)
    pair.fail_over()
    pair.assert_goes_on()
    [[seen]] = pair.other.query(
        "SELECT request -> 'seen' FROM audit.event WHERE method = 'operator.audit_epoch_begin'"
    )
    assert seen["epoch"] == 1 and seen["seal"] > 0
    assert any("an epoch is begun" in daemon.log for daemon in pair.daemons)


def test_standby_that_has_all_takes_over(own_cluster, standby, start_daemon, new_tenant):
    """Nothing is lost, so no epoch is asked for."""
    database = own_cluster.database()
    dsn = two_hosts(database, own_cluster.port, standby.port)
    daemon = start_daemon(database, dsn=dsn, check_interval=1, connect_timeout=2000)
    client = new_tenant(daemon).client()
    own_cluster.set(synchronous_standby_names="late")
    secret = client.create_secret(name="kept")["id"]
    client.create_version(secret, b"kept")
    own_cluster.kill()
    promote(standby)
    eventually(lambda: client.get("/secrets").status == 200)
    assert client.access(secret) == b"kept"
    assert "lacks what this daemon has seen" not in daemon.log
