"""Where root keys come from: a file, a credential, a command, the environment; each read by the real daemon."""

import os
import re
import shutil
import signal
import subprocess
import uuid

import pytest

from support import eventually
from support.daemon import BINARY, environment, free_port

STAY = "unable to load root keys, the old ones stay"


@pytest.fixture
def key_file(numbered, root_key_file):
    """A copy of the root key file, which a test may spoil."""
    copy = numbered("root-key")
    shutil.copy(root_key_file, copy)
    copy.chmod(0o400)
    return copy


def said(daemon):
    """Why it has ended for want of root keys."""
    assert daemon.wait() == 2
    (line,) = [line for line in daemon.log_lines() if line["event"] == "unable to start"]
    assert line["setting"] == "root key"
    return line["cause"]


@pytest.fixture
def tenant(database, start_daemon, new_tenant):
    """Of a daemon that has ended, and has left to the next what it must be able to open."""
    daemon = start_daemon(database)
    tenant = new_tenant(daemon)
    daemon.stop()
    return tenant


def serves(daemon, tenant):
    client = tenant.client(daemon)
    secret_id = client.create_secret(name=f"secret-{uuid.uuid4()}")["id"]
    client.create_version(secret_id, b"value")
    return client.access(secret_id) == b"value"


def test_two_sources(database, start_daemon, key_file):
    daemon = start_daemon(
        database, ready=False, root_key_file=key_file, root_key_command="/bin/true"
    )
    assert said(daemon) == "root_key_file: root_key_command is set too"


# A file -------------------------------------------------------------------------------------------


def test_file_that_others_can_read(database, start_daemon, key_file):
    key_file.chmod(0o440)
    cause = said(start_daemon(database, ready=False, root_key_file=key_file))
    assert cause == "root_key_file: group or others have rights on it (mode 0440); chmod 0400"


def test_link(database, start_daemon, key_file, tmp_path):
    link = tmp_path / "link"
    link.symlink_to(key_file)
    assert said(start_daemon(database, ready=False, root_key_file=link)).startswith(
        "root_key_file: "
    )


@pytest.mark.skipif(os.geteuid() != 0, reason="root alone can give a file away")
def test_file_of_another(database, start_daemon, key_file):
    os.chown(key_file, 65534, 65534)
    assert "belongs to another user" in said(
        start_daemon(database, ready=False, root_key_file=key_file)
    )


# A credential -------------------------------------------------------------------------------------


def test_credential(monkeypatch, database, start_daemon, tenant, key_file):
    """systemd gives it to one user with an access list, which shows as rights of the group."""

    def start(**settings):
        return start_daemon(
            database, **{"root_key_file": None, "root_key_credential": key_file.name, **settings}
        )

    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    assert "LoadCredential=" in said(start(ready=False))
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(key_file.parent))
    key_file.chmod(0o440)
    assert serves(start(), tenant)
    assert "mode 0440" in said(start_daemon(database, ready=False, root_key_file=key_file))
    key_file.chmod(0o444)
    assert "mode 0444" in said(start(ready=False))
    assert "not the name of a credential" in said(
        start(ready=False, root_key_credential=f"../{key_file.name}")
    )
    assert "No such file" in said(start(ready=False, root_key_credential="another"))


# The environment ----------------------------------------------------------------------------------


@pytest.fixture
def start_in_environment(database, numbered, key_file):
    """Start a daemon with its settings, and its root keys, in the environment."""
    daemons = []

    def start(*arguments):
        port = free_port()
        settings = {
            "dsn": database.dsn("coffer_api"),
            "listen": f"127.0.0.1:{port}",
            "root_keys": key_file.read_text().strip().replace("\n", ","),
        }
        log = numbered("log")
        with log.open("wb") as output:
            daemons.append(
                subprocess.Popen(
                    [BINARY, *arguments], env=environment(settings), stdout=output, stderr=output
                )
            )
        return daemons[-1], log

    yield start
    for daemon in daemons:
        daemon.terminate()
        daemon.wait()


def test_environment(start_in_environment, key_file):
    refused, log = start_in_environment()
    assert refused.wait() == 2
    assert "--insecure-root-key-env" in log.read_text()
    daemon, served = start_in_environment("--insecure-root-key-env")
    eventually(lambda: "the database serves" in served.read_text())
    daemon.terminate()
    assert daemon.wait() == 0
    for text in (log.read_text(), served.read_text()):
        assert key_file.read_text().split()[1] not in text


# A command ----------------------------------------------------------------------------------------


@pytest.fixture
def command(tmp_path, key_file):
    """A command that prints the root keys; while `hold` is there it says in `held` who it is, and waits."""
    script = tmp_path / "command"
    script.write_text(
        "#!/bin/sh\n"
        f"if [ -e {tmp_path}/hold ]; then echo $$ >{tmp_path}/held.new; mv {tmp_path}/held.new {tmp_path}/held; fi\n"
        f"while [ -e {tmp_path}/hold ]; do sleep 0.05; done\n"
        f"exec cat {key_file}\n"
    )
    script.chmod(0o700)
    return script


def reload_held(daemon, tmp_path):
    """Have it load root keys from a command that waits; return that command's process."""
    (tmp_path / "held").unlink(missing_ok=True)
    (tmp_path / "hold").touch()
    daemon.process.send_signal(signal.SIGHUP)
    eventually((tmp_path / "held").exists)
    return int((tmp_path / "held").read_text())


def is_gone(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def test_command(database, start_daemon, tenant, command):
    assert serves(start_daemon(database, root_key_file=None, root_key_command=command), tenant)


def test_command_that_fails(database, start_daemon):
    daemon = start_daemon(database, ready=False, root_key_file=None, root_key_command="/bin/false")
    assert said(daemon) == "root_key_command: it fails"


def test_command_that_hangs_at_the_start(database, start_daemon):
    daemon = start_daemon(
        database,
        ready=False,
        root_key_file=None,
        root_key_command="/bin/sleep 600",
        root_key_command_timeout=1,
    )
    assert said(daemon) == "root_key_command: it takes longer than 1 s"


def test_requests_are_answered_while_a_command_runs(
    database, start_daemon, tenant, command, tmp_path
):
    daemon = start_daemon(
        database, root_key_file=None, root_key_command=command, root_key_command_timeout=300
    )
    first = reload_held(daemon, tmp_path)
    assert serves(daemon, tenant)
    second = reload_held(daemon, tmp_path)  # which takes the place of the first
    assert first != second and is_gone(first)
    assert serves(daemon, tenant)
    assert "root keys loaded" not in daemon.log
    (tmp_path / "hold").unlink()
    eventually(lambda: "root keys loaded" in daemon.log)
    assert STAY not in daemon.log
    assert serves(daemon, tenant)


def test_command_that_hangs_leaves_the_old_keys(database, start_daemon, tenant, command, tmp_path):
    daemon = start_daemon(
        database, root_key_file=None, root_key_command=command, root_key_command_timeout=1
    )
    held = reload_held(daemon, tmp_path)
    eventually(lambda: STAY in daemon.log)
    assert re.search(r'"cause":"root_key_command: it takes longer than 1 s"', daemon.log)
    assert is_gone(held)
    assert serves(daemon, tenant)


def test_command_that_runs_when_the_daemon_stops_ends_with_it(
    database, start_daemon, command, tmp_path
):
    daemon = start_daemon(
        database, root_key_file=None, root_key_command=command, root_key_command_timeout=300
    )
    held = reload_held(daemon, tmp_path)
    daemon.terminate()
    assert daemon.wait() == 0
    assert is_gone(held)
