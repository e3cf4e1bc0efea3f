"""How fast Coffer is beside pgbench, which calls the same doors without a daemon in between.

Everything runs on this machine, in one run and in turns: what it prints are ratios first, rates of this machine second.
"""

import argparse
import hashlib
import hmac
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import uuid
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from support import BUILD  # noqa: E402
from support.cluster import Cluster  # noqa: E402
from support.daemon import Daemon, coffer  # noqa: E402
from support.tenant import Tenant  # noqa: E402

GROUP = 32


@dataclass
class Sample:
    """One round: calls a second, and milliseconds that one call in two, or 99 in 100, took at the most."""

    rate: float
    p50: float
    p99: float


class Stage:
    """A PostgreSQL of our own with fsync on, an organization in it, secrets, and daemons."""

    def __init__(self, directory):
        self.directory = Path(directory)
        self.cluster = Cluster(self.directory / "cluster")
        self.set(max_connections=400, max_wal_size="8GB", shared_buffers="1GB", autovacuum="off")
        self.cluster.restart()
        self.database = self.cluster.database()
        self.root_key_file = self.directory / "root-key"
        coffer("root-key", "generate", self.root_key_file)
        self.daemon = self.start_daemon("daemon")
        self.tenant = Tenant(self.daemon)
        for resource in ("secret", "secret_version"):
            self.database.query(
                "SELECT operator.quota_set(%s, %s, 1000000000)",
                self.tenant.organization_id,
                resource,
                role="coffer_operator",
            )
        self.loaded = 0
        self._make_key()

    def start_daemon(self, name, **settings):
        return Daemon(
            self.directory / name, self.database, self.root_key_file, queue_limit=1024, **settings
        )

    def set(self, **settings):
        """Change settings of PostgreSQL."""
        with self.cluster.connect() as connection:
            for name, value in settings.items():
                connection.execute(f"ALTER SYSTEM SET {name} = '{value}'")
            connection.execute("SELECT pg_reload_conf()")

    def _make_key(self):
        """Let the daemon make the project's key-encryption key, and open it as the daemon does."""
        client = self.tenant.client()
        client.create_version(client.create_secret(name="first")["id"], b"first")
        (row,) = self.database.query(
            "SELECT id, root_id, wrapped FROM store.kek WHERE project_id = %s", self.tenant.project_id
        )
        self.kek_id, root_id, wrapped = row
        roots = dict(line.split() for line in self.root_key_file.read_text().splitlines())
        root = subprocess.run(
            ["base64", "--decode"], input=roots[root_id].encode(), stdout=subprocess.PIPE, check=True
        ).stdout
        extracted = hmac.digest(bytes(32), root, hashlib.sha256)
        wrapping = hmac.digest(extracted, b"coffer/kek\1", hashlib.sha256)
        # GCM without its tag is counter mode, from 2 on.
        self.kek = subprocess.run(
            ["openssl", "enc", "-d", "-aes-256-ctr", "-K", wrapping.hex(), "-iv", wrapped[:12].hex() + "00000002"],
            input=wrapped[12:44],
            stdout=subprocess.PIPE,
            check=True,
        ).stdout

    def load(self, total):
        """Add secrets until there are so many."""
        if total <= self.loaded:
            return
        ((token,),) = self.database.query(
            "SELECT digest FROM store.api_key WHERE access_key = %s", self.tenant.full_access.access_key
        )
        variables = {
            "first": self.loaded + 1,
            "last": total,
            "organization": self.tenant.organization_id,
            "project": self.tenant.project_id,
            "instance": uuid.uuid4(),
            "kek_id": self.kek_id,
            "kek": f"\\x{self.kek.hex()}",
            "token": f"\\x{token.hex()}",
        }
        subprocess.run(
            ["psql", "-Xq", "-f", HERE / "stage.sql", *(f"-v{name}={value}" for name, value in variables.items())],
            env={**self.database.environment(), "PGOPTIONS": "-c client_min_messages=warning"},
            check=True,
        )
        self.loaded = total
        ids = self.database.query(
            "SELECT request::json -> 'path' ->> 'secret_id' FROM bench.call ORDER BY random() LIMIT 20000"
        )
        (self.directory / "secrets").write_text("".join(f"{id}\n" for (id,) in ids))

    def wrk(self, mode, daemon, clients, seconds):
        """Call over HTTP with so many clients that keep their connections."""
        done = subprocess.run(
            ["wrk", "-t", str(min(clients, 2)), "-c", str(clients), "-d", f"{seconds}s", "-s", HERE / "wrk.lua", daemon.url],
            env={
                **os.environ,
                "BENCH_MODE": mode,
                "BENCH_TOKEN": self.tenant.full_access.secret_key,
                "BENCH_SECRETS": str(self.directory / "secrets"),
                "BENCH_PROJECT": self.tenant.project_id,
            },
            check=True,
            text=True,
            capture_output=True,
        )
        measured = json.loads(done.stderr.splitlines()[-1])
        if measured["wrong"] > 0:
            sys.exit(f"{measured['wrong']} of {measured['count']} answers are no 200: {mode}, {clients} clients")
        return Sample(measured["count"] / measured["seconds"], measured["p50"], measured["p99"])

    def pgbench(self, script, clients, seconds, group=1):
        """Call the door directly; what its connections do until their caches are warm does not count."""
        warm = 1 + clients / 50
        text = (HERE / f"{script}.sql").read_text()
        if group > 1:
            text = "\\startpipeline\n" + text * group + "\\endpipeline\n"
        with tempfile.TemporaryDirectory(dir=self.directory) as directory:
            file = Path(directory) / "script"
            file.write_text(text)
            subprocess.run(
                ["pgbench", "-n", "-M", "prepared", "-f", file, "-D", f"secrets={self.loaded}",
                 "-c", str(clients), "-j", str(min(clients, 2)), "-T", str(round(warm + seconds + 0.5)),
                 "-l", "--log-prefix", f"{directory}/log"],
                env=self.database.environment("coffer_api"),
                check=True,
                capture_output=True,
            )  # fmt: skip
            calls = sorted(
                (int(line[4]) + int(line[5]) / 1e6, int(line[2]) / 1e3)
                for log in Path(directory).glob("log.*")
                for line in map(str.split, log.open())
            )
        last = calls[-1][0]
        times = sorted(took for ended, took in calls if last - seconds < ended)
        return Sample(
            len(times) * group / seconds, times[len(times) // 2], times[min(len(times) - 1, len(times) * 99 // 100)]
        )
