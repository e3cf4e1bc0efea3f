"""/metrics, as Prometheus reads it, after calls whose outcome is known."""

import pytest

from support import eventually
from support.audit import unsealed
from support.daemon import free_port
from support.metrics import scrape, values


@pytest.fixture
def daemon(database, start_daemon):
    port = free_port()
    daemon = start_daemon(database, metrics_listen=f"127.0.0.1:{port}", job_interval=1)
    daemon.metrics_port = port
    return daemon


def test_counts(daemon, new_tenant):
    client = new_tenant(daemon).client()
    secret_id = client.create_secret(name="s")["id"]
    client.create_version(secret_id, b"canary of the metrics")
    for _ in range(3):
        client.access(secret_id)
    assert client.get("/secrets/no-uuid").status == 400
    assert client.get("/nowhere").status == 404
    page = values(daemon.metrics_port)
    assert page['coffer_requests_total{endpoint="secret_version_access",status="200"}'] == 3
    assert page['coffer_requests_total{endpoint="secret_get",status="400"}'] == 1
    assert page['coffer_requests_total{endpoint="none",status="404"}'] == 1
    assert page['coffer_request_seconds_count{endpoint="secret_version_access"}'] == 3
    assert page['coffer_refusals_total{type="invalid_arguments"}'] == 1
    assert page['coffer_refusals_total{type="not_found"}'] == 1
    assert page["coffer_group_size_count"] >= 4
    assert page["coffer_queue_seconds_count"] >= 6
    assert page["coffer_ready"] == 1
    assert page["coffer_connections"] >= 1
    assert page["coffer_pool_open"] >= 1
    assert page["coffer_queue_length"] == 0
    assert page["process_resident_memory_bytes"] > 1e6
    assert 10 < page["process_open_fds"] < page["process_max_fds"]
    assert page["process_cpu_seconds_total"] > 0
    eventually(lambda: values(daemon.metrics_port)["coffer_job_runs_total"] > 0)


def test_seals_that_are_held_up(daemon, new_tenant):
    """The lag rises while nothing is sealed, and is gone when that is over."""
    client = new_tenant(daemon).client()

    def audit(name):
        return values(daemon.metrics_port).get(f"coffer_audit_{name}", -1)

    eventually(lambda: audit("months_ahead") == 12)
    with unsealed(daemon.database):
        for _ in range(20):
            client.get("/secrets")
        eventually(lambda: audit("unsealed_rows") >= 20)
        eventually(lambda: audit("seal_lag_seconds") > 0)
        lag = audit("seal_lag_seconds")
        eventually(lambda: audit("seal_lag_seconds") > lag)
    eventually(lambda: [audit("unsealed_rows"), audit("seal_lag_seconds")] == [0, 0])
    eventually(lambda: [audit("unanchored_seals"), audit("anchor_lag_seconds")] == [0, 0])


def test_seals_that_fail(daemon, new_tenant):
    """What was heard of the audit before is not told for ever after."""
    client = new_tenant(daemon).client()
    eventually(lambda: values(daemon.metrics_port).get("coffer_audit_unsealed_rows") == 0)
    daemon.database.deploy("REVOKE EXECUTE ON FUNCTION daemon.seal_begin() FROM coffer_api")
    client.get("/secrets")
    eventually(lambda: values(daemon.metrics_port).get("coffer_audit_seal_lag_seconds", 0) > 1)
    daemon.database.deploy("REVOKE EXECUTE ON FUNCTION daemon.audit_state() FROM coffer_api")
    eventually(lambda: "coffer_audit_seal_lag_seconds" not in values(daemon.metrics_port))


def test_seals_that_do_not_leave(database, start_daemon, tmp_path):
    port = free_port()
    start_daemon(
        database, metrics_listen=f"127.0.0.1:{port}", anchor_command=f"test -e {tmp_path}/open"
    )
    eventually(lambda: values(port).get("coffer_audit_unanchored_seals", 0) > 0)
    lag = values(port).get("coffer_audit_anchor_lag_seconds", 0)
    eventually(lambda: values(port).get("coffer_audit_anchor_lag_seconds", 0) > lag)
    (tmp_path / "open").touch()
    eventually(lambda: values(port).get("coffer_audit_anchor_lag_seconds") == 0)
    assert values(port)["coffer_audit_unanchored_seals"] == 0


def test_errors_of_the_database(daemon, new_tenant):
    client = new_tenant(daemon).client()
    daemon.database.query(
        "CREATE FUNCTION public.fail() RETURNS trigger LANGUAGE plpgsql AS"
        " $$BEGIN RAISE 'no' USING ERRCODE = 'insufficient_privilege'; END$$"
    )
    daemon.database.deploy(  # of lists alone: jobs write rows of their own
        "CREATE TRIGGER fail BEFORE INSERT ON audit.event"
        " FOR EACH ROW WHEN (NEW.method = 'secret_list') EXECUTE FUNCTION public.fail()"
    )
    assert client.get("/secrets").status == 503
    page = values(daemon.metrics_port)
    assert page['coffer_database_errors_total{class="42"}'] == 1
    assert page['coffer_refusals_total{type="unavailable"}'] == 1
    daemon.database.query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'coffer_api'"
    )
    eventually(lambda: values(daemon.metrics_port)["coffer_database_connections_lost_total"] > 0)


def test_nothing_else_is_there(daemon):
    assert scrape(daemon.metrics_port, "/secrets")[0] == 404
    assert scrape(daemon.metrics_port, method="POST")[0] == 405
    assert scrape(daemon.port)[0] == 404


def test_address_in_use(database, start_daemon, numbered, root_key_file, service):
    daemon = start_daemon(database, ready=False, metrics_listen=f"127.0.0.1:{service.port}")
    assert daemon.wait() == 2
    assert "metrics_listen" in daemon.log
