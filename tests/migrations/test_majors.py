"""PostgreSQL of each major version from 15 on: it serves, and a database goes from one to the next."""

import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from support import eventually
from support.audit import is_anchored, verify, verify_inside
from support.daemon import Daemon
from support.majors import DEBIAN, OtherCluster, servers

pytestmark = pytest.mark.long

HERE = Path(__file__).parent
OTHER = "deployed under PostgreSQL {}, running under PostgreSQL {}: run migrations/migrate"


@pytest.fixture(scope="module")
def scratch():
    """Where another user than root can run programs, wherever the checkout is."""
    made = Path(tempfile.mkdtemp(prefix="coffer-majors-"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)


@pytest.fixture(scope="module")
def programs(scratch):
    return servers(HERE / "majors", scratch)


@pytest.fixture
def start_cluster(scratch, programs):
    clusters = []

    def start(major, programs=programs):
        directory = scratch / f"cluster-{major}-{len(list(scratch.iterdir()))}"
        clusters.append(OtherCluster(directory, programs[major]))
        return clusters[-1]

    start.clusters = clusters
    yield start
    for cluster in clusters:
        cluster.discard()


@pytest.fixture(scope="module")
def dump(new_database, root_key_file, numbered, new_tenant):
    """A dump of a database of the machine's version that has served, and a client who has a secret in it."""
    database = new_database()
    daemon = Daemon(numbered("dumped"), database, root_key_file)
    client, secret = kept(new_tenant(daemon))
    eventually(lambda: is_anchored(database))
    daemon.stop()
    file = numbered("dump")
    subprocess.run(
        ["pg_dump", "--format=custom", f"--file={file}"], env=database.environment(), check=True
    )
    return file, client, secret


def kept(tenant):
    """A client, and a secret of his with a typed value."""
    client = tenant.client()
    secret = client.create_secret(name="kept", type="key_value")["id"]
    client.create_version(secret, b'{"a":"b"}')
    return client, secret


def serves(client, daemon, secret):
    client = client.to(daemon)
    assert client.access(secret, 1) == b'{"a":"b"}'
    client.create_version(secret, b'{"a":"c"}')
    assert client.access(secret) == b'{"a":"c"}'


def faults(database):
    return database.query("SELECT rule.manifest_faults()")[0][0]


@pytest.mark.parametrize("major", [16, 17, 18])
def test_a_fresh_installation_and_a_restored_dump(
    start_cluster, major, start_daemon, new_tenant, dump
):
    cluster = start_cluster(major)
    fresh = cluster.database()
    assert int(fresh.query("SHOW server_version_num")[0][0]) // 10000 == major
    daemon = start_daemon(fresh)
    client, secret = kept(new_tenant(daemon))
    serves(client, daemon, secret)
    eventually(lambda: is_anchored(fresh))
    assert verify(fresh) == (0, [])
    daemon.stop()
    fresh.install()
    assert fresh.migrate().stdout == "deployed\n"
    assert faults(fresh) == []
    if major >= 17:  # a right that is new there, and the owner's by default
        fresh.query("GRANT MAINTAIN ON store.dek TO coffer_api")
        assert [fault.split(":")[0] for fault in faults(fresh)] == [
            "table store.dek is not as it was deployed"
        ]

    file, client, secret = dump
    restored = cluster.database(migrated=False)
    restored.install()
    subprocess.run(
        [
            "pg_restore",
            "--clean",
            "--if-exists",
            "--single-transaction",
            f"--dbname={restored.name}",
            file,
        ],
        env=restored.environment(),
        check=True,
    )
    said = OTHER.format(DEBIAN.parent.name, major)
    assert faults(restored) == [said]
    daemon = start_daemon(restored, ready=False)
    eventually(
        lambda: said in daemon.readiness()[1] or "audit_epoch_begin" in daemon.readiness()[1]
    )
    # What a deploy would take for meant is told all the same.
    restored.query("GRANT SELECT ON store.kek TO coffer_auditor")
    assert [fault.split(" ")[1] for fault in faults(restored)[1:]] == ["store.kek"]
    restored.query("REVOKE SELECT ON store.kek FROM coffer_auditor")
    restored.migrate()
    assert faults(restored) == []
    restored.query("SELECT operator.audit_epoch_begin('another server')", role="coffer_operator")
    eventually(daemon.ready)
    serves(client, daemon, secret)
    eventually(lambda: is_anchored(restored))
    assert verify_inside(restored) == []


def test_pg_upgrade(start_cluster, programs, start_daemon, new_tenant, scratch):
    """Daemons wait for the deploy, and go on with the same audit; then pgcrypto is updated while they serve."""
    old = start_cluster("old", {"old": DEBIAN})
    database = old.database()
    daemon = start_daemon(database)
    client, secret = kept(new_tenant(daemon))
    eventually(lambda: is_anchored(database))
    daemon.stop()
    # Some builds of PostgreSQL write options of columns there that a server of an earlier release does not know.
    with old.connect() as connection:
        names = connection.execute("SELECT datname FROM pg_database WHERE datallowconn").fetchall()
    for [name] in names:
        with old.connect(name) as connection:
            connection.execute(
                "UPDATE pg_attribute SET attoptions = NULL WHERE attoptions::text ~ '^{pg_'"
            )

    start_cluster.clusters.append(old.upgraded(scratch / "upgraded", programs[18]))
    database.cluster = start_cluster.clusters[-1]
    said = OTHER.format(DEBIAN.parent.name, 18)
    daemon.settings["dsn"] = database.dsn("coffer_api")
    daemon.settings["check_interval"] = 1
    daemon.start(ready=False)
    eventually(lambda: said in daemon.log)
    assert client.to(daemon).get("/secrets").status == 503
    assert faults(database) == [said]
    database.install()
    database.migrate()
    eventually(daemon.ready)
    serves(client, daemon, secret)
    eventually(lambda: is_anchored(database))
    assert verify_inside(database) == []
    assert verify(database, "--anchors", daemon.log_file) == (0, [])

    functions = "SELECT count(*) FROM pg_proc WHERE pronamespace = 'crypto'::regnamespace"
    before = database.query(functions)
    database.query("ALTER EXTENSION pgcrypto UPDATE")
    assert database.query(functions) > before
    assert faults(database) == []
    serves(client, daemon, secret)
