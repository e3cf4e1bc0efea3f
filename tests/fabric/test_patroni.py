"""Daemons on three nodes of Patroni, of which the primary goes away while callers call."""

import http.client
import json
import os
import re
import secrets
import signal
import subprocess
import threading
import time
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from support import eventually
from support.audit import is_anchored, verify_inside
from support.cluster import Cluster
from support.daemon import BINARY, environment, free_port
from support.majors import DEBIAN, OWNER
from support.recorded import RecordedLoad
from support.tenant import Tenant

RATE = 150  # calls a second
CALLERS = 24
WITHIN = 3  # seconds from Patroni's promotion to the first success

# doc/operate.md, "With Patroni", has the part that matters.
CONFIGURATION = """
scope: coffer
name: {name}
restapi:
  listen: 127.0.0.1:{api}
  connect_address: 127.0.0.1:{api}
etcd3:
  host: 127.0.0.1:{etcd}
bootstrap:
  dcs:
    ttl: 20
    loop_wait: 5
    retry_timeout: 5
    synchronous_mode: {synchronous}
    maximum_lag_on_failover: 1073741824
    postgresql:
      use_pg_rewind: true
      parameters:
        max_connections: 100
        unix_socket_directories: {directory}
        wal_log_hints: 'on'
        wal_retrieve_retry_interval: 500ms
  initdb:
  - encoding: UTF8
  - locale: C.UTF-8
  - data-checksums
postgresql:
  listen: 127.0.0.1:{port}
  connect_address: 127.0.0.1:{port}
  data_dir: {directory}/data
  bin_dir: {programs}
  pgpass: {directory}/pgpass
  pg_hba:
  - host all all 127.0.0.1/32 scram-sha-256
  - host replication all 127.0.0.1/32 scram-sha-256
  authentication:
    superuser: {{username: postgres, password: {password}}}
    replication: {{username: replication, password: {password}}}
    rewind: {{username: rewind, password: {password}}}
"""


def send(pids, number):
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            continue


class Node:
    """A node of Patroni with its PostgreSQL."""

    def __init__(self, directory, name, **values):
        directory.mkdir()
        self.name, self.port, self.api = name, free_port(), free_port()
        self.directory, self.password = directory, values["password"]
        self.file = directory / "patroni.yml"
        self.file.write_text(
            CONFIGURATION.format(
                name=name,
                port=self.port,
                api=self.api,
                directory=directory,
                programs=DEBIAN,
                **values,
            )
        )
        self.file.chmod(0o600)
        if OWNER:
            for path in (directory, self.file):
                os.chown(path, OWNER["user"], OWNER["group"])
        self.start()

    def start(self):
        with (self.directory / "log").open("ab") as log:
            self.patroni = subprocess.Popen(
                ["/usr/bin/patroni", self.file],
                env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
                cwd=self.directory,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                **OWNER,
            )

    def postmaster(self):
        """The process id of its postmaster, or None."""
        try:
            pid = (self.directory / "data" / "postmaster.pid").read_text().split()[0]
            command = Path(f"/proc/{pid}/cmdline").read_text()
        except (OSError, IndexError):
            return None
        return int(pid) if str(self.directory) in command else None

    def children(self, kind=""):
        """The processes of its postmaster, or those whose title has a word."""
        pid = self.postmaster()
        if pid is None:
            return []
        found = subprocess.run(
            ["ps", "-o", "pid=,args=", "--ppid", str(pid)], capture_output=True, text=True
        ).stdout
        return [int(line.split()[0]) for line in found.splitlines() if kind in line]

    def processes(self):
        """All of them: Patroni, the postmaster, and its processes."""
        patroni = [self.patroni.pid] if self.patroni.poll() is None else []
        return [*patroni, *filter(None, [self.postmaster()]), *self.children()]

    def kill(self):
        """End all of them, as a power cut would."""
        send(self.processes(), signal.SIGKILL)
        self.patroni.wait()

    def members(self):
        """What Patroni tells of the nodes: name, role and state of each; empty without an answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.api, timeout=5)
        try:
            connection.request("GET", "/cluster")
            return json.loads(connection.getresponse().read())["members"]
        except (OSError, ValueError, http.client.HTTPException):
            return []
        finally:
            connection.close()


class PatroniCluster(Cluster):
    """The nodes, as a cluster that one connection string names."""

    def __init__(self, directory, synchronous):
        self.synchronous = synchronous
        directory.mkdir()
        directory.chmod(0o755)
        super().__init__(directory, {"postgres": secrets.token_hex(16)})

    def start(self):
        self.nodes = []
        self._start_etcd()
        try:
            self._start_nodes()
        except BaseException:
            self.discard()
            raise

    def _start_etcd(self):
        self._etcd_port = free_port()
        ports = self._etcd_port, free_port()
        url, peer = (f"http://127.0.0.1:{port}" for port in ports)
        with (self.directory / "etcd.log").open("wb") as log:
            self.etcd = subprocess.Popen(
                ["etcd", "--name=e", f"--data-dir={self.directory}/etcd"]
                + [f"--listen-client-urls={url}", f"--advertise-client-urls={url}"]
                + [f"--listen-peer-urls={peer}", f"--initial-advertise-peer-urls={peer}"]
                + [f"--initial-cluster=e={peer}", "--unsafe-no-fsync"],
                stdout=log,
                stderr=log,
            )

    def _start_nodes(self):
        for number in range(1, 4):
            node = Node(
                self.directory / f"n{number}",
                f"n{number}",
                etcd=self._etcd_port,
                synchronous=str(self.synchronous).lower(),
                password=self._passwords["postgres"],
            )
            self.nodes.append(node)
            eventually(self.leader, 120)
        eventually(self.whole, 120)
        self._connection = {
            "host": ",".join("127.0.0.1" for _ in self.nodes),
            "port": ",".join(str(node.port) for node in self.nodes),
            "user": "postgres",
            "target_session_attrs": "read-write",
        }

    def discard(self):
        for node in self.nodes:
            node.kill()
        self.etcd.kill()
        self.etcd.wait()

    def environment(self, name, role="postgres"):
        return {**super().environment(name, role), "PGTARGETSESSIONATTRS": "read-write"}

    def connect(self, name="postgres", role="postgres"):
        return psycopg.connect(self.dsn(name, role), autocommit=True, connect_timeout=2)

    def _members(self):
        return next((found for node in self.nodes if (found := node.members())), [])

    def leader(self):
        """The node that leads, or None."""
        for member in self._members():
            if member["role"] == "leader" and member["state"] == "running":
                return next(node for node in self.nodes if node.name == member["name"])
        return None

    def whole(self):
        """Whether there are a leader and two standbys that follow it, as configured."""
        members = self._members()
        roles = sorted(member["role"] for member in members)
        standby = "sync_standby" if self.synchronous else "replica"
        return (
            roles == sorted(["leader", "replica", standby])
            and all(member["state"] in ("running", "streaming") for member in members)
            and len({member.get("timeline") for member in members}) == 1
        )


class Promotion:
    """Waits until a node takes changes that did not before; `at` is when. leader: the one that did.

    nodes: those that are watched."""

    def __init__(self, cluster, nodes, leader):
        self._cluster = cluster
        self._end = threading.Event()
        self.at = None
        with self._connect(leader) as connection:
            began = connection.execute("SELECT pg_postmaster_start_time()").fetchone()
        self._threads = [
            threading.Thread(target=self._watch, args=(node, began if node is leader else None))
            for node in nodes
        ]
        for thread in self._threads:
            thread.start()

    def _connect(self, node):
        dsn = self._cluster.dsn()
        dsn = make_conninfo(dsn, host="127.0.0.1", port=node.port, target_session_attrs="any")
        return psycopg.connect(dsn, autocommit=True, connect_timeout=2)

    def _watch(self, node, began):
        while self.at is None and not self._end.wait(0.02):
            try:
                with self._connect(node) as connection:
                    self._watch_one(connection, began)
            except psycopg.Error:
                continue

    def _watch_one(self, connection, began):
        """began: when this server started if it is the leader's, which took changes until then."""
        query = "SELECT NOT pg_is_in_recovery()"
        if connection.execute("SELECT pg_postmaster_start_time()").fetchone() == began:
            query = "SELECT false"
        while self.at is None and not self._end.wait(0.02):
            if connection.execute(query).fetchone() == (True,):
                self.at = time.monotonic()

    def stop(self):
        self._end.set()
        for thread in self._threads:
            thread.join()


class Service:
    """Two daemons on a database of a cluster, a tenant, and the callers."""

    def __init__(self, cluster, start_daemon, **settings):
        self.database = cluster.database()
        self.daemons = [start_daemon(self.database, check_interval=1, **settings) for _ in range(2)]
        self.tenant = Tenant(self.daemons[0])
        for name in ("secret", "secret_version"):
            self.database.query(
                "SELECT operator.quota_set(%s, %s, 1000000)",
                self.tenant.organization_id,
                name,
                role="coffer_operator",
            )

    def load(self):
        clients = [[self.tenant.client(daemon) for daemon in self.daemons] for _ in range(CALLERS)]
        return RecordedLoad(clients, RATE)

    def verify(self):
        """Run coffer audit verify with both logs; return its end."""
        eventually(lambda: is_anchored(self.database))
        return subprocess.run(
            [BINARY, "audit", "verify"]
            + [word for daemon in self.daemons for word in ("--anchors", daemon.log_file)],
            env=environment({"dsn_auditor": self.database.dsn("coffer_auditor")}),
            capture_output=True,
            text=True,
        )


@pytest.fixture(scope="module")
def synchronous(scratch):
    cluster = PatroniCluster(scratch / "synchronous", True)
    yield cluster
    cluster.discard()


@pytest.fixture
def asynchronous(scratch):
    cluster = PatroniCluster(scratch / "asynchronous", False)
    yield cluster
    cluster.discard()


def switch_over(cluster, leader):
    subprocess.run(
        ["patronictl", "-c", leader.file, "switchover", "--master", leader.name, "--force"],
        env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
        check=True,
        capture_output=True,
    )


def kill_postmaster(cluster, leader):
    os.kill(leader.postmaster(), signal.SIGKILL)


def fall_silent(cluster, leader):
    send(leader.processes(), signal.SIGSTOP)


@pytest.mark.parametrize("event", [switch_over, kill_postmaster, fall_silent])
def test_synchronous(synchronous, start_daemon, figure, event):
    cluster, name = synchronous, f"Patroni, {event.__name__.replace('_', ' ')}"
    eventually(cluster.whole, 120)
    service = Service(cluster, start_daemon)
    leader = cluster.leader()
    with service.load() as load:
        eventually(lambda: len(load.acknowledged()) > 3 * RATE)
        watched = [node for node in cluster.nodes if node is not leader or event is not fall_silent]
        promotion = Promotion(cluster, watched, leader)
        began = time.monotonic()
        try:
            event(cluster, leader)
            eventually(lambda: promotion.at, 120)
            eventually(lambda: load.acknowledged()[-1].began > promotion.at)
        finally:
            promotion.stop()
            if event is fall_silent:
                send(leader.processes(), signal.SIGCONT)  # it comes back while calls go on
        served = len(load.acknowledged())
        eventually(lambda: len(load.acknowledged()) > served + 3 * RATE)
        eventually(cluster.whole, 120)
    silence = load.gap(began)
    after = min(call.ended for call in load.acknowledged() if call.ended >= promotion.at)
    figure(f"{name}: calls", len(load.calls), "")
    figure(f"{name}: until promoted", promotion.at - began, "s")
    figure(f"{name}: first success after the promotion", after - promotion.at, "s")
    figure(f"{name}: longest time without a success", silence[1] - silence[0], "s")
    figure(f"{name}: calls without success", sum(load.failed().values()), "")
    assert after - promotion.at < WITHIN
    load.assert_all_there(service.database, service.tenant.client())
    figure(f"{name}: changes lost or doubled, plaintexts without a row", 0, "")
    ended = service.verify()
    assert (ended.returncode, ended.stdout) == (0, ""), ended.stdout + ended.stderr
    assert ": sound\n" in ended.stderr and "lost" not in ended.stderr
    assert verify_inside(service.database) == []


def test_asynchronous(asynchronous, start_daemon, figure):
    """What the standby lacked is named, row by row, from the logs of the daemons."""
    cluster, name = asynchronous, "Patroni, asynchronous standby that lagged"
    service = Service(cluster, start_daemon)
    leader = cluster.leader()
    with service.load() as load:
        eventually(lambda: len(load.acknowledged()) > 3 * RATE)
        send(leader.children("walsender"), signal.SIGSTOP)
        told = len(load.acknowledged())
        eventually(lambda: len(load.acknowledged()) > told + RATE)
        leader.kill()
        eventually(lambda: cluster.leader() not in (None, leader), 120)
        # No daemon serves a database that lacks what it has seen.
        eventually(
            lambda: all("the database lacks what" in daemon.log for daemon in service.daemons), 120
        )
        assert not any(daemon.ready() for daemon in service.daemons)
        service.database.query(
            "SELECT operator.audit_epoch_begin('failover, the primary was lost')",
            role="coffer_operator",
        )
        eventually(lambda: all(daemon.ready() for daemon in service.daemons))
        served = len(load.acknowledged())
        eventually(lambda: len(load.acknowledged()) > served + RATE)
    logged = {
        line["receipt"]
        for daemon in service.daemons
        for line in daemon.log_lines()
        if line["event"] == "receipt"
    }
    rows = service.database.query("SELECT id FROM audit.event WHERE id = ANY (%s)", sorted(logged))
    lost = logged - {row for (row,) in rows}
    acknowledged = load.missing_rows(service.database)
    assert acknowledged and acknowledged <= lost
    figure(f"{name}: receipts without rows", len(lost), "")
    ended = service.verify()
    said = f"{len(lost)} receipts, of rows {min(lost)} to {max(lost)}, were lost when epoch 2 began"
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert said in ended.stderr, (said, ended.stderr)
    assert len(re.findall("receipts, of rows", ended.stderr)) == 1
    figure(f"{name}: of these named by the verification", len(lost), "")
