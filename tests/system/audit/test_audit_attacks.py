"""What a superuser can do to the audit, and who finds it: a test for each row of the table in doc/audit.md.

`inside` is auditor.verify, `outside` is coffer audit verify, which trusts nothing of the database but the public key of its seals,
`anchored` is the same with the log of the daemon.
"""

import pytest

from support import eventually
from support.audit import is_anchored, start_verify, unsealed, verify, verify_inside
from support.daemon import Daemon
from support.tenant import Tenant

KEPT = ("audit.event", "audit.seal", "audit.month", "audit.epoch")


class Audit:
    """Four seals over reads, each of two or three, and one read that is not sealed; the daemon has ended."""

    def __init__(self, database, daemon):
        self.database, self.daemon = database, daemon
        self.client = client = Tenant(daemon).client()
        secret = client.create_secret(name="read")["id"]
        client.create_version(secret, b"value")
        for number in (2, 3, 3, 2):
            eventually(lambda: is_anchored(database))
            with unsealed(database):
                for _ in range(number):
                    client.access(secret)
        eventually(lambda: is_anchored(database))
        with unsealed(database):
            client.access(secret)
            daemon.stop()
        reads = database.query(
            "SELECT id FROM audit.event WHERE method = 'secret_version_access' ORDER BY id"
        )
        self.ids = [id for (id,) in reads]
        [[last]] = database.query("SELECT max(no) FROM audit.seal")
        [[month, partition, following]] = database.query(
            "SELECT m::text, 'audit.' || rule.audit_partition(m), (m + interval '1 month')::date::text"
            " FROM (SELECT date_trunc('month', now() AT TIME ZONE 'UTC')::date AS m) AS month"
        )
        self.names = {
            "row": self.ids[3],
            "other": self.ids[6],
            "young": self.ids[-1],
            "seal": last - 2,
            "last": last,
        }
        self.names |= {"month": month, "following": following, "partition": partition}
        self.names |= {"first": self.ids[2], "tail": self.ids[8]}
        for table in KEPT:
            database.query(f"CREATE TABLE public.kept_{table[6:]} AS TABLE {table}")
        database.query(REMAKE)
        database.query(FLIP)

    def attack(self, statements):
        with self.database.connect() as connection, connection.transaction():
            for statement in statements.format(**self.names).split(";"):
                connection.execute(statement)

    def found(self):
        log = self.daemon.log_file
        inside, outside, anchored = (
            verify_inside(self.database),
            verify(self.database),
            verify(self.database, "--anchors", log),
        )
        for status, damages in (outside, anchored):
            assert status == (1 if damages else 0)
        return set(inside), set(outside[1]), set(anchored[1])

    def mend(self):
        with self.database.connect() as connection, connection.transaction():
            connection.execute("DROP TABLE IF EXISTS audit.event_2001_01, audit.event_rest")
            connection.execute("SELECT job.audit_partition_create()")
            for table in KEPT:
                connection.execute(f"TRUNCATE {table}")
                connection.execute(f"INSERT INTO {table} SELECT * FROM public.kept_{table[6:]}")
            connection.execute("DELETE FROM store.signer WHERE id = '0123456789abcdef'")

    def expected(self, damages):
        return {damage.format(**self.names) for damage in damages}


# All seals but the first made anew, over the rows that there are: all that a superuser can, who has no key to sign with.
REMAKE = """
CREATE FUNCTION public.remake() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_range record;
BEGIN
    DELETE FROM audit.seal WHERE no > 0;
    FOR v_range IN SELECT DISTINCT k.xid_from, k.xid_to FROM public.kept_seal k WHERE k.no > 0 ORDER BY 1 LOOP
        PERFORM rule.seal_rows(1, v_range.xid_from, v_range.xid_to);
    END LOOP;
END
$$"""

# One bit of a column, or what is next to one.
FLIP = """
CREATE FUNCTION public.flip(part text, name text, place text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_type CONSTANT text := (SELECT a.atttypid::regtype FROM pg_attribute a WHERE a.attrelid = part::regclass AND a.attname = name);
BEGIN
    EXECUTE format('UPDATE %s SET %I = ' || CASE v_type
        WHEN 'bigint' THEN 'coalesce(%2$I, 0) # 1'
        WHEN 'integer' THEN 'coalesce(%2$I, 0) # 1'
        WHEN 'smallint' THEN '(%2$I # 1::smallint)'
        WHEN 'text' THEN 'CASE WHEN coalesce(%2$I, '''') = '''' THEN CASE WHEN %2$I IS NULL THEN '''' END
                          ELSE convert_from(set_byte(convert_to(%2$I, ''UTF8''), 0, get_byte(convert_to(%2$I, ''UTF8''), 0) # 1), ''UTF8'') END'
        WHEN 'uuid' THEN 'encode(set_byte(uuid_send(%2$I), 15, get_byte(uuid_send(%2$I), 15) # 1), ''hex'')::uuid'
        WHEN 'date' THEN '%2$I + 1'
        WHEN 'timestamp with time zone' THEN '%2$I + interval ''1 microsecond'''
        WHEN 'inet' THEN '%2$I + 1'
        WHEN 'jsonb' THEN '%2$I || ''{"x": 1}'''
        WHEN 'bytea' THEN 'set_byte(%2$I, 31, get_byte(%2$I, 31) # 1)'
    END || ' WHERE ' || place, part, name);
END
$$"""


@pytest.fixture(scope="module")
def audit(numbered, new_database, root_key_file):
    database = new_database()
    daemon = Daemon(numbered("audited"), database, root_key_file)
    audit = Audit(database, daemon)
    yield audit
    daemon.stop()


@pytest.fixture
def attacked(audit):
    yield audit
    audit.mend()


def test_nothing_is_found_before(audit):
    assert audit.found() == (set(), set(), set())


EVENT = (
    "id xid epoch at instance request_id database_role organization_id principal_id api_key_id ip user_agent method region"
    " project_id secret_id revision status error request hash"
).split()


@pytest.mark.parametrize("column", EVENT)
def test_a_bit_of_a_row(attacked, column):
    attacked.attack(f"SELECT public.flip('audit.event', '{column}', 'id = {{row}}')")
    found = attacked.found()
    row = attacked.names["row"] ^ (column == "id")
    for damages in found:
        assert f"row_changed row {row}" in damages
    # The seal is over an order by transaction and id, and over hashes; the other columns only over their row.
    if column not in ("id", "xid", "epoch", "hash"):
        assert found[0] == found[1] == {f"row_changed row {row}"}


@pytest.mark.parametrize(
    "column",
    ["no", "epoch", "month", "xid_from", "xid_to", "n", "root", "prev", "sealed_at", "hash"],
)
def test_a_bit_of_a_seal(attacked, column):
    attacked.attack(
        f"SELECT public.flip('audit.seal', '{column}', 'no = {{seal}} - 1')"
        if column != "no"
        else "UPDATE audit.seal SET no = no + 1000 WHERE no = {seal} - 1"
    )
    changed = attacked.names["seal"] - 1 + 1000 * (column == "no")
    for damages in attacked.found():
        assert f"seal_changed seal {changed}" in damages


# Statements; what is found inside, outside, and with anchors beside what is found outside.
ATTACKS = {
    "a row changed together with its hash": (
        "UPDATE audit.event SET status = 404 WHERE id = {row};"
        "UPDATE audit.event e SET hash = rule.audit_hash(e) WHERE id = {row}",
        ["rows_exchanged seal {seal}"], ["rows_exchanged seal {seal}"], ["receipt_differs row {row}"],
    ),
    "a row deleted": (
        "DELETE FROM audit.event WHERE id = {row}",
        ["rows_missing seal {seal}"], ["rows_missing seal {seal}"], ["receipt_lost row {row}"],
    ),
    "the tail cut": (
        "DELETE FROM audit.event WHERE id >= {tail}",
        ["rows_missing seal {last}"], ["rows_missing seal {last}"], ["receipt_lost row {tail}"],
    ),
    "the table emptied": (
        "TRUNCATE audit.event",
        ["month_missing month {month}"], ["month_missing month {month}"], ["receipt_lost row"],
    ),
    "a row inserted": (
        "INSERT INTO audit.event SELECT (jsonb_populate_record(e, '{{\"id\": 9999}}')).* FROM audit.event e WHERE id = {row};"
        "UPDATE audit.event e SET hash = rule.audit_hash(e) WHERE id = 9999",
        ["rows_added seal {seal}"], ["rows_added seal {seal}"], [],
    ),
    "a row in place of another": (
        "UPDATE audit.event e SET principal_id = o.principal_id, request = o.request, at = o.at, request_id = o.request_id"
        "  FROM audit.event o WHERE e.id = {row} AND o.id = {other};"
        "UPDATE audit.event e SET hash = rule.audit_hash(e) WHERE id = {row}",
        ["rows_exchanged seal {seal}"], ["rows_exchanged seal {seal}"], ["receipt_differs row {row}"],
    ),
    "a row backdated": (
        "UPDATE audit.event SET xid = (SELECT min(xid) FROM audit.event) WHERE id = {young};"
        "UPDATE audit.event e SET hash = rule.audit_hash(e) WHERE id = {young}",
        ["rows_added seal 1"], ["rows_added seal 1"], ["receipt_differs row {young}"],
    ),
    "a row moved to a month without seals": (
        "UPDATE audit.event SET at = at + interval '1 month' WHERE id = {row};"
        "UPDATE audit.event e SET hash = rule.audit_hash(e) WHERE id = {row}",
        ["rows_missing seal {seal}", "row_unsealed row {row}"], ["rows_missing seal {seal}", "row_unsealed row {row}"],
        ["receipt_differs row {row}"],
    ),
    "a row backdated into a partition that has the name of another month": (
        "CREATE TABLE audit.event_2001_01 PARTITION OF audit.event FOR VALUES FROM ('2020-01-01') TO ('2020-02-01');"
        "INSERT INTO audit.event SELECT (jsonb_populate_record(e, '{{\"id\": 9999, \"at\": \"2020-01-05\"}}')).*"
        "  FROM audit.event e WHERE id = {row};"
        "UPDATE audit.event e SET hash = rule.audit_hash(e) WHERE id = 9999",
        ["row_unsealed row 9999"], ["row_unsealed row 9999"], [],
    ),
    "a row backdated into a partition for the rest": (
        "CREATE TABLE audit.event_rest PARTITION OF audit.event DEFAULT;"
        "INSERT INTO audit.event SELECT (jsonb_populate_record(e, '{{\"id\": 9999, \"at\": \"2020-01-05\"}}')).*"
        "  FROM audit.event e WHERE id = {row};"
        "UPDATE audit.event e SET hash = rule.audit_hash(e) WHERE id = 9999",
        ["row_unsealed row 9999"], ["row_unsealed row 9999"], [],
    ),
    "a row inserted into an epoch that has ended, past its end": (
        "SELECT operator.audit_epoch_begin('another epoch');"
        "INSERT INTO audit.event SELECT (jsonb_populate_record(e, '{{\"id\": 9999}}')).* FROM audit.event e WHERE id = {row};"
        "UPDATE audit.event e SET xid = (SELECT max(s.xid_to) + 5 FROM audit.seal s WHERE s.epoch = 1) WHERE id = 9999;"
        "UPDATE audit.event e SET hash = rule.audit_hash(e) WHERE id = 9999",
        ["row_unsealed row 9999"], ["row_unsealed row 9999"], [],
    ),
    "a partition dropped by hand": (
        "DROP TABLE {partition}",
        ["month_missing month {month}"], ["month_missing month {month}"], ["receipt_lost row"],
    ),
    "a partition dropped by hand, and noted as dropped": (
        "DROP TABLE {partition};"
        "INSERT INTO audit.month VALUES ('{month}', now(), now())",
        ["month_missing month {month}"], ["month_missing month {month}"], ["receipt_lost row"],
    ),
    "a partition dropped by hand, and noted as dropped in a month that is noted too": (
        "DROP TABLE {partition};"
        "INSERT INTO audit.month VALUES ('{month}', now(), '{following}'::timestamptz + interval '4 days'), ('{following}', now(), now())",
        ["month_missing month {month}"], ["month_missing month {month}"], ["receipt_lost row"],
    ),
    "the table emptied, and both months noted as dropped": (
        "TRUNCATE audit.event;"
        "INSERT INTO audit.month VALUES ('{month}', now(), '{following}'::timestamptz + interval '4 days'), ('{following}', now(), now())",
        ["month_missing month {month}"], ["month_missing month {month}"], ["receipt_lost row"],
    ),
    "rows changed and deleted, and both months noted as dropped": (
        "UPDATE audit.event SET status = 404 WHERE id = {row};"
        "DELETE FROM audit.event WHERE id = {other};"
        "INSERT INTO audit.month VALUES ('{month}', now(), '{following}'::timestamptz + interval '4 days'), ('{following}', now(), now())",
        ["row_changed row {row}", "rows_missing seal"], ["row_changed row {row}", "rows_missing seal"], ["receipt_lost row {other}"],
    ),
    "a partition dropped by hand, and a row that says that it was dropped": (
        "INSERT INTO audit.event SELECT (jsonb_populate_record(e, jsonb_build_object('id', 9999, 'at', '{following}',"
        "  'method', 'operator.audit_drop_month', 'request', jsonb_build_object('month', '{month}', 'rows',"
        "  (SELECT sum(n) FROM audit.seal))))).* FROM audit.event e WHERE id = {row};"
        "UPDATE audit.event e SET hash = rule.audit_hash(e) WHERE id = 9999;"
        "DROP TABLE {partition};"
        "INSERT INTO audit.month VALUES ('{month}', now(), '{following}')",
        ["month_missing month {month}", "row_unsealed row 9999"], ["month_missing month {month}", "row_unsealed row 9999"],
        ["receipt_lost row"],
    ),
    "a seal changed together with its hash": (
        "UPDATE audit.seal SET n = n + 1 WHERE no = {seal};"
        "UPDATE audit.seal s SET hash = rule.seal_hash(s) WHERE no = {seal}",
        ["chain_broken", "rows_missing seal {seal}"], ["chain_broken", "rows_missing seal {seal}", "signature_wrong seal {seal}"],
        ["anchor_differs seal {seal}"],
    ),
    "a seal removed": (
        "DELETE FROM audit.seal WHERE no = {seal}",
        ["seal_missing", "row_unsealed row {row}"], ["seal_missing", "row_unsealed row {row}"], ["anchor_lost seal {seal}"],
    ),
    "a seal removed with its rows": (
        "DELETE FROM audit.event e USING audit.seal s WHERE s.no = {seal} AND e.xid >= s.xid_from AND e.xid < s.xid_to;"
        "DELETE FROM audit.seal WHERE no = {seal}",
        ["seal_missing"], ["seal_missing"], ["anchor_lost seal {seal}", "receipt_lost row {first}"],
    ),
    "all seals removed": (
        "DELETE FROM audit.seal",
        ["seal_missing seal 0", "row_unsealed row {row}"], ["seal_missing seal 0", "row_unsealed row {row}"],
        ["anchor_lost seal 0"],
    ),
    "a signature taken away": (
        "UPDATE audit.seal SET signature = NULL, signer = NULL, anchored_at = NULL WHERE no = {seal}",
        ["seal_unsigned seal {seal}"], ["seal_unsigned seal {seal}"], [],
    ),
    "a signature exchanged": (
        "UPDATE audit.seal s SET signature = o.signature FROM audit.seal o WHERE s.no = {seal} AND o.no = {last}",
        [], ["signature_wrong seal {seal}"], [],
    ),
    "a signer exchanged": (
        "INSERT INTO store.signer SELECT '0123456789abcdef', sha256('other'), root_id, wrapped, now(), now() FROM store.signer;"
        "UPDATE audit.seal SET signer = '0123456789abcdef' WHERE no = {seal}",
        [], ["signer_wrong seal {seal}"], [],
    ),
    "all seals made anew, with signatures of before": (
        "DELETE FROM audit.event WHERE id = {row};"
        "SELECT public.remake();"
        "UPDATE audit.seal s SET signature = k.signature, signer = k.signer FROM public.kept_seal k WHERE k.no = s.no",
        [], ["signature_wrong seal {seal}"], ["anchor_differs seal {seal}", "receipt_lost row {row}"],
    ),
    "all seals made anew, without": (
        "DELETE FROM audit.event WHERE id = {row};"
        "SELECT public.remake()",
        [], [], ["anchor_differs seal {seal}", "receipt_lost row {row}"],
    ),
    "the tail cut together with its seals": (
        "DELETE FROM audit.event WHERE id >= {tail};"
        "DELETE FROM audit.seal WHERE no = {last}",
        [], [], ["anchor_lost seal {last}", "receipt_lost row {tail}"],
    ),
    "a row changed that is not sealed yet": (
        "UPDATE audit.event SET status = 404 WHERE id = {young};"
        "UPDATE audit.event e SET hash = rule.audit_hash(e) WHERE id = {young}",
        [], [], ["receipt_differs row {young}"],
    ),
    "a row deleted that is not sealed yet": (
        "DELETE FROM audit.event WHERE id = {young}",
        [], [], ["receipt_lost row {young}"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("title", ATTACKS)
def test_attack(attacked, title):
    statements, *expected = ATTACKS[title]
    attacked.attack(statements)
    inside, outside, anchored = attacked.found()
    for damages, wanted in zip((inside, outside, anchored - outside), expected):
        for words in attacked.expected(wanted):
            assert any(damage.startswith(words) for damage in damages), (words, damages)
    # Where nothing is expected, it must not be found: the table says that it takes more.
    assert [bool(inside), bool(outside)] == [bool(wanted) for wanted in expected[:2]]
    assert outside <= anchored != set()


def test_a_daemon_signs_what_was_made_anew(attacked, root_key_file):
    """It knows no better; so only anchors tell."""
    attacked.attack("DELETE FROM audit.event WHERE id = {row}; SELECT public.remake()")
    before = attacked.daemon.log_file.rename(attacked.daemon.log_file.with_name("log-before"))
    attacked.daemon.start()
    try:
        eventually(lambda: is_anchored(attacked.database))
    finally:
        attacked.daemon.stop()
        before.rename(attacked.daemon.log_file)
    inside, outside, anchored = attacked.found()
    assert (inside, outside) == (set(), set())
    assert anchored >= attacked.expected(["anchor_differs seal {seal}", "receipt_lost row {row}"])


SUPPRESS = """
    CREATE FUNCTION public.suppress() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
    CREATE TRIGGER suppress BEFORE INSERT ON {} FOR EACH ROW WHEN (NEW.method = 'secret_version_access')
        EXECUTE FUNCTION public.suppress()"""


def test_rows_that_are_never_written(database, start_daemon, new_tenant):
    """By a trigger on a partition, in a record of the deploy that was made to fit: else no daemon would serve."""
    daemon = start_daemon(database)
    client = new_tenant(daemon).client()
    secret_id = client.create_secret(name="read")["id"]
    client.create_version(secret_id, b"value")
    eventually(lambda: is_anchored(database))
    ((partition,),) = database.query("SELECT 'audit.' || rule.audit_partition(current_date)")
    database.deploy(SUPPRESS.format(partition))
    assert client.access(secret_id) == b"value"
    ((row,),) = database.query("SELECT last_value FROM audit.event_id")
    database.deploy("DROP FUNCTION public.suppress() CASCADE")
    assert client.access(secret_id) == b"value"
    eventually(lambda: is_anchored(database))
    daemon.stop()
    assert verify_inside(database) == [] and verify(database) == (0, [])
    assert verify(database, "--anchors", daemon.log_file) == (1, [f"receipt_lost row {row}"])


def test_a_drop_by_hand_that_is_made_an_event_is_said(attacked):
    """A user who drops a month and writes its row has done what operator.audit_drop_month does, and is on record."""
    attacked.attack(
        "INSERT INTO audit.event SELECT (jsonb_populate_record(e, jsonb_build_object('id', 9999, 'at', '{following}',"
        "  'xid', (SELECT max(xid_to) FROM audit.seal), 'method', 'operator.audit_drop_month',"
        "  'request', jsonb_build_object('month', '{month}', 'rows', (SELECT sum(n) FROM audit.seal))))).*"
        "  FROM audit.event e WHERE id = {row};"
        "UPDATE audit.event e SET hash = rule.audit_hash(e) WHERE id = 9999;"
        "DROP TABLE {partition};"
        "SELECT rule.seal_rows(1, max(xid_to), max(xid_to) + 1) FROM audit.seal"
    )
    assert attacked.found()[:2] == (set(), set())
    process = start_verify(attacked.database)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 0
    assert f"coffer: month {attacked.names['month']} was dropped with its " in errors


def test_a_seal_that_is_only_noted_as_anchored_is_said(attacked):
    log = attacked.daemon.log_file
    kept = log.with_name("log-of-some")
    kept.write_text(
        "".join(line for line in log.open() if f'"no":{attacked.names["last"]},' not in line)
    )
    process = start_verify(attacked.database, "--anchors", kept)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 0
    assert (
        "coffer: of 1 seals that the database has noted as anchored there is no anchor in what was given"
        in errors
    )
