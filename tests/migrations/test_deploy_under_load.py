"""A deploy while the service is busy: the daemons go on, and no caller notices."""

import hashlib
import json
import re
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from itertools import count

import psycopg
import pytest

from support import eventually, keys
from support.daemon import coffer
from support.load import Load

pytestmark = pytest.mark.long

DEPLOYS = 10
LOCK = "hashtextextended('coffer migrate', 0)"
WAITING = "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
FUNCTIONS = "SELECT oid, oid::regprocedure::text FROM pg_proc WHERE pronamespace = 'api'::regnamespace ORDER BY 1"
TYPES = """
    SELECT oid, oid::regclass::text FROM pg_class
     WHERE relnamespace IN ('rule'::regnamespace, 'api'::regnamespace)
       AND (relkind = 'c' OR relname = 'version_now')
     ORDER BY 1
"""


@pytest.fixture
def busy(database, start_daemon, new_tenant):
    """Clients of two daemons that read, list and write; at once, again and again."""
    daemons = [start_daemon(database), start_daemon(database)]
    tenant = new_tenant(daemons[0])
    client = tenant.client()
    secret_id = client.create_secret(name="read")["id"]
    client.create_version(secret_id, b"value")
    numbers = count()

    def call(client):
        number = next(numbers)
        if number % 4 == 0:
            return client.post("/secrets", {"project_id": tenant.project_id, "name": f"n-{number}"})
        if number % 4 == 1:
            return client.get("/secrets", query={"project_id": tenant.project_id})
        return client.get(f"/secrets/{secret_id}/versions/latest/access")

    database.query(
        "SELECT operator.quota_set(%s, 'secret', 1000000)",
        tenant.organization_id,
        role="coffer_operator",
    )
    return Load([tenant.client(daemon) for daemon in daemons for _ in range(4)], call)


def test_no_call_fails(database, busy):
    with busy:
        for _ in range(DEPLOYS):
            before = len(busy.answers)
            database.migrate()
            eventually(lambda: len(busy.answers) > before)
    assert busy.statuses() == {200}


def test_a_migration_locks_tables_in_the_other_order_than_calls(database, tree, busy):
    """A call that had the second and waited for the first would make each deploy give up."""
    number = len(list((tree / "migrations").glob("[0-9]*.sql"))) + 1
    (tree / "migrations" / f"{number:04}_spare.sql").write_text(
        "ALTER TABLE store.version ADD COLUMN spare integer;\n"
        "SELECT pg_sleep(0.3);\n"
        "ALTER TABLE store.secret ADD COLUMN spare integer;\n"
        "ALTER TABLE store.policy_rule ADD COLUMN spare integer;\n"
    )
    with busy:
        eventually(lambda: busy.answers)
        database.migrate(runner=tree / "migrations" / "migrate")
        before = len(busy.answers)
        eventually(lambda: len(busy.answers) > before)
    assert busy.statuses() == {200}


class Caller:
    """Calls of API functions, as the daemon makes them but for its repeats, until the block is left."""

    def __init__(self, database, tenant, secret_id, access_key):
        self._database = database
        self._tenant = tenant
        self._secret_id = secret_id
        self._access_key = access_key
        self._token = hashlib.sha256(b"caller").digest()
        self._end = threading.Event()
        self.statuses = []
        self.failures = []  # SQLSTATEs
        database.query(
            "SELECT operator.api_key_add(%s, 'SCWDOORSDOORSDOORSDO', %s)",
            tenant.full_access.principal_id,
            self._token,
            role="coffer_operator",
        )

    def _request(self, path=None, query=None, body=None, **members):
        document = {
            "id": str(uuid.uuid4()),
            "instance": str(uuid.uuid4()),
            "region": "fr-par",
            "path": path or {},
            "query": query or {},
            "body": body or {},
            "data": "absent",
            "ip": "127.0.0.1",
            "user_agent": "caller",
            **members,
        }
        return json.dumps(document), self._token

    def _calls(self):
        path = {"secret_id": self._secret_id}
        project = {"project_id": self._tenant.project_id}
        ((kek_id,),) = self._database.query(
            "SELECT id FROM store.kek WHERE project_id = %s", project["project_id"]
        )
        key = {"secret_id": self._secret_id, "kek_id": str(kek_id)}
        return [
            lambda: (
                "secret_list",
                *self._request(query={"project_id": [project["project_id"]]}),
                None,
            ),
            lambda: ("secret_version_list", *self._request(path), None),
            lambda: (
                "secret_version_access",
                *self._request({**path, "revision": "latest"}, key=key),
                self._access_key,
            ),
            lambda: (
                "secret_create",
                *self._request(body={**project, "name": f"n-{uuid.uuid4()}"}, once=True),
                None,
            ),
        ]

    def _loop(self, call):
        with self._database.connect("coffer_api") as connection:
            # A busy machine may need more than the second of the role for a deploy.
            connection.execute("SET lock_timeout = 0")
            while not self._end.is_set():
                endpoint, *arguments = call()
                try:
                    ((status,),) = connection.execute(
                        f"SELECT status FROM api.{endpoint}(%s::jsonb, %s::bytea, %s::bytea, NULL)",
                        arguments,
                        prepare=True,
                    ).fetchall()
                    self.statuses.append(status)
                except psycopg.Error as error:
                    self.failures.append(error.sqlstate)

    def __enter__(self):
        calls = self._calls() * 2
        self._threads = ThreadPoolExecutor(len(calls))
        self._running = [self._threads.submit(self._loop, call) for call in calls]
        eventually(lambda: len(self.statuses) > len(calls))
        return self

    def __exit__(self, *_):
        self._end.set()
        self._threads.shutdown()
        for running in self._running:
            running.result()


@pytest.fixture
def caller(database, start_daemon, new_tenant, root_key_file):
    daemon = start_daemon(database)
    tenant = new_tenant(daemon)
    client = tenant.client()
    secret_id = client.create_secret(name="read")["id"]
    client.create_version(secret_id, b"value")
    database.query(
        "SELECT operator.quota_set(%s, 'secret', 1000000)",
        tenant.organization_id,
        role="coffer_operator",
    )
    ((wrapped,),) = database.query("SELECT wrapped FROM store.kek")
    daemon.stop()
    kek = keys.unwrap(keys.root_key(root_key_file), b"coffer/kek", wrapped)
    return Caller(database, tenant, secret_id, keys.access_key(kek, tenant.project_id, secret_id))


def deploy_while(caller, database, **arguments):
    before = len(caller.statuses)
    database.migrate(**arguments)
    eventually(lambda: len(caller.statuses) > before)


def test_a_deploy_that_changes_nothing_fails_no_call_in_flight(database, caller):
    """Not even one that would be sent again."""
    made = database.query(FUNCTIONS), database.query(TYPES)
    with caller:
        for _ in range(DEPLOYS):
            deploy_while(caller, database)
    assert (database.query(FUNCTIONS), database.query(TYPES)) == made
    assert caller.failures == []
    assert set(caller.statuses) == {200}


@pytest.mark.parametrize(
    "file, comment",
    [("rule/outcome.sql", "COMMENT ON FUNCTION"), ("type.sql", "COMMENT ON TYPE")],
    ids=["functions", "types"],
)
def test_a_call_in_flight_fails_only_so_that_it_is_sent_again(
    database, caller, tree, file, comment
):
    again = set(
        re.findall(
            r"^SQLSTATE (\w+) .*: functions are being replaced:", coffer("--errors"), re.MULTILINE
        )
    )
    types = database.query(TYPES)
    changed = tree / "sql" / file
    text = changed.read_text()
    with caller:
        for number in range(DEPLOYS):
            changed.write_text(
                re.sub(rf"({comment} .*\n?.*IS\s+')", rf"\g<1>Number {number}: ", text)
            )
            deploy_while(caller, database, runner=tree / "migrations" / "migrate")
    assert (database.query(TYPES) == types) == (file != "type.sql")
    assert set(caller.failures) <= again
    assert set(caller.statuses) == {200}


def test_a_call_whose_function_is_away_for_a_moment_is_sent_again(
    database, start_daemon, new_tenant
):
    daemon = start_daemon(database)
    client = new_tenant(daemon).client()
    database.query("ALTER FUNCTION endpoint.tag_list(rule.caller, jsonb) RENAME TO tags_away")
    with ThreadPoolExecutor() as threads:
        answer = threads.submit(client.get, "/tags")
        eventually(lambda: '"sqlstate":"42883"' in daemon.log)
        database.query("ALTER FUNCTION endpoint.tags_away(rule.caller, jsonb) RENAME TO tag_list")
        assert answer.result().status == 200


def test_a_handshake_does_not_look_while_a_deploy_is_under_way(database, start_daemon):
    with database.connect() as connection:
        connection.execute(f"SELECT pg_advisory_lock({LOCK})")
        connection.execute("ALTER FUNCTION fail.integrity() RENAME TO half_done")
        daemon = start_daemon(database, ready=False)
        eventually(lambda: database.query(WAITING))
        assert not daemon.ready()
        connection.execute("ALTER FUNCTION fail.half_done() RENAME TO integrity")
    eventually(daemon.ready)
    assert "fail." not in daemon.log
