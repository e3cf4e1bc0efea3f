"""What a service manager sees of the daemon, and passes to it."""

import os
import socket
import subprocess
import threading

import pytest

from support import eventually
from support.client import Client
from support.daemon import BINARY, environment


@pytest.fixture
def manager(monkeypatch):
    """The socket that hears how the daemons of this test are; its name is in no file system."""
    name = f"coffer-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard:
        heard.bind("\0" + name)
        heard.settimeout(60)
        monkeypatch.setenv("NOTIFY_SOCKET", "@" + name)
        yield heard


def test_notifies(manager, database, start_daemon):
    daemon = start_daemon(database)
    assert manager.recv(100) == b"READY=1"
    daemon.terminate()
    assert manager.recv(100) == b"STOPPING=1"
    assert daemon.wait() == 0


def test_runs_without_the_manager(monkeypatch, database, start_daemon):
    monkeypatch.setenv("NOTIFY_SOCKET", "@coffer-nobody-is-there")
    daemon = start_daemon(database)
    assert "unable to notify the service manager" in daemon.log


def start_with(config, listener, count=1):
    """Start a daemon to which a socket is passed as the third descriptor."""
    passed = f'LISTEN_FDS={count} LISTEN_PID=$$ exec "$0" "$@" 3<&{listener.fileno()}'
    return subprocess.Popen(
        ["bash", "-c", passed, BINARY, "--config", config],
        pass_fds=[listener.fileno()],
        env=environment({}),
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture
def listener():
    with socket.create_server(("127.0.0.1", 0), backlog=1024) as listener:
        yield listener


@pytest.fixture
def config(database, start_daemon):
    """The settings of a daemon that has ended; its address is free."""
    daemon = start_daemon(database)
    daemon.terminate()
    assert daemon.wait() == 0
    return daemon.config


def test_drain_delay_on_a_passed_socket(config, listener):
    """The daemon serves during the delay; when it has ended, the socket still takes connections."""
    config.write_text(config.read_text().replace("drain_delay = 0", "drain_delay = 300"))
    client = Client(listener.getsockname()[1])
    process = start_with(config, listener)
    assert client.get("/live", absolute=True).status == 200
    eventually(lambda: client.get("/ready", absolute=True).status == 200)
    process.terminate()
    eventually(lambda: client.get("/ready", absolute=True).status == 503)
    assert client.get("/live", absolute=True).status == 200
    process.terminate()
    process.communicate(timeout=60)
    assert process.returncode == 0
    with socket.create_connection(listener.getsockname()):
        pass


def test_restart_refuses_no_connection(config, listener):
    port = listener.getsockname()[1]
    done = threading.Event()
    answered, faults = [], []

    def call():
        while not done.is_set():
            client = Client(port)
            try:
                answered.append(client.get("/live", absolute=True).status)
            except ConnectionRefusedError as fault:
                faults.append(fault)
            except ConnectionError:
                pass  # it was taken just when the daemon stopped
            finally:
                client.close()

    callers = [threading.Thread(target=call) for _ in range(4)]
    daemon = start_with(config, listener)
    for caller in callers:
        caller.start()
    for _ in range(3):
        before = len(answered)
        eventually(lambda: len(answered) > before + 20)
        daemon.terminate()
        daemon.communicate()
        assert daemon.returncode == 0
        daemon = start_with(config, listener)
    before = len(answered)
    eventually(lambda: len(answered) > before + 20)
    done.set()
    for caller in callers:
        caller.join()
    daemon.terminate()
    daemon.communicate()
    assert faults == []
    assert set(answered) == {200}


def test_more_than_one_socket(config, listener):
    daemon = start_with(config, listener, count=2)
    _, log = daemon.communicate(timeout=60)
    assert daemon.returncode == 1
    assert "2 sockets were passed, not one that listens" in log


def test_socket_that_does_not_listen(config):
    with socket.socket() as other:
        daemon = start_with(config, other)
        _, log = daemon.communicate(timeout=60)
    assert daemon.returncode == 1
    assert "not one that listens" in log


def test_socket_whose_clients_have_no_address(config, tmp_path):
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(str(tmp_path / "socket"))
        other.listen()
        daemon = start_with(config, other)
        _, log = daemon.communicate(timeout=60)
    assert daemon.returncode == 1
    assert "not one that listens on an address and a port" in log


def test_sockets_of_another_process(monkeypatch, database, start_daemon):
    monkeypatch.setenv("LISTEN_FDS", "2")
    monkeypatch.setenv("LISTEN_PID", "1")
    assert start_daemon(database).ready()
