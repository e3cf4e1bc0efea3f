"""Without its audit row nothing is answered, whatever keeps the row from being written; and it mends itself when that is over."""

import base64
import json
import subprocess
from contextlib import contextmanager

import pytest

from support import eventually
from support.audit import is_anchored, verify
from support.cluster import Cluster
from support.daemon import Daemon, free_port
from support.metrics import values
from support.tenant import Tenant

VALUE = b"canary of a value"


@pytest.fixture(scope="module")
def cluster(numbered):
    cluster = Cluster(numbered("cluster"))
    yield cluster
    cluster.discard()


@pytest.fixture(scope="module")
def daemon(numbered, cluster, root_key_file):
    port = free_port()
    daemon = Daemon(
        numbered("daemon"), cluster.database(), root_key_file, metrics_listen=f"127.0.0.1:{port}"
    )
    daemon.metrics_port = port
    yield daemon
    daemon.stop()


@pytest.fixture(scope="module")
def reader(daemon):
    """A client with a secret that it reads."""
    client = Tenant(daemon).client()
    client.secret = client.create_secret(name="read")["id"]
    client.create_version(client.secret, VALUE)
    return client


def access(client):
    return client.get(f"/secrets/{client.secret}/versions/latest/access")


@pytest.fixture
def partition(daemon):
    [[name, from_, to]] = daemon.database.query(
        "SELECT 'audit.' || rule.audit_partition(m::date), m::text || ' UTC', (m + interval '1 month')::text || ' UTC'"
        " FROM date_trunc('month', now() AT TIME ZONE 'UTC') AS m"
    )
    return {"partition": name, "from_": from_, "to": to}


@contextmanager
def deployed(database, breaks, mends):
    database.deploy(breaks)
    try:
        yield
    finally:
        database.deploy(mends)


def right(database, names, cluster, request):
    return deployed(
        database,
        "REVOKE INSERT ON audit.event FROM coffer_exec",
        "GRANT INSERT ON audit.event TO coffer_exec",
    )


def missing(database, names, cluster, request):
    return deployed(
        database,
        "ALTER TABLE audit.event DETACH PARTITION {partition}".format(**names),
        "ALTER TABLE audit.event ATTACH PARTITION {partition} FOR VALUES FROM ('{from_}') TO ('{to}')".format(
            **names
        ),
    )


def trigger(database, names, cluster, request):
    return deployed(
        database,
        "CREATE FUNCTION public.stop() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RAISE 'no'; END$$;"
        " CREATE TRIGGER stop BEFORE INSERT ON {partition} FOR EACH ROW EXECUTE FUNCTION public.stop()".format(
            **names
        ),
        "DROP FUNCTION public.stop() CASCADE",
    )


@contextmanager
def read_only(database, names, cluster, request):
    cluster.set(default_transaction_read_only="on")
    try:
        yield
    finally:
        cluster.set(default_transaction_read_only="off")


@contextmanager
def locked(database, names, cluster, request):
    with database.connect() as connection, connection.transaction():
        connection.execute("LOCK TABLE {partition} IN ACCESS EXCLUSIVE MODE".format(**names))
        yield


@contextmanager
def full(database, names, cluster, request):
    disk = request.getfixturevalue("small_disk")
    database.query(f"CREATE TABLESPACE small LOCATION '{disk / 'tablespace'}'")
    database.query("ALTER TABLE {partition} SET TABLESPACE small".format(**names))
    filler = disk / "filler"
    subprocess.run(["dd", "if=/dev/zero", f"of={filler}", "bs=64k"], capture_output=True)
    try:
        yield
    finally:
        filler.unlink()
        database.query("ALTER TABLE {partition} SET TABLESPACE pg_default".format(**names))
        database.query("DROP TABLESPACE small")


# What keeps the row from being written, and the class of the error that a metric counts.
TROUBLES = [
    (right, "42"),
    (missing, "23"),
    (trigger, "P0"),
    (read_only, "25"),
    (locked, "55"),
    (full, "53"),
]


@pytest.mark.parametrize("trouble, error_class", TROUBLES)
def test_no_value_leaves_without_its_row(
    daemon, reader, cluster, partition, request, trouble, error_class
):
    errors = f'coffer_database_errors_total{{class="{error_class}"}}'
    unavailable = 'coffer_requests_total{endpoint="secret_version_access",status="503"}'
    before = values(daemon.metrics_port)
    answers, pid = [], daemon.pid

    def is_refused():
        answers.append(access(reader))
        return answers[-1].status == 503

    with trouble(daemon.database, partition, cluster, request):
        # On a full disk there is some room left in the last page.
        eventually(is_refused)
        changed = reader.patch(f"/secrets/{reader.secret}", {"description": trouble.__name__})
        assert changed.status == 503 and "X-Audit-Id" not in changed.headers

    for answer in answers:
        assert answer.status == 200 or base64.b64encode(VALUE) not in answer.raw
        assert (answer.status == 200) == ("X-Audit-Id" in answer.headers)
    now = values(daemon.metrics_port)
    for name in (errors, unavailable):
        assert now[name] > before.get(name, 0)

    eventually(lambda: access(reader).status == 200)
    assert daemon.process.poll() is None and daemon.pid == pid
    receipts = [int(answer.headers["X-Audit-Id"]) for answer in answers if answer.status == 200]
    [[found]] = daemon.database.query(
        "SELECT count(*) FROM audit.event WHERE id = ANY (%s)", receipts
    )
    assert found == len(receipts)
    assert reader.get(f"/secrets/{reader.secret}").body["description"] != trouble.__name__


def test_a_log_on_a_full_disk(cluster, numbered, root_key_file, small_disk):
    """Rows are the receipts that count, so reads go on; what the log lacks is counted, and said; seals wait for it."""
    database, port = cluster.database(), free_port()
    daemon = Daemon(
        small_disk / "daemon", database, root_key_file, metrics_listen=f"127.0.0.1:{port}"
    )
    try:
        client = Tenant(daemon).client()
        client.secret = client.create_secret(name="read")["id"]
        client.create_version(client.secret, VALUE)
        eventually(lambda: is_anchored(database))
        filler = small_disk / "filler"
        subprocess.run(["dd", "if=/dev/zero", f"of={filler}", "bs=4k"], capture_output=True)

        def is_warned():
            assert access(client).status == 200
            return "log" in json.loads(daemon.readiness()[1])["warnings"]

        eventually(is_warned)
        assert values(port)["coffer_log_lines_lost_total"] > 0
        access(client)
        eventually(lambda: not is_anchored(database))

        filler.unlink()
        receipts = [int(access(client).headers["X-Audit-Id"]) for _ in range(3)]
        eventually(lambda: json.loads(daemon.readiness()[1])["warnings"] == {})
        eventually(lambda: is_anchored(database))
        lines = [json.loads(line) for line in daemon.log.splitlines() if line.endswith("}")]
        assert set(receipts) <= {line.get("receipt") for line in lines}
        seals = [line["no"] for line in lines if line["event"] == "seal"]
        assert seals == [no for (no,) in database.query("SELECT no FROM audit.seal ORDER BY no")]
        assert verify(database, "--anchors", daemon.log_file) == (0, [])
    finally:
        daemon.stop()
