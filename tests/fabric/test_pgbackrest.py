"""Backups by pgBackRest: a secret that was purged comes back alone, and the whole database to a moment before that."""

import os
import re
import subprocess
import time

import pytest

from support import eventually
from support.audit import is_anchored
from support.cluster import Database
from support.daemon import BINARY, environment
from support.majors import DEBIAN, OWNER, OtherCluster
from support.tenant import Tenant

VALUE = b'{"a":"old"}'


class Repository:
    """What pgBackRest is configured with, and keeps."""

    def __init__(self, directory):
        self.directory = directory
        directory.mkdir()
        for part in ("repository", "log", "spool", "lock", "socket"):
            (directory / part).mkdir()
        self.file = directory / "pgbackrest.conf"
        self.file.touch()
        self.password = None
        if OWNER:
            for path in (self.directory, *self.directory.iterdir()):
                os.chown(path, OWNER["user"], OWNER["group"])

    def configure(self, cluster):
        """Let it back up a cluster that archives here."""
        self.file.write_text(
            f"""[global]
repo1-path={self.directory}/repository
log-path={self.directory}/log
spool-path={self.directory}/spool
lock-path={self.directory}/lock
log-level-console=warn
start-fast=y

[coffer]
pg1-path={cluster.data}
pg1-port={cluster.port}
pg1-socket-path={self.directory}/socket
pg1-user=postgres
"""
        )
        self.password = cluster.environment("postgres")["PGPASSWORD"]

    def run(self, *arguments):
        """Run pgBackRest; return how long it took in seconds."""
        began = time.monotonic()
        ended = subprocess.run(
            ["pgbackrest", f"--config={self.file}", "--stanza=coffer", *arguments],
            env={"PATH": os.environ["PATH"], "PGPASSWORD": self.password},
            cwd="/",
            capture_output=True,
            text=True,
            **OWNER,
        )
        assert ended.returncode == 0, ended.stdout + ended.stderr
        return time.monotonic() - began

    def bytes(self):
        repository = self.directory / "repository"
        return sum(file.stat().st_size for file in repository.rglob("*") if file.is_file())


class RestoredCluster(OtherCluster):
    """A cluster out of the repository."""

    def __init__(self, directory, programs, passwords, repository, *arguments):
        self._repository, self._arguments = repository, arguments
        super().__init__(directory, programs, passwords)

    def _initialize(self):
        self.logs.mkdir(parents=True)
        self.data.mkdir(mode=0o700)
        if OWNER:
            for path in (self.directory, self.data.parent, self.data, self.logs):
                os.chown(path, OWNER["user"], OWNER["group"])
        self._repository.run(
            f"--pg1-path={self.data}", "--archive-mode=off", *self._arguments, "restore"
        )

    def start(self):
        super().start()
        eventually(lambda: not self.recovers(), 120)

    def recovers(self):
        with self.connect() as connection:
            return connection.execute("SELECT pg_is_in_recovery()").fetchone()[0]


@pytest.fixture(scope="module")
def repository(scratch):
    return Repository(scratch / "pgbackrest")


@pytest.fixture(scope="module")
def clusters():
    clusters = []
    yield clusters
    for cluster in clusters:
        cluster.discard()


@pytest.fixture(scope="module")
def primary(scratch, clusters, repository):
    """A server that archives to the repository."""
    cluster = OtherCluster(scratch / "primary", DEBIAN)
    clusters.append(cluster)
    cluster.stop()
    with (cluster.data / "postgresql.conf").open("a") as settings:
        settings.write(
            f"unix_socket_directories = '{repository.directory}/socket'\n"
            "archive_mode = on\narchive_timeout = 60\n"
            f"archive_command = 'pgbackrest --config={repository.file} --stanza=coffer archive-push %p'\n"
        )
    cluster.start()
    repository.configure(cluster)
    repository.run("stanza-create")
    repository.run("check")
    return cluster


def archive(database):
    """Have all that was written so far in the archive."""
    [[last]] = database.query("SELECT pg_walfile_name(pg_switch_wal())")
    eventually(
        lambda: database.query("SELECT last_archived_wal >= %s FROM pg_stat_archiver", last)[0][0],
        60,
    )


def audit_verify(database, *logs):
    anchors = [word for log in logs for word in ("--anchors", log)]
    ended = subprocess.run(
        [BINARY, "audit", "verify", *anchors],
        env=environment({"dsn_auditor": database.dsn("coffer_auditor")}),
        capture_output=True,
        text=True,
    )
    assert (ended.returncode, ended.stdout) == (0, ""), ended.stdout + ended.stderr
    return ended.stderr


def test_one_value_and_then_the_whole_database(
    scratch, primary, clusters, repository, root_key_file, start_daemon, figure
):
    database = primary.database()
    daemon = start_daemon(database)
    tenant = Tenant(daemon)
    client = tenant.client()
    key = client.key_manager().create_key(name="key", unprotected=True)["id"]
    secret = client.create_secret(
        name="password",
        path="/prod",
        type="key_value",
        description="of the shop",
        tags=["shop", "prod"],
        key_id=key,
        ephemeral_policy={
            "time_to_live": "31536000s",
            "expires_once_accessed": False,
            "action": "disable",
        },
    )["id"]
    client.create_version(secret, b'{"a":"first"}')
    figure("pgBackRest full backup", repository.run("--type=full", "backup"), "s")
    full = repository.bytes()
    figure("pgBackRest repository after the full backup", full / 2**20, "MiB")
    client.create_version(secret, VALUE, description="second")
    client.post(f"/secrets/{secret}/protect")
    figure("pgBackRest incremental backup", repository.run("--type=incr", "backup"), "s")
    figure("pgBackRest incremental backup adds", (repository.bytes() - full) / 2**20, "MiB")
    eventually(lambda: is_anchored(database))
    before = client.shape(secret)

    # The moment, a deletion by mistake with its purge, and work that goes on.
    [[moment]] = database.query("SELECT clock_timestamp()::text")
    client.post(f"/secrets/{secret}/unprotect")
    assert client.delete(f"/secrets/{secret}").status == 204
    database.query("SELECT operator.setting_set('purge_after', '0 days')", role="coffer_operator")
    database.query("SELECT job.run('secret_purge', 100)", role="coffer_operator")
    assert client.get(f"/secrets/{secret}").status == 404
    other = client.create_secret(name="meanwhile")["id"]
    client.create_version(other, b"meanwhile")
    eventually(lambda: is_anchored(database))
    archive(database)

    # One value back into the live system: the commands of doc/backup.md.
    began = time.monotonic()
    target = ("--type=time", f"--target={moment}", "--target-action=promote")
    copy = RestoredCluster(scratch / "copy", DEBIAN, primary._passwords, repository, *target)
    clusters.append(copy)
    figure("one value back: copy restored to the moment and started", time.monotonic() - began, "s")
    pipe = '"$0" recover --secret "$1" --yes | "$0" restore --reason "purged by mistake"'
    ended = subprocess.run(
        ["bash", "-o", "pipefail", "-c", pipe, BINARY, secret],
        env=environment(
            {
                "dsn_owner": Database(copy, database.name).dsn(),
                "dsn_operator": database.dsn("coffer_operator"),
                "root_key_file": root_key_file,
            }
        ),
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout == f"restored {secret}, /prod/password, revisions: 1, 2\n"
    assert client.shape(secret) == before
    assert client.access(secret) == VALUE
    figure("one value back: from the first command to the value", time.monotonic() - began, "s")
    assert client.access(other) == b"meanwhile"
    assert client.create_version(secret, b'{"a":"new"}')["revision"] == 3
    eventually(lambda: is_anchored(database))
    assert "sound" in audit_verify(database, daemon.log_file)
    copy.stop()
    clusters.remove(copy)

    # The whole database back to the moment: an epoch, and the old anchors.
    archive(database)
    daemon.stop()
    primary.stop()
    began = time.monotonic()
    restored = RestoredCluster(
        scratch / "restored", DEBIAN, primary._passwords, repository, *target
    )
    clusters.append(restored)
    whole = Database(restored, database.name)
    figure("point-in-time recovery of the whole database", time.monotonic() - began, "s")
    whole.query("SELECT operator.audit_epoch_begin('back to the moment')", role="coffer_operator")
    after = start_daemon(whole)
    figure("the same, until the daemon is ready", time.monotonic() - began, "s")
    client = tenant.client(after)
    assert client.shape(secret) == before
    assert client.access(secret) == VALUE
    assert client.get(f"/secrets/{other}").status == 404
    eventually(lambda: is_anchored(whole))
    said = audit_verify(whole, daemon.log_file, after.log_file)
    assert re.search(r"epoch 1 has the rows up to \d+, epoch 2 those after 1\d{12}\n", said)
    assert "were lost when epoch 2 began" in said and "were lost when their epoch ended" in said
    assert ": sound\n" in said
