"""Daemons behind HAProxy, by docker/haproxy.cfg, that restart one after the other while callers call."""

import http.client
import re
import signal
import socket
import ssl
import subprocess
import time

import pytest

from support import SOURCE, eventually
from support.audit import is_anchored, verify
from support.certificate import certificate
from support.client import Client
from support.daemon import free_port
from support.recorded import RecordedLoad
from support.tenant import Tenant

CONFIGURATION = SOURCE / "docker" / "haproxy.cfg"
RATE = 150  # calls a second
ROUNDS = 2  # restarts of each daemon


class TlsClient(Client):
    """A client of what has a certificate."""

    def __init__(self, port, secret_key, authority):
        super().__init__(port, secret_key)
        context = ssl.create_default_context(cafile=authority)
        self._connection = http.client.HTTPSConnection(
            "127.0.0.1", port, timeout=self.timeout, context=context
        )


class HAProxy:
    """HAProxy with the configuration of docker/, with the places of this run; a context that ends it."""

    def __init__(self, directory, daemons, key, made, tls):
        directory.mkdir()
        self.port = free_port()
        self._socket = directory / "socket"
        both = directory / "coffer.pem"
        both.write_bytes(made.read_bytes() + key.read_bytes())
        places = {
            "bind :443": f"bind 127.0.0.1:{self.port}",
            "/etc/haproxy/coffer.pem": str(both),
            "10.0.0.7:8443": f"127.0.0.1:{daemons[0].port}",
            "10.0.0.8:8443": f"127.0.0.1:{daemons[1].port}",
        }
        to_daemons = " ssl verify required ca-file /etc/haproxy/coffer-ca.pem"
        places[to_daemons] = f" ssl verify required ca-file {made}" if tls else ""
        text = CONFIGURATION.read_text()
        for place, here in places.items():
            assert place in text, place
            text = text.replace(place, here)
        file, statistics = directory / "haproxy.cfg", directory / "socket.cfg"
        file.write_text(text)
        statistics.write_text(f"global\n\tstats socket {self._socket}\n")
        self._command = ["haproxy", "-db", "-f", file, "-f", statistics]
        subprocess.run([*self._command, "-c", "-q"], check=True)
        self.log_file = directory / "log"

    def __enter__(self):
        with self.log_file.open("wb") as log:
            self._process = subprocess.Popen(self._command, stdout=log, stderr=log)
        eventually(self._socket.exists)
        return self

    def __exit__(self, *_):
        self._process.send_signal(signal.SIGTERM)
        self._process.wait()

    def is_up(self, server):
        """Whether it gives requests to the server coffer-NUMBER."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(self._socket))
            connection.sendall(b"show stat\n")
            shown = connection.makefile().read()
        return bool(re.search(rf"^coffer,coffer-{server},.*,UP,", shown, re.MULTILINE))


@pytest.mark.parametrize("tls", [True, False], ids=["TLS", "plain"])
def test_rolling_restart(scratch, numbered, database, start_daemon, figure, tls):
    key, made = certificate(numbered("certificate"), "server")
    settings = {"drain_delay": None, "trusted_proxies": "127.0.0.1"}  # the default
    if tls:
        settings |= {"tls_certificate": made, "tls_key": key}
    daemons = [start_daemon(database, ready=False, **settings) for _ in range(2)]
    name = f"HAProxy, {'TLS' if tls else 'plain HTTP'} to the daemons"
    with HAProxy(numbered("haproxy"), daemons, key, made, tls) as haproxy:
        eventually(lambda: haproxy.is_up(1) and haproxy.is_up(2))
        tenant = Tenant(daemons[0])
        database.query(
            "SELECT operator.quota_set(%s, 'secret', 100000)",
            tenant.organization_id,
            role="coffer_operator",
        )
        clients = [
            [TlsClient(haproxy.port, tenant.full_access.secret_key, made)] for _ in range(16)
        ]
        with RecordedLoad(clients, RATE) as load:
            eventually(lambda: len(load.calls) > RATE)
            for _ in range(ROUNDS):
                for number, daemon in enumerate(daemons, 1):
                    stopping = time.monotonic()
                    daemon.terminate()
                    assert daemon.wait() == 0
                    figure(f"{name}: SIGTERM until exit", time.monotonic() - stopping, "s")
                    daemon.start(ready=False)
                    eventually(lambda number=number: haproxy.is_up(number))
            before = len(load.calls)
            eventually(lambda: len(load.calls) > before + RATE)
        figure(f"{name}: restarts", ROUNDS * len(daemons), "")
        figure(f"{name}: calls", len(load.calls), "")
        figure(f"{name}: failed calls", sum(load.failed().values()), "")
        ended = sorted(call.ended - call.began for call in load.acknowledged())
        figure(f"{name}: longest call", ended[-1] * 1000, "ms")
        assert load.failed() == {}, haproxy.log_file.read_text()
        load.assert_all_there(database, clients[0][0])
    eventually(lambda: is_anchored(database))
    logs = [word for daemon in daemons for word in ("--anchors", daemon.log_file)]
    assert verify(database, *logs) == (0, [])
    assert all('"event":"receipt"' in daemon.log for daemon in daemons)
