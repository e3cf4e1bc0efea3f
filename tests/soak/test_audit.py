"""The audit of a busy service, ten million calls long: sealed as it grows, verified in the memory that a tenth of it takes, and one
month of it dropped. Prints how fast all of that was."""

import json
import mmap
import os
import re
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from support import eventually
from support.audit import end_verify, export_month, is_anchored, start_verify, verify_inside
from support.cluster import Cluster
from support.daemon import Daemon
from support.load import Load, together
from support.tenant import Tenant

EVENTS = int(os.environ.get("SOAK_EVENTS") or 10_000_000)
CALLS = 20  # in a transaction, as reads that come at the same time share one
HOURS = 3600  # nothing here is late before that

# A partition for each month since the first one.
MONTHS = """
DO $$
DECLARE
    v_month date := date_trunc('month', now() AT TIME ZONE 'UTC' - interval '2 months');
BEGIN
    WHILE to_regclass('audit.' || rule.audit_partition(v_month)) IS NULL LOOP
        EXECUTE format('CREATE TABLE audit.%I PARTITION OF audit.event FOR VALUES FROM (%L) TO (%L)', rule.audit_partition(v_month),
                       rule.audit_month(v_month), rule.audit_month((v_month + interval '1 month')::date));
        EXECUTE format('ALTER TABLE audit.%I OWNER TO coffer_owner', rule.audit_partition(v_month));
        v_month := v_month + interval '1 month';
    END LOOP;
END
$$"""

# Rows as rule.audit_write makes them, in real transactions, except that their times are spread over the months.
WRITE = """
CREATE PROCEDURE public.write(transactions bigint, calls integer, since timestamptz, step interval) LANGUAGE plpgsql AS $$
DECLARE
    v_xid bigint;
BEGIN
    SET synchronous_commit = off;
    SET plan_cache_mode = force_generic_plan;
    FOR i IN 0..transactions - 1 LOOP
        v_xid := pg_current_xact_id()::text::bigint;
        INSERT INTO audit.event
        SELECT r.*, rule.audit_hash(ROW(r.*, NULL)::audit.event)
          FROM (SELECT nextval('audit.event_id'), v_xid, 1, since + (i * calls + n) * step,
                       '00000000-0000-4000-8000-000000000001'::uuid, gen_random_uuid(), 'coffer_api',
                       '00000000-0000-4000-8000-000000000002'::uuid, md5('p' || n)::uuid, md5('k' || n)::uuid,
                       '192.0.2.1'::inet, 'client/1.0', 'secret_version_access', 'fr-par',
                       '00000000-0000-4000-8000-000000000003'::uuid, md5('s' || (i * 7919 + n) % 2000)::uuid, 1,
                       200::smallint, NULL, '{"path": {"revision": "latest"}}'::jsonb
                  FROM generate_series(0, calls - 1) AS n OFFSET 0) AS r;
        COMMIT;
    END LOOP;
END
$$"""


def memory(pid, kind):
    """KiB of a kind that a process has; 0 when it has ended."""
    try:
        found = re.search(
            rf"^{kind}:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE
        )
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return int(found[1]) if found else 0


class Measured:
    """What some work took: seconds, and the most KiB of its own that a process and a connection of an auditor had."""

    def __init__(self, database, function, *arguments, pid=0):
        started = time.monotonic()
        self.process = self.server = 0
        with ThreadPoolExecutor(1) as threads, database.connect() as connection:
            work = threads.submit(function, *arguments)
            while not work.done():
                self.process = max(self.process, memory(pid, "VmHWM"))
                for (backend,) in connection.execute(
                    "SELECT pid FROM pg_stat_activity WHERE usename IN ('coffer_auditor', 'coffer_operator')"
                    " AND datname = current_database()"
                ):
                    self.server = max(self.server, memory(backend, "RssAnon"))
                time.sleep(0.01)
            self.result = work.result()
        self.seconds = time.monotonic() - started

    def said(self, what, events):
        print(
            f"{what}: {events} events in {self.seconds:.1f} s, {events / self.seconds:.0f}/s;"
            f" {self.process} KiB of its own, {self.server} KiB of a connection"
        )
        return self


class Audit:
    """Some months of calls, which two daemons have sealed, signed and anchored while they were written."""

    def __init__(self, numbered, cluster, root_key_file):
        self.database = cluster.database()
        self.database.query(MONTHS)
        self.database.query(WRITE)
        self.daemons = [Daemon(numbered("daemon"), self.database, root_key_file) for _ in range(2)]
        [[self.since, self.oldest]] = self.database.query(
            "SELECT rule.audit_month(month), month::text"
            " FROM (SELECT date_trunc('month', now() AT TIME ZONE 'UTC' - interval '2 months')::date AS month) AS first"
        )
        self.files = numbered("files")
        self.files.mkdir()
        self.receipts = self.files / "receipts"
        self.events = 0

    def write(self, events):
        started = time.monotonic()
        transactions = events // CALLS // 2
        step = self.database.query("SELECT (now() - %s) / %s", self.since, transactions * CALLS)[0][
            0
        ]
        call = "CALL public.write(%s, %s, %s, %s)"
        together([lambda: self.database.query(call, transactions, CALLS, self.since, step)] * 2)
        written = time.monotonic() - started
        eventually(lambda: is_anchored(self.database), HOURS)
        sealed = time.monotonic() - started
        new = 2 * transactions * CALLS
        self.events += new
        self.give_receipts()
        print(
            f"\n{new} events written in {written:.1f} s, {new / written:.0f}/s; sealed and anchored after {sealed:.1f} s"
        )

    @property
    def key(self):
        return self.database.query(
            "SELECT encode(public_key, 'hex') FROM auditor.signer", role="coffer_auditor"
        )[0][0]

    def anchors(self):
        """As many as if each tenth call had had a seal of its own; it is those that there are, again and again."""
        file = self.files / "anchors"
        seals = self.database.query("SELECT no, encode(hash, 'hex') FROM audit.seal ORDER BY no")
        lines = [f'{{"event":"seal","no":{no},"hash":"{hash}"}}\n' for no, hash in seals]
        with file.open("w") as written:
            for _ in range(self.events // 10 // len(lines) + 1):
                written.writelines(lines)
        return file

    def give_receipts(self):
        """As the daemons would have, for each call that there is."""
        line = """'{"receipt":' || id || ',"receipt_hash":"' || encode(hash, 'hex') || '"}'"""
        copy = f"\\copy (SELECT {line} FROM audit.event) TO '{self.receipts}'"
        subprocess.run(
            ["psql", "-Xqv", "ON_ERROR_STOP=1", "-c", copy],
            env=self.database.environment(),
            check=True,
        )

    def verify(self, *arguments):
        """coffer audit verify, with the public key, the logs of both daemons, many more anchors, and all receipts."""
        logs = [daemon.log_file for daemon in self.daemons] + [self.anchors(), self.receipts]
        anchors = [word for log in logs for word in ("--anchors", log)]
        process = start_verify(self.database, "--public-key", self.key, *anchors, *arguments)
        return Measured(self.database, end_verify, process, HOURS, pid=process.pid)

    def verify_inside(self):
        return Measured(self.database, verify_inside, self.database)

    def export(self):
        """The oldest month as files, and how many events it has."""
        exported = Measured(self.database, export_month, self.database, self.oldest, self.files)
        events, seals = exported.result
        [[count]] = self.database.query(
            "SELECT sum(n)::bigint FROM audit.seal WHERE month = %s", self.oldest
        )
        exported.said("exported", count)
        return ["--events", events, "--seals", seals], count

    def measure(self):
        """All three ways, each of which has to find nothing."""
        live = self.verify().said("coffer audit verify, live", self.events)
        files, count = self.export()
        exported = self.verify(*files).said("coffer audit verify, exported", count)
        inside = self.verify_inside().said("auditor.verify", self.events)
        assert (live.result, exported.result, inside.result) == ((0, []), (0, []), [])
        return live, exported, inside

    def stop(self):
        for daemon in self.daemons:
            daemon.stop()


@pytest.fixture(scope="module")
def audit(numbered, root_key_file):
    cluster = Cluster(numbered("cluster"))
    audit = Audit(numbered, cluster, root_key_file)
    yield audit
    audit.stop()
    cluster.discard()


def test_memory_does_not_grow_with_the_audit(audit):
    audit.write(EVENTS // 10)
    early = audit.measure()
    audit.write(EVENTS - EVENTS // 10)
    late = audit.measure()
    for small, large in zip(early, late):
        # What it keeps of anchors, receipts and rows before it puts them on disk; of a server, the sorts of some seals.
        assert large.process <= small.process + 8192
        assert large.server <= small.server + 12288


def test_each_seal_went_out_once(audit):
    sealed = [no for (no,) in audit.database.query("SELECT no FROM audit.seal ORDER BY no")]
    anchored = [
        [line["no"] for line in daemon.log_lines() if line["event"] == "seal"]
        for daemon in audit.daemons
    ]
    assert sorted(anchored[0] + anchored[1]) == sealed == list(range(len(sealed)))
    print(
        f"\n{len(sealed)} seals, of which the daemons have anchored {len(anchored[0])} and {len(anchored[1])}"
    )


@contextmanager
def damaged(database, changed, removed):
    """A column of one row is changed, and another row is removed; both are named by transaction and id."""
    place = "WHERE (epoch, xid, id) = (1, %s, %s)"
    database.query("CREATE TABLE public.kept (LIKE audit.event)")
    for row in (changed, removed):
        database.query(f"INSERT INTO public.kept SELECT * FROM audit.event {place}", *row)
    database.query(f"UPDATE audit.event SET status = 404 {place}", *changed)
    database.query(f"DELETE FROM audit.event {place}", *removed)
    yield
    database.query(f"DELETE FROM audit.event {place}", *changed)
    database.query("INSERT INTO audit.event SELECT * FROM public.kept")


@contextmanager
def bit_flipped(file):
    """One bit of the last row of an exported file."""
    with file.open("r+b") as opened, mmap.mmap(opened.fileno(), 0) as content:
        place = content.rfind(b"secret_version_access")
        content[place] ^= 1
        yield
        content[place] ^= 1


def test_damage_near_the_end_is_named(audit, tmp_path):
    query = audit.database.query
    audit.give_receipts()
    changed, removed = query(
        "SELECT xid, id FROM audit.event ORDER BY epoch DESC, xid DESC, id DESC LIMIT 2"
    )
    [[last]] = query("SELECT max(no) FROM audit.seal")
    [[seal]] = query("SELECT max(no) FROM audit.seal WHERE xid_from <= %s AND n > 0", removed[0])
    [[in_file]] = query(
        "SELECT id FROM audit.event WHERE at < rule.audit_month((%s::date + interval '1 month')::date)"
        " ORDER BY epoch DESC, xid DESC, id DESC LIMIT 1",
        audit.oldest,
    )
    found = {f"row_changed row {changed[1]}", f"rows_missing seal {seal}"}
    forged = tmp_path / "forged"
    forged.write_text(
        json.dumps({"event": "seal", "no": last, "hash": "00" * 32}, separators=(",", ":")) + "\n"
    )

    with damaged(audit.database, changed, removed):
        outside = audit.verify("--anchors", forged).said(
            "coffer audit verify, live, damaged", audit.events
        )
        inside = audit.verify_inside().said("auditor.verify, damaged", audit.events)
    assert set(inside.result) == found
    assert (outside.result[0], set(outside.result[1])) == (
        1,
        found
        | {
            f"anchor_differs seal {last}",
            f"receipt_differs row {changed[1]}",
            f"receipt_lost row {removed[1]}",
        },
    )

    files, count = audit.export()
    with bit_flipped(files[1]):
        exported = audit.verify(*files).said("coffer audit verify, exported, damaged", count)
    assert exported.result == (1, [f"row_changed row {in_file}", f"receipt_differs row {in_file}"])


def test_a_month_is_dropped_while_reads_go_on(audit):
    tenant = Tenant(audit.daemons[0])
    secret = tenant.client().create_secret(name="read")["id"]
    tenant.client().create_version(secret, b"value")
    audit.export()
    slowest = 0

    def access(client):
        nonlocal slowest
        started = time.monotonic()
        answer = client.get(f"/secrets/{secret}/versions/1/access")
        slowest = max(slowest, time.monotonic() - started)
        return answer

    with Load([tenant.client(daemon) for daemon in audit.daemons * 2], access) as load:
        eventually(lambda: load.count(200) > 1000)
        before, usual, slowest = load.count(200), slowest, 0
        with audit.database.connect("coffer_operator") as operator:
            started = time.monotonic()
            with operator.transaction():
                drop = "SELECT operator.audit_drop_month(%s::date)"
                [[rows]] = operator.execute(drop, [audit.oldest]).fetchall()
                dropped = time.monotonic() - started
            removed = time.monotonic() - started - dropped
        during = load.count(200) - before
        eventually(lambda: load.count(200) > before + during + 1000)
    assert load.statuses() == {200}
    print(
        f"\na month of {rows} rows, of {audit.events}, was dropped in {dropped:.3f} s; the commit, after which its files are removed,"
        f" took {removed:.3f} s; meanwhile {during} reads were answered, the slowest in {slowest:.3f} s, and {usual:.3f} s before"
    )
    eventually(lambda: is_anchored(audit.database), HOURS)
    audit.events -= rows
    assert audit.verify().said("coffer audit verify, the rest", audit.events).result == (0, [])
    assert audit.verify_inside().said("auditor.verify, the rest", audit.events).result == []
