"""coffer health: by its exit status and a line, whether the daemon of the settings is ready."""

import json
import socket
import subprocess

import pytest

from support import eventually
from support.certificate import certificate
from support.daemon import BINARY, environment, free_port


def health(*arguments, config=None, **settings):
    """Run it; return the exit status and what it prints."""
    options = [] if config is None else ["--config", config]
    done = subprocess.run(
        [BINARY, *options, "health", *arguments],
        env=environment(settings),
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        timeout=30,
    )
    return done.returncode, done.stdout


@pytest.fixture
def silent():
    """A listening socket whose connections nobody reads."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener


def test_a_daemon_that_serves_is_ready(service):
    assert health(config=service.config) == (0, "ready\n")
    assert health(listen=f"0.0.0.0:{service.port}") == (0, "ready\n")


def test_a_daemon_without_a_database_is_not_ready(service, start_daemon):
    dsn = f"host=127.0.0.1 port={free_port()} user=coffer_api dbname=coffer"
    daemon = start_daemon(service.database, ready=False, dsn=dsn)
    eventually(lambda: daemon.readiness()[0] == 503)
    reason = json.loads(daemon.readiness()[1])["reason"]
    assert health(config=daemon.config) == (1, f"not ready: {reason}\n")


def test_no_daemon():
    address = f"127.0.0.1:{free_port()}"
    assert health(listen=address) == (
        1,
        f"not ready: unable to connect to {address}: Connection refused\n",
    )


def test_a_daemon_that_does_not_answer(silent):
    address = f"127.0.0.1:{silent.getsockname()[1]}"
    assert health(listen=address) == (1, f"not ready: no answer from {address}\n")


@pytest.mark.parametrize("mutual", [False, True])
def test_tls(service, start_daemon, tmp_path, mutual):
    key, file = certificate(tmp_path, "server")
    settings = {"tls_certificate": file, "tls_key": key}
    if mutual:
        settings["tls_client_ca"] = file
    daemon = start_daemon(service.database, ready=False, **settings)
    eventually(lambda: health(config=daemon.config) == (0, "ready\n"))


def test_the_proxy_protocol(service, start_daemon):
    daemon = start_daemon(
        service.database, ready=False, proxy_protocol=1, trusted_proxies="127.0.0.0/8"
    )
    eventually(lambda: health(config=daemon.config) == (0, "ready\n"))


def test_wrong_arguments_and_settings(tmp_path):
    assert health("now")[0] == 2
    assert health("--now")[0] == 2
    assert health(config=tmp_path / "missing")[0] == 2
