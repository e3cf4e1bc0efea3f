"""What says whether the audit is sound."""

import subprocess
from contextlib import contextmanager

from support import eventually
from support.daemon import BINARY, environment

# The calls so far, as if they had been made in the month before. A superuser can do that as long as
# they are not sealed.
MONTH_BEFORE = """
DO $$
DECLARE
    v_this   CONSTANT date := date_trunc('month', now() AT TIME ZONE 'UTC');
    v_before CONSTANT date := v_this - interval '1 month';
    v_name   CONSTANT text := rule.audit_partition(v_before);
BEGIN
    EXECUTE format('CREATE TABLE audit.%I PARTITION OF audit.event FOR VALUES FROM (%L) TO (%L)',
                   v_name, rule.audit_month(v_before), rule.audit_month(v_this));
    EXECUTE format('ALTER TABLE audit.%I OWNER TO coffer_owner', v_name);
    IF (SELECT c.relreplident = 'f' FROM pg_class c WHERE c.oid = 'audit.event'::regclass) THEN
        EXECUTE format('ALTER TABLE audit.%I REPLICA IDENTITY FULL', v_name);
    END IF;
    UPDATE audit.event SET at = rule.audit_month(v_before) + id * interval '1 minute';
    UPDATE audit.event e SET hash = rule.audit_hash(e);
END
$$"""


def start_verify(database, *arguments):
    """Start coffer audit verify."""
    return subprocess.Popen(
        [BINARY, "audit", "verify", *arguments],
        env=environment({"dsn_auditor": database.dsn("coffer_auditor")}),
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def end_verify(process, seconds=60):
    """Wait for its end; return its exit status and the kinds and places of damage."""
    output, errors = process.communicate(timeout=seconds)
    assert process.returncode in (0, 1), errors
    return process.returncode, [line.split(":")[0] for line in output.splitlines()]


def verify(database, *arguments):
    """Run coffer audit verify; return its exit status and the kinds and places of damage."""
    return end_verify(start_verify(database, *arguments))


def verify_inside(database):
    """Ask auditor.verify; return the kinds and places of damage."""
    rows = database.query("SELECT kind, place FROM auditor.verify()", role="coffer_auditor")
    return [f"{kind} {place}" for kind, place in rows]


def export_month(database, month, directory):
    """Export a month into two files, as doc/audit.md says; return those of events and of seals."""
    events, seals = directory / "events", directory / "seals"
    for function, file in (("audit_export_month", events), ("audit_export_seals", seals)):
        copy = f"\\copy (SELECT * FROM operator.{function}('{month}')) TO '{file}' (FORMAT binary)"
        subprocess.run(
            ["psql", "-Xqv", "ON_ERROR_STOP=1", "-c", copy],
            env=database.environment("coffer_operator"),
            check=True,
        )
        eventually(lambda: is_anchored(database))
    return events, seals


def is_anchored(database):
    """Whether all rows are under seals that have gone out."""
    [[lag, unanchored, *_]] = database.query("SELECT * FROM daemon.audit_state()")
    return lag == 0 and unanchored == 0


@contextmanager
def unsealed(database):
    """While the block runs, nothing is sealed: its lock is taken."""
    with database.connect() as connection, connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(x'C0FFE2'::integer, 2)")
        yield
