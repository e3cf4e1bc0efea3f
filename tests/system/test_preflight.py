"""A database that is not as it was deployed is not served: the daemon finds out, says what it is, and serves when it is mended."""

import pytest

from support import eventually


@pytest.fixture
def start(start_daemon):
    return lambda database: start_daemon(database, check_interval=1, pool_size=2)


GET = """CREATE OR REPLACE FUNCTION endpoint.secret_get(caller rule.caller, request jsonb) RETURNS rule.outcome
         LANGUAGE plpgsql VOLATILE AS $$ BEGIN RETURN NULL; END $$"""
SPY = """CREATE FUNCTION rule.spy() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
         CREATE TRIGGER spy BEFORE INSERT ON store.dek FOR EACH ROW EXECUTE FUNCTION rule.spy()"""


@pytest.fixture(scope="module")
def deployed(new_database):
    return new_database()


@pytest.mark.parametrize(
    "change, named",
    [
        (GET, "endpoint.secret_get"),
        ("ALTER FUNCTION api.secret_get OWNER TO coffer_migrate", "api.secret_get"),
        ("GRANT EXECUTE ON FUNCTION crypto.hmac(bytea, bytea, text) TO coffer_api", "crypto.hmac"),
        ("ALTER FUNCTION rule.open SET log_min_messages = debug5", "rule.open"),
        ("CREATE FUNCTION api.more() RETURNS int LANGUAGE sql AS 'SELECT 1'", "api.more() was not deployed"),
        ("ALTER TYPE rule.page ADD ATTRIBUTE spare text", "type rule.page"),
        ("ALTER VIEW auditor.event SET (security_barrier)", "view auditor.event"),
        ("GRANT SELECT (wrapped) ON store.kek TO coffer_api", "store.kek"),
        ("ALTER TABLE audit.event OWNER TO coffer_api", "audit.event"),
        ("GRANT USAGE ON SCHEMA store TO coffer_operator", "schema store"),
        (SPY, "store.dek"),
    ],
    ids=lambda value: value.split("(")[0][:40] if isinstance(value, str) else None,
)
def test_change_is_found(deployed, change, named):
    hello = "SELECT faults FROM daemon.hello(gen_random_uuid(), 'test', '{}')"
    with deployed.connect() as connection:
        before = connection.execute(hello).fetchone()[0]
        with connection.transaction(force_rollback=True):
            connection.execute(change)
            after = connection.execute(hello).fetchone()[0]
        assert connection.execute(hello).fetchone()[0] == before
    found = [fault for fault in after if fault not in before]
    assert any(named in fault and "migrations/migrate" in fault for fault in found), found


def test_replaced_function_stops_the_service_until_the_next_deploy(database, start, new_tenant):
    daemon = start(database)
    client = new_tenant(daemon).client()
    secret = client.create_secret(name="secret")
    database.query(GET)
    eventually(lambda: "function endpoint.secret_get" in daemon.readiness()[1])
    assert client.get(f"/secrets/{secret['id']}").status == 503
    assert any("endpoint.secret_get" in line.get("fault", "") for line in daemon.log_lines())
    database.migrate()
    eventually(daemon.ready)
    assert client.get(f"/secrets/{secret['id']}").body == secret


def test_setting_that_is_taken_back_stops_the_service(own_cluster, start):
    """By a session that began before, nothing would be seen of it."""
    database = own_cluster.database()
    daemon = start(database)
    database.query("ALTER ROLE coffer_api RESET log_parameter_max_length")
    mend = "ALTER ROLE coffer_api SET log_parameter_max_length = 0"
    eventually(lambda: mend in daemon.readiness()[1])
    database.query(mend)
    eventually(daemon.ready)


def test_work_of_a_running_service_is_no_change(database, start, new_tenant):
    daemon = start(database)
    client = new_tenant(daemon).client()
    client.create_version(client.create_secret(name="secret")["id"], b"value")
    assert database.query("SELECT job.audit_partition_create(15)")[0][0] > 0
    assert database.query("SELECT rule.manifest_faults()") == [([],)]
