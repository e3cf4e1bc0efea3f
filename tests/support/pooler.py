"""PgBouncer between a daemon and PostgreSQL."""

import os
import shutil
import signal
import socket
import subprocess
from pathlib import Path

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from support import eventually
from support.daemon import free_port

BINARY = os.environ.get("COFFER_PGBOUNCER") or shutil.which("pgbouncer") or "/usr/sbin/pgbouncer"


def version():
    """(1, 18) for 1.18."""
    text = subprocess.run(
        [BINARY, "--version"], check=True, text=True, stdout=subprocess.PIPE
    ).stdout
    return tuple(int(part) for part in text.split()[1].split(".")[:2])


class Pooler:
    """A context: it runs, and has a dsn() of its own for a database."""

    def __init__(self, directory, database, **settings):
        self._directory = Path(directory)
        self._database = database
        self._settings = settings
        self.port = free_port()

    def __enter__(self):
        self._directory.mkdir()
        self._directory.chmod(0o777)  # it may run as another user
        server = conninfo_to_dict(self._database.dsn("coffer_api"))
        users = self._directory / "users"
        users.write_text(f'"coffer_api" "{server["password"]}"\n')
        users.chmod(0o644)
        settings = {
            "listen_addr": "127.0.0.1",
            "listen_port": self.port,
            "unix_socket_dir": "",
            "auth_type": "scram-sha-256",
            "auth_file": users,
            "logfile": self._directory / "log",
            "default_pool_size": 4,
            "ignore_startup_parameters": "extra_float_digits",
            **self._settings,
        }
        config = self._directory / "pgbouncer.ini"
        config.write_text(
            f"[databases]\n{self._database.name} = host={server['host']} port={server['port']}\n[pgbouncer]\n"
            + "".join(f"{name} = {value}\n" for name, value in settings.items())
        )
        as_other = (
            ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"]
            if os.getuid() == 0
            else []
        )
        self._process = subprocess.Popen([*as_other, BINARY, config])
        eventually(self._listens)
        return self

    def __exit__(self, *_):
        self._process.send_signal(signal.SIGINT)
        self._process.wait()

    def _listens(self):
        assert self._process.poll() is None
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def dsn(self, role):
        return make_conninfo(
            self._database.dsn(role), host="127.0.0.1", port=self.port, sslmode="disable"
        )
