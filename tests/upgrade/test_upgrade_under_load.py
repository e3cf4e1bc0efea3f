"""Each kept release, with its own daemons, is upgraded under load as doc/upgrade.md says: no call fails."""

import base64
import os
import subprocess
import uuid
from itertools import count

import pytest

from support import SCRATCH, SOURCE, eventually
from support.audit import is_anchored, verify, verify_inside
from support.daemon import Daemon
from support.load import Load
from support.release import Release, kept_releases


class Built:
    """The tree of a release with its daemon, built once."""

    def __init__(self, release):
        self.tree = SCRATCH / f"release-{release.commit[:12]}"
        self.binary = self.tree / "var" / "build" / "coffer"
        if not self.binary.exists():
            self._build(release.commit)

    def _build(self, commit):
        self.binary.parent.mkdir(parents=True, exist_ok=True)
        archive = subprocess.run(
            ["git", "-C", SOURCE, "archive", commit], check=True, stdout=subprocess.PIPE
        ).stdout
        subprocess.run(["tar", "-x"], cwd=self.tree, input=archive, check=True)
        for command in (
            ["autoreconf", "--install", self.tree],
            [self.tree / "configure", "--quiet", "--disable-werror"],
            ["make", "--quiet", f"-j{os.cpu_count()}", "coffer"],
        ):
            subprocess.run(command, cwd=self.binary.parent, check=True, stdout=subprocess.DEVNULL)


@pytest.fixture(scope="module", params=kept_releases())
def release(request):
    return Release(request.param)


@pytest.fixture(scope="module")
def built(release):
    return Built(release)


@pytest.fixture
def database(own_cluster, release, built):
    """Where the old release was installed, and its dump restored."""
    database = own_cluster.database(migrated=False)
    database.install(tree=built.tree)
    release.restore(database)
    database.query("SELECT operator.audit_epoch_begin('restored')", role="coffer_operator")
    return database


@pytest.fixture
def key_file(release, tmp_path):
    return release.root_key_file(tmp_path)


def load(release, daemons):
    """Clients that read, list, create and encrypt, half of them on each daemon."""
    kept = release.kept
    key_id, ciphertext, plaintext = kept["ciphertexts"][0]
    decrypt = {"ciphertext": ciphertext, "associated_data": base64.b64encode(b"canary").decode()}
    numbers = count()

    def call(client):
        number = next(numbers)
        if number % 4 == 0:
            name = f"load-{uuid.uuid4()}"
            return client.post("/secrets", {"project_id": kept["project_id"], "name": name})
        if number % 4 == 1:
            return client.get("/secrets", query={"project_id": kept["project_id"]})
        if number % 4 == 2:
            path = f"/key-manager/v1alpha1/regions/{client.region}/keys/{key_id}/decrypt"
            return client.post(path, decrypt, absolute=True)
        secret_id, revision, data = kept["values"][number % len(kept["values"])]
        return client.get(f"/secrets/{secret_id}/versions/{revision}/access")

    return Load([release.client(daemon) for daemon in daemons for _ in range(3)], call)


def more(running, answers=200):
    """Wait for some more answers."""
    before = len(running.answers)
    eventually(lambda: len(running.answers) >= before + answers)


def deploy(database):
    """Deploy, again when a handshake that examines the database has held it up, as it says."""
    for _ in range(20):
        done = database.migrate(check=False)
        if "lock timeout" not in done.stderr:
            break
    assert done.returncode == 0, done.stderr


def test_upgrade_under_load(numbered, database, release, built, key_file):
    old = [
        Daemon(numbered("old"), database, key_file, binary=built.binary, drain_delay=None)
        for _ in range(2)
    ]
    new = []
    try:
        release.look(old[0])
        with load(release, old) as on_old:
            more(on_old)
            database.install()
            more(on_old)
            deploy(database)
            more(on_old)
            new += [Daemon(numbered("new"), database, key_file) for _ in range(2)]
            with load(release, new) as on_new:
                more(on_old)
                more(on_new)
        with load(release, new) as on_new_alone:
            for daemon in old:
                daemon.stop()
            more(on_new_alone)
        for running in (on_old, on_new, on_new_alone):
            assert running.statuses() == {200}
        release.look(new[1])
        release.read_once(new[0])
        eventually(lambda: is_anchored(database))
        assert verify_inside(database) == []
        logs = [release.log, *(daemon.log_file for daemon in old + new)]
        anchors = [argument for log in logs for argument in ("--anchors", log)]
        assert verify(database, *anchors) == (0, [])
    finally:
        for daemon in old + new:
            daemon.stop()
