"""What says whether the audit is sound."""

import subprocess
from contextlib import contextmanager

from support.daemon import BINARY, environment


def verify(database, *arguments):
    """Run coffer audit verify; return its exit status and the kinds and places of damage."""
    run = subprocess.run(
        [BINARY, "audit", "verify", *arguments],
        env=environment({"auditor_dsn": database.dsn("coffer_auditor")}),
        text=True,
        capture_output=True,
        timeout=60,
    )
    assert run.returncode in (0, 1), run.stderr
    return run.returncode, [line.split(":")[0] for line in run.stdout.splitlines()]


def verify_inside(database):
    """Ask auditor.verify; return the kinds and places of damage."""
    rows = database.query("SELECT kind, place FROM auditor.verify()", role="coffer_auditor")
    return [f"{kind} {place}" for kind, place in rows]


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
