"""The data of each kept release, upgraded to this one: it is all there, and the audit is sound."""

import json
import re
import subprocess

import pytest

from support import eventually
from support.audit import is_anchored, verify, verify_inside
from support.daemon import BINARY, coffer, environment
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


def test_values_out_of_a_backup_of_the_release(release, restored, tmp_path):
    """`coffer recover` reads it as it is, and `coffer restore` writes the values into a database of this release."""
    settings = {
        "dsn_owner": restored.dsn(),
        "dsn_operator": restored.dsn("coffer_operator"),
        "root_key_file": release.root_key_file(tmp_path),
    }
    projects = restored.query("SELECT DISTINCT project_id::text FROM store.secret")

    def recover():
        return "".join(
            coffer("recover", "--project", project, "--yes", **settings) for (project,) in projects
        )

    def values(text):
        lines = map(json.loads, text.splitlines())
        return {(line["secret_id"], line["revision"]): line["data"] for line in lines}

    document = recover()
    restored.migrate()
    restored.query("SELECT operator.audit_epoch_begin('restored')", role="coffer_operator")
    restored.query("DELETE FROM store.secret")
    ended = subprocess.run(
        [BINARY, "restore", "--reason", "a test"],
        env=environment(settings),
        input=document,
        capture_output=True,
        text=True,
    )
    back = {line.split()[1].rstrip(",") for line in ended.stdout.splitlines()}
    assert len(back) > 5
    # Those under keys that were disabled or deleted stay away.
    refused = re.findall(r"managed key \S+ of secret (\S+) is not enabled", ended.stderr)
    secrets = {secret for secret, _ in values(document)}
    assert back | set(refused) == secrets and not back & set(refused), ended.stderr
    assert values(recover()) == {
        place: value for place, value in values(document).items() if place[0] in back
    }


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
