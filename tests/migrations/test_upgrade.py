"""The data of each kept release, upgraded to this one: it is all there, and the audit is sound."""

import re

import pytest

from support import eventually
from support.audit import is_anchored, verify, verify_inside
from support.daemon import coffer
from support.release import Release, kept_releases


@pytest.fixture(params=kept_releases())
def release(request):
    return Release(request.param)


@pytest.fixture
def restored(release, new_database):
    database = new_database(migrated=False)
    database.install()
    release.restore(database)
    return database


def test_upgrade(release, restored, start_daemon, tmp_path):
    restored.migrate()
    assert verify(restored, "--anchors", release.log) == (0, [])
    restored.query("SELECT operator.audit_epoch_begin('restored')", role="coffer_operator")
    daemon = start_daemon(restored, root_key_file=release.root_key_file(tmp_path))
    release.look(daemon)
    release.read_once(daemon)
    eventually(lambda: is_anchored(restored))
    assert verify_inside(restored) == []
    assert verify(restored, "--anchors", release.log, "--anchors", daemon.log_file) == (0, [])


def test_a_daemon_refuses_an_older_schema(restored, release, start_daemon, tmp_path):
    """It names both, and serves after the deploy."""
    # As the first release left it: daemon.hello has another form there.
    if release.version != "0.1.0":
        restored.query("DELETE FROM store.migration WHERE number > 10")
    ((schema,),) = restored.query("SELECT max(number) FROM store.migration")
    daemon = start_daemon(restored, ready=False, root_key_file=release.root_key_file(tmp_path))
    version = coffer("--version").split()[1]
    said = (
        rf"the database has schema {schema}, and this daemon of release {version} needs [0-9]+"
        " or later: run migrations/migrate of that release"
    )
    eventually(lambda: re.search(said, daemon.readiness()[1]))
