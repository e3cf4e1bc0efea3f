"""How fast Coffer is beside pgbench, which calls the same API functions without a daemon in between.

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
        self.directory = directory
        directory.mkdir(mode=0o755, exist_ok=True)  # PostgreSQL may run as another user
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
            "SELECT id, root_id, wrapped FROM store.kek WHERE project_id = %s",
            self.tenant.project_id,
        )
        self.kek_id, root_id, wrapped = row
        roots = dict(line.split() for line in self.root_key_file.read_text().splitlines())
        root = subprocess.run(
            ["base64", "--decode"],
            input=roots[root_id].encode(),
            stdout=subprocess.PIPE,
            check=True,
        ).stdout
        extracted = hmac.digest(bytes(32), root, hashlib.sha256)
        wrapping = hmac.digest(extracted, b"coffer/kek\1", hashlib.sha256)
        # GCM without its tag is counter mode, from 2 on.
        self.kek = subprocess.run(
            [
                "openssl",
                "enc",
                "-d",
                "-aes-256-ctr",
                "-K",
                wrapping.hex(),
                "-iv",
                wrapped[:12].hex() + "00000002",
            ],
            input=wrapped[12:44],
            stdout=subprocess.PIPE,
            check=True,
        ).stdout

    def load(self, total):
        """Add secrets until there are so many."""
        if total <= self.loaded:
            return
        ((token,),) = self.database.query(
            "SELECT digest FROM store.api_key WHERE access_key = %s",
            self.tenant.full_access.access_key,
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
            [
                "psql",
                "-Xq",
                "-f",
                HERE / "stage.sql",
                *(f"-v{name}={value}" for name, value in variables.items()),
            ],
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
            [
                "wrk",
                "-t",
                str(min(clients, 2)),
                "-c",
                str(clients),
                "-d",
                f"{seconds}s",
                "-s",
                HERE / "wrk.lua",
                daemon.url,
            ],
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
            sys.exit(
                f"{measured['wrong']} of {measured['count']} answers are no 200: {mode}, {clients} clients"
            )
        return Sample(measured["count"] / measured["seconds"], measured["p50"], measured["p99"])

    def pgbench(self, script, clients, seconds, group=1):
        """Call the API function directly; what its connections do until their caches are warm does not count."""
        warm = 0.5 + clients / 50
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
                env={
                    **self.database.environment("coffer_api"),
                    # So many new connections at once take their time.
                    "PGOPTIONS": "-c statement_timeout=0 -c lock_timeout=0",
                },
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
            len(times) * group / seconds,
            times[len(times) // 2],
            times[min(len(times) - 1, len(times) * 99 // 100)],
        )


# What is measured ---------------------------------------------------------------------------------


@dataclass
class Series:
    """One line of the table: how it is measured with so many clients, in samples of several rounds."""

    name: str
    measure: object
    samples: dict

    def rate(self, clients):
        return statistics.median(sample.rate for sample in self.samples[clients])


def series_of(stage, ungrouped):
    """The lines of the table. Only what a synchronous commit makes slower is measured again with a slower commit."""

    def wrk(mode, daemon=stage.daemon):
        return lambda clients, seconds: stage.wrk(mode, daemon, clients, seconds)

    def pgbench(script, group=1):
        return lambda clients, seconds: stage.pgbench(script, clients, seconds, group)

    return {
        series.name: series
        for series in (
            Series("reads, HTTP", wrk("access"), {}),
            Series("reads, HTTP, group_limit 1", wrk("access", ungrouped), {}),
            Series("reads, pgbench", pgbench("access"), {}),
            Series(f"reads, pgbench, {GROUP} a commit", pgbench("access", GROUP), {}),
            Series("creates, HTTP", wrk("create"), {}),
            Series("creates, pgbench", pgbench("create"), {}),
            Series("metadata, HTTP", wrk("get"), {}),
            Series("list of 50, HTTP", wrk("list"), {}),
        )
    }


def measure(all_series, clients, rounds, seconds):
    """Rounds in turns, so that what else the machine does meets all series alike."""
    for number in range(rounds):
        for count in clients:
            for series in all_series:
                if sys.stderr.isatty():
                    print(
                        f"\r\033[K round {number + 1}: {series.name}, {count} clients",
                        end="",
                        file=sys.stderr,
                    )
                series.samples.setdefault(count, []).append(series.measure(count, seconds))
    if sys.stderr.isatty():
        print("\r\033[K", end="", file=sys.stderr)


def print_table(title, all_series, clients):
    print(f"\n{title}\n")
    print(f"{'':34}{'clients':>8}{'min':>10}{'median':>10}{'max':>10}{'p50 ms':>10}{'p99 ms':>10}")
    for series in all_series:
        for count in clients:
            samples = series.samples[count]
            rates = [sample.rate for sample in samples]
            print(
                f"{series.name:34}{count:8}{min(rates):10.0f}{statistics.median(rates):10.0f}{max(rates):10.0f}"
                f"{statistics.median(sample.p50 for sample in samples):10.2f}"
                f"{statistics.median(sample.p99 for sample in samples):10.2f}"
            )


def print_ratios(fast, slow):
    def ratio(series, clients, one, other):
        return series[one].rate(clients) / series[other].rate(clients)

    print("\nratios of medians\n")
    for text, value in (
        ("reads over HTTP to pgbench, one commit each, 64 clients", ratio(fast, 64, "reads, HTTP", "reads, pgbench")),
        ("reads over HTTP to pgbench, one commit each, 8 clients", ratio(fast, 8, "reads, HTTP", "reads, pgbench")),
        ("reads over HTTP, grouped to not, commit + 3 ms, 256 clients",
         ratio(slow, 256, "reads, HTTP", "reads, HTTP, group_limit 1")),
        ("creates over HTTP to pgbench, 64 clients", ratio(fast, 64, "creates, HTTP", "creates, pgbench")),
        ("creates over HTTP to pgbench, commit + 3 ms, 64 clients",
         ratio(slow, 64, "creates, HTTP", "creates, pgbench")),
    ):  # fmt: skip
        print(f"{value:6.2f}  {text}")


def draw(directory, name, title, all_series, clients):
    """A chart of the medians, and the numbers it is drawn from."""
    data = directory / f"{name}.tsv"
    with data.open("w") as file:
        print("clients", *(series.name for series in all_series), sep="\t", file=file)
        for count in clients:
            print(
                count, *(f"{series.rate(count):.0f}" for series in all_series), sep="\t", file=file
            )
    subprocess.run(
        ["gnuplot"],
        input=f"""
            set terminal svg size 900,560 background "white"
            set output "{directory / name}.svg"
            set title "{title}"
            set datafile separator "\\t"
            set logscale x 2
            set xtics ({", ".join(map(str, clients))})
            set xlabel "clients"
            set ylabel "calls a second"
            set yrange [0:*]
            set key outside
            plot for [i=2:{len(all_series) + 1}] "{data}" using 1:i with linespoints title columnheader(i)
        """,
        text=True,
        check=True,
    )


def usage(daemon):
    """CPU seconds and megabytes at the most that a daemon has taken."""
    fields = Path(f"/proc/{daemon.pid}/stat").read_text().rpartition(")")[2].split()
    peak = next(
        line
        for line in Path(f"/proc/{daemon.pid}/status").read_text().splitlines()
        if line.startswith("VmHWM")
    )
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK"), int(
        peak.split()[1]
    ) / 1024


def bench(stage, output, clients, rounds, seconds):
    stage.load(20000)
    ungrouped = stage.start_daemon("ungrouped", group_limit=1, read_connections=16)
    try:
        for mode in (
            "access",
            "create",
            "get",
            "list",
        ):  # what is done once, for caches, is no part of it
            for daemon in (stage.daemon, ungrouped):
                stage.wrk(mode, daemon, 16, 1)
        before, _ = usage(stage.daemon)
        fast = series_of(stage, ungrouped)
        measure(fast.values(), clients, rounds, seconds)
        stage.set(commit_delay=3000, commit_siblings=0)
        slow = {
            name: series
            for name, series in series_of(stage, ungrouped).items()
            if name.startswith(("reads", "creates"))
        }
        measure(slow.values(), clients, max(1, rounds - 1), seconds)
        processor, memory = usage(stage.daemon)
    finally:
        ungrouped.stop()
    print_table("calls a second, 20,000 secrets, fsync on", fast.values(), clients)
    print_table("the same, each commit 3 ms longer", slow.values(), clients)
    print_ratios(fast, slow)
    print(f"\ndaemon: {processor - before:.1f} s of processor time, {memory:.0f} MB at the most")
    draw(output, "fast", "fsync on", list(fast.values())[:6], clients)
    draw(output, "slow", "each commit 3 ms longer", list(slow.values()), clients)
    print(f"charts: {output}/fast.svg, {output}/slow.svg")


def bench_scale(stages, totals, rounds, seconds):
    """How the cost of a read and of a list grows with the number of secrets: measured in turns, as a machine has its moods."""
    modes = ("access", "list")
    samples = {(total, mode): [] for total in totals for mode in modes}
    for stage, total in zip(stages, totals, strict=True):
        stage.load(total)
        for mode in modes:
            stage.wrk(mode, stage.daemon, 8, 5)
    for _ in range(rounds):
        for stage, total in zip(stages, totals, strict=True):
            for mode in modes:
                samples[total, mode].append(stage.wrk(mode, stage.daemon, 8, seconds).rate)
    rows = [
        [total, *(statistics.median(samples[total, mode]) for mode in modes)] for total in totals
    ]
    print(
        f"\n{'secrets':>10}{'reads/s':>12}{'to the first':>14}{'lists/s':>12}{'to the first':>14}   (8 clients, medians)\n"
    )
    for total, reads, lists in rows:
        print(
            f"{total:10,}{reads:12.0f}{reads / rows[0][1]:14.2f}{lists:12.0f}{lists / rows[0][2]:14.2f}"
        )


def main():
    arguments = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    arguments.add_argument(
        "--scale", action="store_true", help="reads and lists at growing numbers of secrets"
    )
    arguments.add_argument("--rounds", type=int, default=int(os.environ.get("BENCH_ROUNDS", 3)))
    arguments.add_argument("--seconds", type=int, default=int(os.environ.get("BENCH_SECONDS", 1)))
    arguments.add_argument("--clients", type=int, nargs="+", default=[1, 8, 64, 256])
    arguments.add_argument("--totals", type=int, nargs="+", default=[1000, 100000, 1000000])
    given = arguments.parse_args()

    output = BUILD / "var" / "bench"
    output.mkdir(parents=True, exist_ok=True)
    directory = Path(tempfile.mkdtemp(prefix="run-", dir=output))
    directory.chmod(0o755)
    stages = []
    try:
        if given.scale:
            stages += (Stage(directory / str(total)) for total in given.totals)
            bench_scale(stages, given.totals, given.rounds, given.seconds)
        else:
            stages.append(Stage(directory))
            bench(stages[0], output, given.clients, given.rounds, given.seconds)
    finally:
        for stage in stages:
            stage.daemon.stop()
            stage.cluster.stop()
    shutil.rmtree(directory)


if __name__ == "__main__":
    main()
