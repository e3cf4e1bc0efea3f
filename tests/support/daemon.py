"""The real daemon, as a process of its own."""

import http.client
import json
import os
import secrets
import signal
import socket
import subprocess
from pathlib import Path

from support import BUILD, eventually

BINARY = BUILD / "coffer"


def free_port():
    """A port that nobody has, below those that the kernel gives to outgoing connections."""
    while True:
        port = 10000 + secrets.randbelow(10000)
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) != 0:
                return port


def coffer(*arguments, **settings):
    """Run the binary for one command, with settings; return its standard output."""
    return subprocess.run(
        [BINARY, *arguments],
        env=environment(settings),
        check=True,
        text=True,
        stdout=subprocess.PIPE,
    ).stdout


def environment(settings):
    """The environment that names these settings and no others."""
    return {
        **{
            key: value for key, value in os.environ.items() if not key.startswith(("COFFER_", "PG"))
        },
        **{f"COFFER_{name.upper()}": str(value) for name, value in settings.items()},
    }


class Daemon:
    """A daemon on a database. It serves, or runs if ready is false; start() is for one that has ended.

    log: a descriptor that takes its log instead of log_file."""

    def __init__(
        self, directory, database, root_key_file, ready=True, binary=BINARY, log=None, **settings
    ):
        self.binary = binary
        self._log = log
        self.database = database
        self.directory = Path(directory)
        self.directory.mkdir()
        self.config = self.directory / "coffer.conf"
        self.log_file = self.directory / "log"
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.settings = {
            "listen": f"127.0.0.1:{self.port}",
            "dsn": database.dsn("coffer_api"),
            "root_key_file": root_key_file,
            "drain_delay": 0,
            "pool_size": 5,  # each connection costs a tenth of a second of processor time
            "idle_timeout": 3600,  # a test keeps its connections for as long as it likes
            "denied_rate": 0,  # and guesses,
            "key_rate": 0,  # and calls as often
            **settings,
        }
        self.settings = {name: value for name, value in self.settings.items() if value is not None}
        self.start(ready)

    def start(self, ready=True):
        """Start, and unless ready is false, wait until it serves."""
        lines = [f"{name} = {value}\n" for name, value in self.settings.items()]
        self.config.touch(mode=0o600)
        self.config.write_text("".join(lines))
        with self.log_file.open("ab") as file:
            log = file if self._log is None else self._log
            self.process = subprocess.Popen(
                [self.binary, "--config", self.config],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=environment({}),
            )
        if ready:
            eventually(self._ready_or_ended)
            assert self.process.poll() is None, self.log

    def _ready_or_ended(self):
        return self.process.poll() is not None or self.ready()

    def listens(self):
        """True when it takes connections."""
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def ready(self):
        """True when it says that it serves."""
        return self.readiness()[0] == 200

    def readiness(self):
        """What it says of whether it serves: status and text; 0 when it says nothing."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("GET", "/ready")
            response = connection.getresponse()
            return response.status, response.read().decode()
        except OSError:
            return 0, ""
        finally:
            connection.close()

    @property
    def pid(self):
        return self.process.pid

    @property
    def log(self):
        return self.log_file.read_text()

    def log_lines(self):
        return [json.loads(line) for line in self.log.splitlines()]

    def terminate(self):
        self.process.send_signal(signal.SIGTERM)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def wait(self, seconds=60):
        """Wait for its end; return the exit status."""
        return self.process.wait(seconds)

    def stop(self):
        """End it, unless the test has; a daemon that is asked to end ends well."""
        if self.process.poll() is None:
            self.terminate()
            assert self.wait() == 0, self.log
