"""Background jobs: each runs, commits and fails by itself."""

import json

import pytest

from support import eventually
from support.daemon import free_port
from support.metrics import values


@pytest.fixture
def daemon(database, start_daemon):
    port = free_port()
    daemon = start_daemon(
        database, metrics_listen=f"127.0.0.1:{port}", job_interval=1, check_interval=1
    )
    daemon.metrics_port = port
    return daemon


def warnings(daemon):
    status, text = daemon.readiness()
    return json.loads(text)["warnings"] if status == 200 else None


def test_a_job_that_fails_stops_no_other_and_is_shown(daemon, database, new_tenant):
    client = new_tenant(daemon).client()
    secret = client.create_secret(name="doomed")["id"]
    database.deploy("ALTER FUNCTION job.version_expire(integer) RENAME TO version_expire_away")
    eventually(lambda: "jobs" in (warnings(daemon) or {}))
    assert warnings(daemon)["jobs"] == (
        "job version_expire fails with SQLSTATE 42883 (undefined_function: functions are being replaced), and 0 more jobs fail"
    )
    assert (
        values(daemon.metrics_port)['coffer_job_failing{job="version_expire",sqlstate="42883"}']
        >= 3
    )
    [line] = [line for line in daemon.log_lines() if line["event"] == "a job keeps failing"]
    assert (line["job"], line["sqlstate"]) == ("version_expire", "42883")

    # Those behind it on the list go on.
    assert client.delete(f"/secrets/{secret}").status == 204
    database.query(
        "UPDATE store.secret SET deletion_requested_at = now() - interval '8 days' WHERE id = %s",
        secret,
    )
    eventually(lambda: database.query("SELECT id FROM store.secret WHERE id = %s", secret) == [])

    database.deploy("ALTER FUNCTION job.version_expire_away(integer) RENAME TO version_expire")
    eventually(lambda: warnings(daemon) == {})
    assert not any(name.startswith("coffer_job_failing") for name in values(daemon.metrics_port))


def test_a_partition_of_today_that_is_missing_is_made(daemon, database, new_tenant):
    """Although a secret is due to be purged, of which nothing can be written before that."""
    client = new_tenant(daemon).client()
    secret = client.create_secret(name="doomed")["id"]
    assert client.delete(f"/secrets/{secret}").status == 204
    with database.connect() as connection, connection.transaction():
        connection.execute(
            "UPDATE store.secret SET deletion_requested_at = now() - interval '8 days' WHERE id = %s",
            [secret],
        )
        connection.execute(
            "DO $$ BEGIN EXECUTE format('DROP TABLE audit.%I', rule.audit_partition(date_trunc('month', now() AT TIME ZONE 'UTC')::date)); END $$"
        )
    eventually(lambda: database.query("SELECT id FROM store.secret WHERE id = %s", secret) == [])
    assert client.get("/secrets").status == 200


def test_an_epoch_begins_without_a_partition_of_today(database):
    """A backup may be older than its partitions reach."""
    database.query(
        "DO $$ BEGIN EXECUTE format('DROP TABLE audit.%I', rule.audit_partition(date_trunc('month', now() AT TIME ZONE 'UTC')::date)); END $$"
    )
    assert database.query(
        "SELECT operator.audit_epoch_begin('an old backup')", role="coffer_operator"
    ) == [(2,)]


def test_warnings_of_one_instant_go_in_batches(database, start_daemon, new_tenant):
    """However many versions expire with one expires_at: one batch after the other, each of them once."""
    tenant = new_tenant(start_daemon(database, job_interval=3600))
    client = tenant.client()
    secret = client.create_secret(name="many")["id"]
    client.create_version(secret, b"value")
    database.query(
        "INSERT INTO store.version (secret_id, revision, status, description, expires_at, expires_once_accessed, action, created_at, updated_at, sealed)"
        " SELECT secret_id, n, 'enabled', '', date_trunc('day', now()) + interval '30 days', false, 'disable', created_at, updated_at, sealed"
        " FROM store.version, generate_series(2, 2001) AS n WHERE secret_id = %s",
        secret,
    )
    database.query(
        "UPDATE store.expiry_warning SET reached = now() + days * interval '1 day' - interval '2 days' WHERE days = 30"
    )
    for _ in range(4):
        assert database.query("SELECT job.run('version_warn', 500)", role="coffer_operator") == [
            (500,)
        ]
    assert database.query("SELECT job.run('version_warn', 500)", role="coffer_operator") == [(0,)]
    assert database.query(
        "SELECT count(*), count(DISTINCT revision) FROM audit.event WHERE method = 'job.version_warn'"
    ) == [(2000, 2000)]
