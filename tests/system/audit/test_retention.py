"""A month of the audit is exported and dropped while calls go on; what was exported can be verified and loaded again."""

import json
import struct
import subprocess
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from support import eventually
from support.audit import (
    MONTH_BEFORE,
    export_month,
    is_anchored,
    unsealed,
    verify,
    verify_inside,
)
from support.daemon import BINARY, environment
from support.load import Load


class Month:
    """A month that is over, sealed and anchored, and a daemon that goes on."""

    def __init__(self, database, start_daemon, new_tenant):
        first = start_daemon(database)
        with unsealed(database):
            client = new_tenant(first).client()
            self.secret = client.create_secret(name="read")["id"]
            client.create_version(self.secret, b"value")
            for _ in range(20):
                client.access(self.secret)
            first.stop()
            database.query(MONTH_BEFORE)
        # Some seals; of ranges without rows there are none.
        for _ in range(30):
            database.query("SELECT job.audit_seal(4)")
        [[self.name, self.partition]] = database.query(
            "SELECT m::text, 'audit.' || rule.audit_partition(m)"
            " FROM (SELECT (date_trunc('month', now() AT TIME ZONE 'UTC') - interval '1 month')::date AS m) AS month"
        )
        self.daemon = start_daemon(database)
        self.client = client.to(self.daemon)
        eventually(lambda: is_anchored(database))
        rows = database.query(f"SELECT id, hash FROM {self.partition}")
        self.rows = len(rows)
        # The receipts that the calls would have had.
        self.receipts = self.daemon.directory / "receipts"
        lines = [
            json.dumps({"receipt": id, "receipt_hash": hash.hex()}, separators=(",", ":"))
            for id, hash in rows
        ]
        self.receipts.write_text("\n".join(lines) + "\n")


@pytest.fixture
def month(database, start_daemon, new_tenant):
    return Month(database, start_daemon, new_tenant)


def drop(database, month):
    return database.query(
        "SELECT operator.audit_drop_month(%s::date)", month.name, role="coffer_operator"
    )[0][0]


def drop_in_the_end(database, month):
    """Call again as often as it gives up, as its hint says."""
    while True:
        try:
            return drop(database, month)
        except psycopg.DatabaseError as error:
            if "somebody reads the audit all the time" not in str(error):
                raise


def is_waiting(database):
    """Whether the drop waits for its lock, for no longer than it may."""
    [[waits]] = database.query(
        "SELECT count(*) FROM pg_stat_activity WHERE usename = 'coffer_operator' AND datname = current_database()"
        " AND wait_event_type = 'Lock'"
    )
    return waits == 1


def access(month):
    return lambda client: client.get(f"/secrets/{month.secret}/versions/1/access")


def clients(month):
    return [month.client.as_key(month.client.secret_key) for _ in range(4)]


def test_reads_go_on_while_a_month_is_dropped(database, month, tmp_path):
    export_month(database, month.name, tmp_path)
    # An auditor reads the audit, and holds the drop up; calls queue behind the drop only while it waits for its lock.
    with (
        ThreadPoolExecutor(1) as threads,
        database.connect() as auditor,
        Load(clients(month), access(month)) as load,
    ):
        with auditor.transaction():
            auditor.execute("SELECT count(*) FROM audit.event")
            dropped = threads.submit(drop_in_the_end, database, month)
            for _ in range(3):
                eventually(lambda: is_waiting(database))
                before = load.count(200)
                eventually(lambda: load.count(200) > before + 20)
            assert not dropped.done()
        assert dropped.result(60) == month.rows
        before = load.count(200)
        eventually(lambda: load.count(200) > before + 20)
    assert load.statuses() == {200}
    assert database.query("SELECT to_regclass(%s)", month.partition) == [(None,)]


def test_a_drop_gives_up_and_reads_have_not_noticed(database, month, tmp_path):
    export_month(database, month.name, tmp_path)
    with (
        database.connect() as auditor,
        auditor.transaction(),
        Load(clients(month), access(month)) as load,
    ):
        auditor.execute("SELECT count(*) FROM audit.event")
        with pytest.raises(psycopg.Error, match="somebody reads the audit all the time"):
            drop(database, month)
        before = load.count(200)
        eventually(lambda: load.count(200) > before + 20)
    assert load.statuses() == {200}
    assert database.query(f"SELECT count(*) FROM {month.partition}") == [(month.rows,)]
    assert drop(database, month) == month.rows


def test_a_row_that_is_committed_at_last_is_not_dropped(database, month, tmp_path):
    """Nobody has seen it when the month was exported, and no seal is over it."""
    export_month(database, month.name, tmp_path)
    with ThreadPoolExecutor(1) as threads, database.connect() as writer:
        with writer.transaction():
            writer.execute(
                "INSERT INTO audit.event SELECT (jsonb_populate_record(e, jsonb_build_object("
                " 'id', nextval('audit.event_id'), 'xid', pg_current_xact_id()::text::bigint))).*"
                f" FROM {month.partition} e LIMIT 1"
            )
            dropped = threads.submit(drop, database, month)
            eventually(lambda: is_waiting(database))
        with pytest.raises(
            psycopg.Error, match="not sealed yet|not anchored yet|not exported since"
        ):
            dropped.result(60)
    assert database.query(f"SELECT count(*) FROM {month.partition}") == [(month.rows + 1,)]


def verify_files(events, seals, *arguments):
    """The exit status, what is damaged and what is said."""
    done = subprocess.run(
        [BINARY, "audit", "verify", "--events", events, "--seals", seals, *arguments],
        env=environment({}),
        text=True,
        capture_output=True,
    )
    return done.returncode, done.stdout, done.stderr


def test_an_export_names_its_month(database, month, tmp_path):
    events, seals = export_month(database, month.name, tmp_path)
    code, damages, errors = verify_files(events, seals, "--month", month.name)
    assert (code, damages) == (0, "") and f"coffer: the export of month {month.name}\n" in errors
    code, damages, errors = verify_files(events, seals, "--month", "2001-02-01")
    assert (code, damages) == (
        2,
        "",
    ) and f"{seals} has the seals of month {month.name}, not of 2001-02-01\n" in errors
    # Rows of this month, which is not over, with the seals of the one before.
    other = tmp_path / "other"
    copy = f"\\copy (SELECT * FROM audit.event WHERE at >= date_trunc('month', now() AT TIME ZONE 'UTC') AT TIME ZONE 'UTC') TO '{other}' (FORMAT binary)"
    subprocess.run(
        ["psql", "-Xqv", "ON_ERROR_STOP=1", "-c", copy], env=database.environment(), check=True
    )
    code, _, errors = verify_files(other, seals)
    assert (
        code == 2
        and f"the rows of {other} are of another month than the seals of {seals}\n" in errors
    )


def test_what_was_exported_is_verified_and_loaded_again(database, month, tmp_path):
    events, seals = export_month(database, month.name, tmp_path)
    log = month.daemon.log_file
    [[key]] = database.query(
        "SELECT encode(public_key, 'hex') FROM auditor.signer", role="coffer_auditor"
    )
    files = [
        "--events",
        events,
        "--seals",
        seals,
        "--public-key",
        key,
        "--anchors",
        log,
        "--anchors",
        month.receipts,
    ]
    database.query(f"CREATE TABLE public.kept AS TABLE {month.partition}")
    drop(database, month)

    assert verify(database, *files) == (0, [])
    other = key[:-2] + ("00" if key[-2:] != "00" else "01")
    files[files.index(key)] = other
    status, damages = verify(database, *files)
    assert status == 1 and all(damage.startswith("signature_wrong") for damage in damages)

    database.query("CREATE TABLE public.loaded (LIKE audit.event)")
    copy = f"\\copy public.loaded FROM '{events}' (FORMAT binary)"
    subprocess.run(
        ["psql", "-Xqv", "ON_ERROR_STOP=1", "-c", copy], env=database.environment(), check=True
    )
    [[differing]] = database.query(
        "SELECT count(*) FROM public.kept k FULL JOIN public.loaded l ON k.id = l.id WHERE k IS DISTINCT FROM l"
    )
    assert differing == 0

    damaged = bytearray(events.read_bytes())
    damaged[damaged.index(b"secret_version_access")] ^= 1
    events.write_bytes(damaged)
    files[files.index(other)] = key
    status, damages = verify(database, *files)
    assert status == 1 and {damage.split()[0] for damage in damages} == {
        "row_changed",
        "receipt_differs",
    }


def copied(file):
    """The rows of a file of COPY in its binary format, as lists of fields."""
    content, rows, at = file.read_bytes(), [], 19
    while (count := struct.unpack_from(">h", content, at)[0]) != -1:
        at += 2
        rows.append([])
        for _ in range(count):
            [size] = struct.unpack_from(">i", content, at)
            at += 4 + max(size, 0)
            rows[-1].append(content[at - size : at] if size >= 0 else None)
    return rows


def copy_to(file, rows):
    with file.open("wb") as written:
        written.write(b"PGCOPY\n\xff\r\n\0" + bytes(8))
        for row in rows:
            written.write(struct.pack(">h", len(row)))
            for field in row:
                written.write(
                    struct.pack(">i", -1)
                    if field is None
                    else struct.pack(">i", len(field)) + field
                )
        written.write(struct.pack(">h", -1))


def test_whatever_is_cut_from_an_export_is_missed(database, month, tmp_path):
    """Also when rows and their seals are cut out together; with the public key alone, without an anchor."""
    events, seals = export_month(database, month.name, tmp_path)
    [[key]] = database.query(
        "SELECT encode(public_key, 'hex') FROM auditor.signer", role="coffer_auditor"
    )
    all_rows, all_seals = copied(events), copied(seals)
    assert len(all_seals) >= 4 and len(all_rows) == month.rows

    def found(kept_seals, kept_rows):
        copy_to(seals, kept_seals)
        copy_to(events, kept_rows)
        return verify(database, "--seals", seals, "--events", events, "--public-key", key)

    def rows_of(sealed):
        ranges = [(seal[3], seal[4]) for seal in sealed]
        return [row for row in all_rows if any(low <= row[1] < high for low, high in ranges)]

    assert found(all_seals, all_rows) == (0, [])
    for first in range(len(all_seals)):
        for end in range(first + 1, len(all_seals) + 1):
            kept = all_seals[:first] + all_seals[end:]
            status, damages = found(kept, rows_of(kept))
            assert status == 1 and damages[0].startswith("seal_missing seal ")
    assert found(all_seals[:-2], all_rows)[0] == 1

    # Two columns put together: its bytes, and so its hash, are what they were.
    seal = all_seals[1]
    refitted = seal[:4] + [seal[4] + seal[5], b""] + seal[6:]
    status, damages = found(
        [all_seals[0], refitted, *all_seals[2:]], rows_of(all_seals[:1] + all_seals[2:])
    )
    assert status == 1 and f"seal_changed seal {int.from_bytes(seal[0], 'big')}" in damages


def test_a_month_without_events(database, month, tmp_path):
    """What is exported of it says so, and it is dropped."""
    [[empty]] = database.query("SELECT (%s::date - interval '1 month')::date::text", month.name)
    with database.connect() as connection:
        connection.execute(
            f"CREATE TABLE audit.event_{empty[:4]}_{empty[5:7]} PARTITION OF audit.event"
            f" FOR VALUES FROM ('{empty} 00:00+00') TO ('{month.name} 00:00+00')"
        )
        connection.execute(
            f"ALTER TABLE audit.event_{empty[:4]}_{empty[5:7]} OWNER TO coffer_owner"
        )
    events, seals = export_month(database, empty, tmp_path)
    assert verify(database, "--seals", seals, "--events", events) == (0, [])
    copy_to(seals, [])
    assert verify(database, "--seals", seals, "--events", events) == (1, ["seal_missing seal 0"])


def test_the_rest_is_sound_without_a_month(database, month, tmp_path):
    """Its seals are there, and its receipts are not missed."""
    export_month(database, month.name, tmp_path)
    drop(database, month)
    eventually(lambda: is_anchored(database))
    assert verify_inside(database) == []
    assert verify(database, "--anchors", month.daemon.log_file, "--anchors", month.receipts) == (
        0,
        [],
    )


def test_what_is_lost_beside_a_month_that_was_dropped_is_found(database, month, tmp_path):
    """Receipts of rows that no seal has covered, though the month that was dropped had receipts too."""
    export_month(database, month.name, tmp_path)
    drop(database, month)
    eventually(lambda: is_anchored(database))
    with unsealed(database):
        month.client.access(month.secret)
        month.daemon.stop()
        [[young]] = database.query(
            "DELETE FROM audit.event WHERE id = (SELECT max(id) FROM audit.event) RETURNING id"
        )
    assert verify_inside(database) == []
    assert verify(database, "--anchors", month.daemon.log_file, "--anchors", month.receipts) == (
        1,
        [f"receipt_lost row {young}"],
    )


def test_a_month_that_was_dropped_by_hand_after_another_is_found(database, month, tmp_path):
    """Though that other one was dropped as it should be, and this one is noted in the same way."""
    export_month(database, month.name, tmp_path)
    drop(database, month)
    eventually(lambda: is_anchored(database))
    month.daemon.stop()
    forged, name = "2001-01-01", "month_missing month 2001-01-01"
    database.query(
        "INSERT INTO audit.seal SELECT (jsonb_populate_record(s, jsonb_build_object('no', s.no + 1, 'month', %s::date, 'n', 7,"
        " 'xid_from', s.xid_to, 'prev', s.hash))).* FROM audit.seal s ORDER BY no DESC LIMIT 1",
        forged,
    )
    database.query(
        "UPDATE audit.seal s SET hash = rule.seal_hash(s), signature = NULL, signer = NULL, anchored_at = NULL WHERE n = 7"
    )
    assert verify_inside(database) == [name]
    database.query("INSERT INTO audit.month SELECT %s, now(), dropped_at FROM audit.month", forged)
    assert verify_inside(database) == [name]
    assert verify(database) == (1, [name])
    # The row of the drop itself names it, changed after it was sealed.
    database.query(
        "UPDATE audit.event SET request = request || jsonb_build_object('earlier', jsonb_build_array(jsonb_build_object('month', %s::text, 'rows', 7)))"
        " WHERE method = 'operator.audit_drop_month'",
        forged,
    )
    database.query(
        "UPDATE audit.event e SET hash = rule.audit_hash(e) WHERE method = 'operator.audit_drop_month'"
    )
    assert f"month_missing month {month.name}" in verify_inside(database) and name in verify_inside(
        database
    )
    status, damages = verify(database)
    assert status == 1 and {name, f"month_missing month {month.name}"} <= set(damages)
