"""What says whether the audit is sound."""

import subprocess
from contextlib import contextmanager

from support import eventually
from support.daemon import BINARY, environment


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
