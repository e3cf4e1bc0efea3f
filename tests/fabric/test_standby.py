"""What an auditor asks, and `coffer audit verify`, on a hot standby and on a logical replica of the audit."""

import subprocess
import time
import uuid

import psycopg
import pytest

from support import eventually
from support.audit import is_anchored, verify_inside
from support.cluster import Cluster
from support.daemon import BINARY, Daemon, environment
from support.tenant import Tenant

VIEWS = """api_key change epoch event month seal secret_last_read signer version""".split()
# One call of each function; a new one needs a row here.
CALLS = {
    "alone_refuse": "()",
    "api_key_events": "('{access_key}')",
    "api_keys_expiring": "()",
    "api_keys_unused": "(0)",
    "changes": "(NULL, 1000)",
    "changes_end": "()",
    "event_page": "('{organization}', '-infinity', 'infinity', true, NULL, NULL, 100, NULL)",
    "key_uses": "('{key}')",
    "key_users": "('{key}')",
    "principal_events": "('{principal}')",
    "principal_keys": "('{principal}')",
    "principal_secrets": "('{principal}')",
    "refusals": "()",
    "secret_last_revision": "('{secret}')",
    "secret_readers": "('{secret}')",
    "secret_reads": "('{secret}')",
    "secrets_unread": "(0)",
    "verify": "()",
    "versions_expiring": "(400)",
    "versions_old": "(0)",
    "versions_unprotected": "()",
}
# What asks for what is stored now: a replica of the audit alone refuses it.
STORED = set(
    """api_key api_key_events api_keys_expiring api_keys_unused key_users principal_events principal_keys
    principal_secrets refusals secret_last_read secret_readers secrets_unread alone_refuse version
    versions_expiring versions_old versions_unprotected""".split()
)
# What answers there without the names that are stored.
NAMED = {"key_uses": ("principal", "access_key"), "secret_reads": ("principal", "access_key")}
# A replica of the audit: PostgreSQL 15 and later replicate a partitioned table as one.
PUBLICATION = """
CREATE PUBLICATION coffer_audit
   FOR TABLE audit.event, audit.seal, audit.epoch, audit.month, audit.settled, store.signer
  WITH (publish_via_partition_root = true)
"""
EMPTY = "TRUNCATE audit.event, audit.seal, audit.epoch, audit.month, audit.settled, store.signer"


class Primary:
    """A server with a daemon and some of all that an audit has."""

    def __init__(self, cluster, daemon):
        self.cluster, self.daemon, self.database = cluster, daemon, daemon.database
        self.tenant = Tenant(daemon)
        client = self.tenant.client()
        manager = client.key_manager()
        key = manager.create_key(name="key", unprotected=True)["id"]
        manager.encrypt(key, b"plaintext")
        secret = client.create_secret(name="secret", key_id=key)["id"]
        client.create_version(secret, b"value")
        client.access(secret)
        assert client.get(f"/secrets/{uuid.uuid4()}").status == 404
        client.as_key("unknown").get("/secrets")
        self.names = {
            "organization": self.tenant.organization_id,
            "access_key": self.tenant.full_access.access_key,
            "principal": self.tenant.full_access.principal_id,
            "key": key,
            "secret": secret,
        }
        self.client = client

    def settle(self):
        eventually(lambda: is_anchored(self.database))


@pytest.fixture(scope="module")
def primary(numbered, root_key_file):
    cluster = Cluster(numbered("primary"))
    with cluster.connect() as connection:
        connection.execute("ALTER SYSTEM SET wal_level = 'logical'")
    cluster.restart()
    daemon = Daemon(numbered("daemon"), cluster.database(), root_key_file)
    yield Primary(cluster, daemon)
    daemon.stop()
    cluster.discard()


@pytest.fixture(scope="module")
def standby(primary, numbered):
    """The database on a hot standby."""
    cluster = primary.cluster.standby(numbered("standby"), "standby")
    database = type(primary.database)(cluster, primary.database.name)
    yield database
    cluster.discard()


@pytest.fixture(scope="module")
def replica(primary, numbered):
    """A database of another server that subscribes to the audit."""
    cluster = Cluster(numbered("replica"))
    database = cluster.database()
    primary.database.query(PUBLICATION)
    primary.database.query("CREATE ROLE replication LOGIN REPLICATION PASSWORD 'replication'")
    primary.database.query("GRANT pg_read_all_data TO replication")
    primary.database.query(f"GRANT CONNECT ON DATABASE {primary.database.name} TO replication")
    database.query(EMPTY)
    source = (
        f"host=127.0.0.1 port={primary.cluster.port} dbname={primary.database.name}"
        " user=replication password=replication"
    )
    database.query(
        f"CREATE SUBSCRIPTION coffer_audit CONNECTION '{source}' PUBLICATION coffer_audit"
    )
    yield database
    database.query("DROP SUBSCRIPTION coffer_audit")
    cluster.discard()


def wait_for_standby(primary, standby):
    primary.settle()
    [[reached]] = primary.database.query("SELECT pg_current_wal_flush_lsn()::text")
    eventually(
        lambda: standby.query("SELECT pg_last_wal_replay_lsn() >= %s::pg_lsn", reached) == [(True,)]
    )


def wait_for_replica(primary, replica):
    primary.settle()
    state = "SELECT (SELECT max(id) FROM audit.event), (SELECT max(no) FROM audit.seal WHERE anchored_at IS NOT NULL)"
    eventually(lambda: replica.query(state) == primary.database.query(state), 60)


def answer(database, name, names):
    """The rows of a question, as an auditor asks it, each as its columns by name."""
    call = CALLS.get(name, "").format(**names)
    with database.connect("coffer_auditor") as connection:
        cursor = connection.cursor(row_factory=psycopg.rows.dict_row)
        return sorted(
            map(str, map(strip(name), cursor.execute(f"SELECT * FROM auditor.{name}{call}")))
        )


def strip(name):
    return lambda row: {column: row[column] for column in row if column not in NAMED.get(name, ())}


def audit_verify(database, log):
    ended = subprocess.run(
        [BINARY, "audit", "verify", "--anchors", log],
        env=environment({"dsn_auditor": database.dsn("coffer_auditor")}),
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stderr


def test_all_functions_are_known(primary):
    found = primary.database.query(
        "SELECT proname FROM pg_proc WHERE pronamespace = 'auditor'::regnamespace"
    )
    assert {name for (name,) in found} == set(CALLS)
    views = primary.database.query(
        "SELECT relname FROM pg_class WHERE relnamespace = 'auditor'::regnamespace AND relkind = 'v'"
    )
    assert {name for (name,) in views} == set(VIEWS)


@pytest.mark.parametrize("name", [*VIEWS, *CALLS])
def test_a_question_on_a_standby(primary, standby, name):
    wait_for_standby(primary, standby)
    expected = answer(primary.database, name, primary.names)
    assert answer(standby, name, primary.names) == expected
    assert name in ("verify", "month", "api_keys_expiring", "versions_expiring") or expected


def test_verification_on_a_standby(primary, standby, figure):
    wait_for_standby(primary, standby)
    assert verify_inside(standby) == []
    began = time.monotonic()
    said = audit_verify(standby, primary.daemon.log_file)
    figure("coffer audit verify on a hot standby", time.monotonic() - began, "s")
    assert "sound" in said and "behind" not in said


def test_a_standby_that_is_behind(primary, standby):
    """What it lacks is said, and is no damage."""
    wait_for_standby(primary, standby)
    standby.query("SELECT pg_wal_replay_pause()")
    eventually(lambda: standby.query("SELECT pg_get_wal_replay_pause_state()") == [("paused",)])
    primary.client.access(primary.names["secret"])
    primary.settle()
    assert "this standby is behind" in audit_verify(standby, primary.daemon.log_file)
    standby.query("SELECT pg_wal_replay_resume()")


def test_what_writes_on_a_standby(primary, standby, root_key_file):
    """It says that the server takes no writes."""
    wait_for_standby(primary, standby)
    for statement in (
        "SELECT operator.organization_create('x')",
        "SELECT operator.audit_epoch_begin('x')",
        "SELECT * FROM operator.audit_export_seals('2020-01-01')",
    ):
        with pytest.raises(psycopg.Error) as refused:
            standby.query(statement, role="coffer_operator")
        assert isinstance(refused.value, psycopg.errors.ReadOnlySqlTransaction) or (
            refused.value.sqlstate == "SM900"
        ), statement
    ended = subprocess.run(
        [BINARY, "api-key", "create", "--principal", primary.names["principal"]],
        env=environment(
            {"dsn_operator": standby.dsn("coffer_operator"), "root_key_file": root_key_file}
        ),
        capture_output=True,
        text=True,
    )
    assert (ended.returncode, ended.stdout) == (1, "")
    assert "HINT: it takes no writes, as a standby: connect to the primary" in ended.stderr


@pytest.mark.parametrize("name", [*VIEWS, *CALLS])
def test_a_question_on_a_replica(primary, replica, name):
    wait_for_replica(primary, replica)
    if name in STORED:
        with pytest.raises(psycopg.Error, match="this is a replica of the audit alone") as refused:
            answer(replica, name, primary.names)
        assert refused.value.sqlstate == "SM900"
    else:
        assert answer(replica, name, primary.names) == answer(primary.database, name, primary.names)


def test_verification_on_a_replica(primary, replica, figure):
    wait_for_replica(primary, replica)
    assert verify_inside(replica) == []
    began = time.monotonic()
    assert "sound" in audit_verify(replica, primary.daemon.log_file)
    figure("coffer audit verify on a logical replica", time.monotonic() - began, "s")
    # The primary serves: a publication is not a change of what was deployed.
    assert primary.database.query("SELECT rule.manifest_faults()") == [([],)]
    assert primary.daemon.ready()
    # What is changed on the replica shows there.
    replica.query(
        "UPDATE audit.event SET user_agent = 'x' WHERE id = (SELECT min(id) FROM audit.event)"
    )
    assert [found.split()[0] for found in verify_inside(replica)] == ["row_changed"]


def test_a_daemon_and_operators_on_a_replica(primary, replica, start_daemon):
    """A replica is not served: it is another database than the one whose audit it has."""
    wait_for_replica(primary, replica)
    daemon = start_daemon(replica, ready=False)
    eventually(lambda: daemon.readiness()[0] == 503)
    assert daemon.readiness()[0] == 503 and "audit_epoch_begin" in daemon.readiness()[1]
    with pytest.raises(psycopg.Error, match="audit_epoch_begin"):
        replica.query("SELECT operator.organization_create('x')", role="coffer_operator")
