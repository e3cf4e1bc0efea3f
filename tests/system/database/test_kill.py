"""Processes are killed, or fail, under load: what clients were told is true, and the audit has it."""

import base64
import http.client
import itertools
import os
import random
import signal
import subprocess
import time

import psycopg
import pytest

from support import eventually
from support.cluster import Cluster
from support.daemon import Daemon
from support.load import Load
from support.tenant import Tenant

pytestmark = pytest.mark.long

KILLS = int(os.environ.get("COFFER_KILLS") or 100)
SEED = random.randrange(2**32)


@pytest.fixture(scope="module")
def cluster(numbered):
    cluster = Cluster(numbered("cluster"))
    yield cluster
    cluster.discard()


@pytest.fixture(scope="module")
def daemon(numbered, cluster, root_key_file):
    daemon = Daemon(
        numbered("daemon"), cluster.database(), root_key_file, job_interval=1, key_rate=0
    )
    yield daemon
    daemon.stop()


class Work:
    """Clients that write and read without end; `check` compares what they heard with what is there."""

    def __init__(self, daemon):
        self.daemon = daemon
        eventually(daemon.ready)
        tenant = Tenant(daemon)
        self.client = tenant.client()
        daemon.database.query(
            "SELECT operator.quota_set(%s, 'secret_version', 1000000),"
            " operator.quota_set(%s, 'secret', 1000000)",
            *[tenant.organization_id] * 2,
            role="coffer_operator",
        )
        self.project_id = tenant.project_id
        self.secret_id = self.client.create_secret(name="read")["id"]
        self.client.create_version(self.secret_id, b"value")
        self.written_id = self.client.create_secret(name="written")["id"]
        self.numbers = itertools.count(1)
        kinds = [(self.create, 2), (self.version, 2), (self.read, 2)]
        self.loads = [
            Load([tenant.client() for _ in range(n)], self.sent(call)) for call, n in kinds
        ]

    @staticmethod
    def sent(call):
        """An answer that is cut off is none."""

        def send(client):
            try:
                return call(client)
            except http.client.HTTPException as error:
                raise ConnectionError from error

        return send

    def create(self, client):
        return client.post("/secrets", {"name": f"n{next(self.numbers)}"})

    def version(self, client):
        tag = f"v{next(self.numbers)}"
        return client.post(
            f"/secrets/{self.written_id}/versions",
            {"data": base64.b64encode(tag.encode()).decode(), "description": tag},
        )

    def read(self, client):
        return client.get(f"/secrets/{self.secret_id}/versions/1/access")

    def __enter__(self):
        for load in self.loads:
            load.__enter__()
        self.goes_on()
        return self

    def __exit__(self, *error):
        for load in self.loads:
            load.__exit__(*error)

    def goes_on(self):
        """Wait until each kind of call has succeeded again."""
        before = [load.count(200) for load in self.loads]
        eventually(
            lambda: all(load.count(200) > count for load, count in zip(self.loads, before)), 120
        )

    def answered(self, load):
        return [answer for answer in load.answers if answer.status == 200]

    def check(self, statuses=frozenset({200, 503})):
        creates, versions, reads = map(self.answered, self.loads)
        self.client.close()  # the daemon may be another one
        # 409 would be a create that meets its own name.
        assert set().union(*(load.statuses() for load in self.loads)) <= statuses
        assert {answer.body["data"] for answer in reads} == {base64.b64encode(b"value").decode()}
        for method, answers in (
            ("secret_create", creates),
            ("secret_version_create", versions),
            ("secret_version_access", reads),
        ):
            self.check_receipts(method, answers)
        self.check_writes(creates, versions)

    def check_receipts(self, method, answers):
        """Each answer has a row of its own, which says the same."""
        receipts = {int(answer.headers["X-Audit-Id"]) for answer in answers}
        assert len(receipts) == len(answers)
        rows = self.query(
            "SELECT id, request_id::text FROM audit.event"
            " WHERE method = %s AND status = 200 AND id = ANY (%s)",
            method,
            list(receipts),
        )
        ids = {answer.headers["X-Request-Id"] for answer in answers}
        assert {receipt for receipt, _ in rows} == receipts
        assert {request_id for _, request_id in rows} == ids

    def check_writes(self, creates, versions):
        names = dict(
            self.query(
                "SELECT id::text, name FROM store.secret WHERE project_id = %s", self.project_id
            )
        )
        assert {a.body["id"]: a.body["name"] for a in creates}.items() <= names.items()
        written = self.query(
            "SELECT revision, description FROM store.version WHERE secret_id = %s", self.written_id
        )
        assert {(a.body["revision"], a.body["description"]) for a in versions} <= set(written)
        for twice in (list(names.values()), [tag for _, tag in written]):
            assert len(twice) == len(set(twice))
        for answer in versions[:: len(versions) // 20 + 1]:
            value = self.client.access(self.written_id, str(answer.body["revision"]))
            assert value.decode() == answer.body["description"]
        assert not self.query(
            "SELECT request_id FROM audit.event WHERE status = 200 AND request_id IS NOT NULL"
            " AND method IN ('secret_create', 'secret_version_create')"
            " GROUP BY request_id HAVING count(*) > 1"
        )
        # All that has happened has its row, too.
        (counted,) = self.query(
            "SELECT count(*) FILTER (WHERE method = 'secret_create' AND project_id = %s),"
            " count(*) FILTER (WHERE method = 'secret_version_create' AND secret_id = %s)"
            " FROM audit.event WHERE status = 200",
            self.project_id,
            self.written_id,
        )
        assert counted == (len(names), len(written))

    def query(self, *arguments):
        return self.daemon.database.query(*arguments)


# What is killed -----------------------------------------------------------------------------------


def backends(cluster):
    try:
        with cluster.connect() as connection:
            return connection.execute(
                "SELECT pid FROM pg_stat_activity WHERE usename = 'coffer_api'"
            ).fetchall()
    except psycopg.OperationalError:
        return []


def end_a_connection(chance, cluster, daemon):
    eventually(lambda: backends(cluster))
    with cluster.connect() as connection:
        time.sleep(chance.uniform(0, 0.02))
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE usename = 'coffer_api' ORDER BY state, random() LIMIT 1"
        )


def kill_a_backend(chance, cluster, daemon):
    """PostgreSQL then ends all others, and recovers."""
    (pid,) = chance.choice(eventually(lambda: backends(cluster)))
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def kill_the_postmaster(chance, cluster, daemon):
    cluster.kill()
    cluster.start()


def kill_the_daemon(chance, cluster, daemon):
    daemon.kill()
    daemon.start(ready=False)
    eventually(daemon.listens)


# Of a hundred: the dearer ones are rarer.
TROUBLES = (
    [end_a_connection] * 60
    + [kill_the_daemon] * 30
    + [kill_a_backend] * 8
    + [kill_the_postmaster] * 2
)


def test_kills(cluster, daemon):
    print(f"seed {SEED}")
    chance = random.Random(SEED)
    with Work(daemon) as work:
        for number in range(KILLS):
            time.sleep(chance.uniform(0, 0.05))
            trouble = TROUBLES[(number * 37) % 100]
            trouble(chance, cluster, daemon)
            if trouble in (kill_a_backend, kill_the_postmaster):
                work.goes_on()
        work.goes_on()
    work.check()


# What fails ---------------------------------------------------------------------------------------


def this_month(daemon):
    ((name,),) = daemon.database.query(
        "SELECT to_char(now() AT TIME ZONE 'UTC', '\"audit.event_\"YYYY_MM')"
    )
    return name


def test_disk_is_full(daemon, small_disk):
    partition = this_month(daemon)
    daemon.database.query(f"CREATE TABLESPACE small LOCATION '{small_disk / 'tablespace'}'")
    daemon.database.query(f"ALTER TABLE {partition} SET TABLESPACE small")
    with Work(daemon) as work:
        filler = small_disk / "filler"
        subprocess.run(["dd", "if=/dev/zero", f"of={filler}", "bs=64k"], capture_output=True)
        eventually(lambda: all(load.count(503) > 5 for load in work.loads), 120)
        filler.unlink()
        work.goes_on()
    work.check()
    daemon.database.query(f"ALTER TABLE {partition} SET TABLESPACE pg_default")
    daemon.database.query("DROP TABLESPACE small")


def test_audit_partition_is_dropped(daemon):
    """The job makes it anew; what was in the old one is put aside here, to be compared."""
    partition = this_month(daemon)
    with Work(daemon) as work:
        daemon.database.deploy(
            f"ALTER TABLE audit.event DETACH PARTITION {partition}; ALTER TABLE {partition} RENAME TO gone"
        )
        eventually(lambda: work.query("SELECT to_regclass(%s) IS NOT NULL", partition) == [(True,)])
        work.goes_on()
    daemon.database.query(f"INSERT INTO {partition} SELECT * FROM audit.gone")
    daemon.database.deploy("DROP TABLE audit.gone")
    work.check({200, 500, 503})


def test_right_to_insert_is_revoked(daemon):
    with Work(daemon) as work:
        daemon.database.deploy("REVOKE INSERT ON audit.event FROM coffer_exec")
        eventually(lambda: all(load.count(503) > 5 for load in work.loads))
        daemon.database.deploy("GRANT INSERT ON audit.event TO coffer_exec")
        work.goes_on()
    work.check()
