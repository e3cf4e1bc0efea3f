"""A backup in place of the database: what notices, what names what is gone, and how the audit goes on."""

import os
import shutil
import subprocess

import pytest

from support import eventually
from support.audit import is_anchored, start_verify, unsealed, verify, verify_inside

pytestmark = pytest.mark.long


def begin_epoch(database):
    return database.query(
        "SELECT operator.audit_epoch_begin('a backup was restored')", role="coffer_operator"
    )


class Epoch:
    """A daemon whose database is backed up while it has rows without a seal, and goes on after that."""

    def __init__(self, database, daemon, client, backup):
        self.daemon, self.client = daemon, client
        self.secret = client.create_secret(name="kept")["id"]
        client.create_version(self.secret, b"kept")
        eventually(lambda: is_anchored(database))
        with unsealed(database):
            assert client.access(self.secret) == b"kept"
            backup()
            [[self.backed_up, last_seal]] = database.query(
                "SELECT (SELECT max(id) FROM audit.event), (SELECT max(no) FROM audit.seal)"
            )
        client.create_version(self.secret, b"lost")
        assert client.access(self.secret) == b"lost"
        eventually(lambda: is_anchored(database))
        self.cursor = client.changes(after="latest")["cursor"]
        daemon.stop()
        self.lost = [f"anchor_lost seal {last_seal + 1}", f"receipt_lost row {self.backed_up + 1}"]

    def serves(self, daemon):
        client = self.client.to(daemon)
        assert client.access(self.secret) == b"kept"
        return client


def assert_goes_on(epoch, daemon, database):
    """All of the new epoch is served, sealed, and in the feed of who has a cursor of the old one."""
    client = epoch.serves(daemon)
    client.create_version(epoch.secret, b"new")
    eventually(lambda: is_anchored(database))
    # What other databases of the cluster have begun is waited for, and longer than a seal waits.
    found = eventually(lambda: client.changes(after=epoch.cursor)["changes"])
    assert [change["method_name"] for change in found if change["secret_id"]] == [
        "CreateSecretVersion"
    ]
    assert client.changes(after=found[-1]["cursor"])["changes"] == []
    assert verify_inside(database) == []
    assert verify(database) == (0, [])
    assert database.query("SELECT DISTINCT epoch FROM audit.event ORDER BY 1") == [(1,), (2,)]


def assert_declared(database, log):
    """What the log knows of, and the backup did not, is named, and is no damage once an epoch has begun."""
    process = start_verify(database, "--anchors", log)
    output, said = process.communicate(timeout=60)
    assert (process.returncode, output) == (0, "")
    assert "coffer: epoch 1 has the rows up to " in said and ", epoch 2 those after " in said
    assert "were lost when epoch 2 began" in said and "were lost when their epoch ended" in said


def burn(database, transactions):
    """Let transaction numbers go on."""
    database.query(
        f"DO $$ BEGIN FOR i IN 1..{transactions} LOOP PERFORM pg_current_xact_id(); COMMIT; END LOOP; END $$"
    )


def elsewhere(database, cluster):
    """An empty database in another cluster, where transaction numbers begin anew."""
    return empty(cluster)


def beside(database, cluster):
    """An empty database in the same cluster, where they go on."""
    return empty(database.cluster)


def in_place(database, cluster):
    """The database itself."""
    return database


def empty(cluster):
    database = cluster.database(migrated=False)
    database.install()
    return database


@pytest.mark.parametrize("place", [elsewhere, beside, in_place])
def test_pg_restore(database, own_cluster, start_daemon, new_tenant, numbered, place):
    """Wherever a dump goes, nothing is written until another epoch has begun."""
    dump = numbered("dump")
    first = start_daemon(database)
    burn(database, 10000)

    def back_up():
        subprocess.run(
            ["pg_dump", "--format=custom", f"--file={dump}"], env=database.environment(), check=True
        )

    epoch = Epoch(database, first, new_tenant(first).client(), back_up)

    restored = place(database, own_cluster)
    subprocess.run(
        ["pg_restore", "--clean", "--if-exists", "--single-transaction"]
        + [f"--dbname={restored.name}", dump],
        env=restored.environment(),
        check=True,
    )

    # Of the backup, which no daemon has served yet.
    assert verify_inside(restored) == []
    assert verify(restored) == (0, [])
    assert verify(restored, "--anchors", first.log_file) == (1, epoch.lost)

    second = start_daemon(restored, ready=False)
    eventually(lambda: "operator.audit_epoch_begin" in second.readiness()[1])
    assert epoch.client.to(second).get("/secrets").status == 503
    assert restored.query("SELECT max(id) FROM audit.event") == [(epoch.backed_up,)]

    begin_epoch(restored)
    eventually(second.ready)
    assert_goes_on(epoch, second, restored)
    assert verify(restored, "--anchors", second.log_file) == (0, [])
    assert_declared(restored, first.log_file)


def test_base_backup_of_yesterday(own_cluster, start_daemon, new_tenant, numbered):
    """Transaction numbers have gone back together with the seals: only anchors outside know."""
    kept = numbered("base-backup")

    def back_up():
        subprocess.run(
            ["pg_basebackup", "--pgdata", kept, "--checkpoint=fast", "--dbname", own_cluster.dsn()],
            check=True,
        )

    database = own_cluster.database()
    daemon = start_daemon(database)
    epoch = Epoch(database, daemon, new_tenant(daemon).client(), back_up)

    own_cluster.stop()
    subprocess.run(["chown", "--recursive", "--reference", own_cluster.data, kept], check=True)
    shutil.rmtree(own_cluster.data)
    os.rename(kept, own_cluster.data)
    own_cluster.start()

    assert verify_inside(database) == []
    assert verify(database) == (0, [])
    assert verify(database, "--anchors", daemon.log_file) == (1, epoch.lost)

    begin_epoch(database)
    before = daemon.log_file.rename(daemon.log_file.with_name("log-before"))
    daemon.start()
    assert_goes_on(epoch, daemon, database)
    assert verify(database, "--anchors", daemon.log_file) == (0, [])
    assert_declared(database, before)
