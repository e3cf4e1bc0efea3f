"""No plaintext at rest: PostgreSQL tells all it can, and nothing that is left of it holds what it must not.

A cluster of its own logs at the highest verbosity there is, with every module that prints plans or parameters. Each
endpoint that touches plaintext or keys is called with plaintext and keys of its own, well and badly. Then everything
that is left, for those who operate the database, is searched for them: each file of the data directory, the logs, a
dump, a backup, what the views of statistics showed, the answers of errors. What makes the search find something is in
test_leak_guards.py; what is left in the daemon, in test_plaintext_memory.py.

COFFER_LEAKS=long repeats it all with other ways to log.
"""

import base64
import json
import os
import secrets
import subprocess
import threading
import uuid
from pathlib import Path

import psycopg
import pytest
from canaries import ENDPOINTS, WITHOUT_PLAINTEXT, Stage, bad_bodies, encoded, exercise_types

from support import eventually, leak
from support.cluster import Cluster
from support.daemon import BINARY, Daemon, coffer, environment
from support.tenant import Tenant

pytestmark = pytest.mark.long

# Ways to log, besides those of leak.VERBOSE. What one says another may say in other words, or at another time.
VARIANTS = {"all": {}}
if os.environ.get("COFFER_LEAKS") == "long":
    VARIANTS |= {
        "csv and json": {
            "log_destination": "csvlog,jsonlog",
            "auto_explain.log_format": "json",
            "debug_pretty_print": "on",
        },
        "xml and terse": {"auto_explain.log_format": "xml", "log_error_verbosity": "terse"},
        "cut off": {"log_parameter_max_length": "24", "log_parameter_max_length_on_error": "24"},
        "errors alone": {
            "log_statement": "none",
            "log_min_messages": "error",
            "log_min_error_statement": "error",
            "pgaudit.log": "none",
            "debug_print_parse": "off",
            "debug_print_rewritten": "off",
            "debug_print_plan": "off",
        },
        "slow alone": {
            "log_statement": "none",
            "log_duration": "off",
            "log_min_messages": "warning",
            "auto_explain.log_triggers": "off",
            "auto_explain.log_analyze": "off",
        },
        "unsampled": {
            "log_min_duration_sample": "-1",
            "log_transaction_sample_rate": "0",
            "pgaudit.log_statement_once": "on",
            "pgaudit.log_catalog": "off",
        },
        "as it comes": {"plan_cache_mode": "auto", "work_mem": "4MB", "wal_level": "replica"},
    }


# The stage ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module", params=VARIANTS)
def cluster(request, numbered):
    cluster = Cluster(numbered("cluster"))
    cluster.tells_all = request.param == "all"
    leak.let_speak(cluster, **VARIANTS[request.param])
    yield cluster
    cluster.discard()


@pytest.fixture(scope="module")
def database(cluster):
    database = cluster.database()
    leak.loosen(database, statement_timeout="4s", lock_timeout="500ms")
    return database


@pytest.fixture(scope="module")
def daemon(numbered, database, root_key_file):
    daemon = Daemon(
        numbered("daemon"),
        database,
        root_key_file,
        log_level="debug",
        request_deadline=30000,
        job_interval=1,
        connect_timeout=10000,  # the machine may be busy
    )
    yield daemon
    daemon.stop()


@pytest.fixture(scope="module")
def tenant(daemon):
    return Tenant(daemon)


class Sampler:
    """Looks at pg_stat_activity again and again, as a superuser; keeps all that it sees."""

    def __init__(self, cluster):
        self.seen = set()
        self.failure = None
        quiet = "log_min_messages=panic log_statement=none debug_print_parse=off debug_print_rewritten=off debug_print_plan=off"
        options = " ".join(f"-c {setting}" for setting in quiet.split())
        self._connection = psycopg.connect(cluster.dsn(), autocommit=True, options=options)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self):
        look = "SELECT a::text FROM pg_stat_activity AS a WHERE usename = 'coffer_api'"
        try:
            while not self._ended.wait(0.005):
                self.seen |= {row for (row,) in self._connection.execute(look)}
        except psycopg.Error as failure:
            self.failure = failure

    def end(self):
        self._ended.set()
        self._thread.join()
        self._connection.close()
        assert self.failure is None
        return "\n".join(self.seen).encode()


class Exercised:
    """All the calls are made: what is looked for, and what is no file."""

    def __init__(self, secrets, seen, answers):
        self.secrets = secrets  # {name: bytes}
        self.seen = seen  # {where: bytes}
        self.answers = answers


@pytest.fixture(scope="module")
def exercised(numbered, cluster, database, daemon, tenant, root_key_file):
    sampler = Sampler(cluster)
    stage = Stage(tenant, root_key_file)
    value, name = secrets.token_hex(16), secrets.token_hex(16)
    exercise_types(stage.client, value, name)
    exercise_calls(stage)
    exercise_bodies(stage)
    exercise_arguments(stage, value)
    exercise_ephemeral(stage.client, value)
    exercise_faults(stage, database)
    exercise_locks(stage, database)
    other_log = exercise_keys_that_do_not_open(stage, database, root_key_file, numbered)
    before = stage.secrets()
    exercise_rotation(stage, database)
    after = stage.secrets()
    exercise_purge(stage, database)
    said = exercise_commands(stage, root_key_file, numbered)

    about = Path(f"/proc/{daemon.pid}")
    seen = {
        "pg_stat_activity": sampler.end(),
        "pg_stat_statements": "\n".join(
            row for (row,) in database.query("SELECT s::text FROM pg_stat_statements AS s")
        ).encode(),
        "arguments of the daemon": (about / "cmdline").read_bytes(),
        "environment of the daemon": (about / "environ").read_bytes(),
        "log of another daemon": other_log,
        "what commands say": said,
    }
    old = {f"old {name}": secret for name, secret in before.items() if after.get(name) != secret}
    assert {
        "secret_version_access: access key",
        "secret_version_access under a managed key: access key",
    } <= {name.removeprefix("old ") for name in old}
    values = {"value": value.encode(), "name of a member": name.encode()}
    return Exercised({**values, **after, **old}, seen, stage.answers)


# The calls ----------------------------------------------------------------------------------------


def exercise_calls(stage):
    """Good ones, and refused ones."""
    assert stage.answer(200)
    scene = stage.scene("secret_version_access")
    client, versions = stage.client, f"/secrets/{scene.secret_id}/versions"
    for revision in ("1", "latest"):
        assert client.get(f"{versions}/{revision}/access").status == 200
    client.create_version(scene.secret_id, scene.payload, disable_previous=True)
    assert client.get(f"{versions}/1/access").status == 412
    reader = stage.tenant.key("SecretManagerReadOnly", "KeyManagerReadOnly")
    assert stage.answer(403, stage.record(stage.tenant.client(key=reader)))
    for secret_key in (str(uuid.uuid4()), None):
        assert stage.answer(401, stage.record(stage.tenant.client().as_key(secret_key)))
    assert client.get("/secrets").status == 200


def exercise_bodies(stage):
    """Bodies that are none, or hold the payload where it does not belong."""
    for scene in stage.scenes:
        for body in bad_bodies(scene) if scene.endpoint.body else []:
            assert scene.call(body=body).status in (400, 413), (scene.name, body)


def exercise_arguments(stage, value):
    """Payloads where none belongs, or with arguments that are wrong."""
    client = stage.client
    secret_id = stage.scene("secret_version_create").secret_id
    key_id = stage.scene("key_encrypt").key_id
    data = encoded(value.encode())
    versions = f"/secrets/{secret_id}/versions"
    for path, body in [
        (versions, {"data": data, "data_crc32": 1}),
        (versions, {"data": data, "data_crc32": "x"}),
        (versions, {"data": data, "description": 1}),
        (versions, {"payload": data, "value": value}),
        (f"/secrets/{uuid.uuid4()}/versions", {"data": data}),
        ("/secrets/x/versions", {"data": data}),
        (f"{versions}/latest/enable", {"data": data}),
        ("/secrets", {"name": "a b", "data": data}),
        (f"/secrets/{secret_id}/protect", {"data": data, "secret": value}),
        (f"/secrets/{secret_id}/unprotect", {"data": value}),
    ]:
        answer = client.post(path, body)
        assert answer.status in (200, 400, 404), (path, answer.status)
    keys = "/key-manager/v1alpha1/regions/fr-par/keys"
    for verb, body in [
        ("encrypt", {"plaintext": data, "associated_data": [data]}),
        ("encrypt", {"ciphertext": data, "associated_data": data}),
        ("decrypt", {"ciphertext": data, "associated_data": data}),
        ("decrypt", {"ciphertext": stage.scene("key_decrypt").ciphertext, "plaintext": data}),
        ("generate-data-key", {"plaintext": data, "algorithm": "none", "associated_data": data}),
        ("rotate", {"plaintext": data, "value": value}),
    ]:
        answer = client.post(f"{keys}/{key_id}/{verb}", body, absolute=True)
        assert answer.status in (200, 400), (verb, answer.status)
    twice = b'{"data":"%s","data":"AA=="}' % data.encode()
    assert client.post(versions, twice).status in (200, 400)
    for path in (f"/secrets/{secret_id}", f"{versions}/latest"):
        assert client.patch(path, {"data": data, "value": value}).status == 200
    for query in ({"unknown": value}, {"token": client.secret_key}, {value: value}):
        assert client.get("/secrets", query=query).status == 200
    bearer = {"Authorization": f"Bearer {client.secret_key}"}
    assert client.get("/secrets", headers=bearer).status == 200


def exercise_ephemeral(client, value):
    """Versions that are used up, and secrets that go at once."""
    for action in ("disable", "delete"):
        policy = {"expires_once_accessed": True, "action": action}
        secret_id = client.create_secret(name=f"once-{action}", ephemeral_policy=policy)["id"]
        client.create_version(secret_id, value.encode())
        assert client.access(secret_id) == value.encode()
        assert client.get(f"/secrets/{secret_id}/versions/1/access").status in (404, 412)
        assert client.delete(f"/secrets/{secret_id}").status == 204


def trigger(body):
    """A trigger of the audit, which each call meets with payload and key in hand; and what takes it away."""
    return (
        f"""CREATE FUNCTION rule.spoil() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body}; RETURN NEW; END $$;
            CREATE TRIGGER spoil BEFORE INSERT ON audit.event FOR EACH ROW EXECUTE FUNCTION rule.spoil()""",
        "DROP FUNCTION rule.spoil() CASCADE",
    )


FAULTS = [  # what breaks, so that calls are answered 503, and what mends
    # permission denied, in the middle of the function
    ("REVOKE INSERT ON audit.event FROM coffer_exec", "GRANT INSERT ON audit.event TO coffer_exec"),
    # a constraint, whose error quotes the row
    (
        "ALTER TABLE audit.event ADD CONSTRAINT never CHECK (id < 0) NOT VALID",
        "ALTER TABLE audit.event DROP CONSTRAINT never",
    ),
    trigger("RAISE EXCEPTION 'not this %', NEW"),
]
FAULT_OF_TIME = trigger("PERFORM pg_sleep(30)")
# Errors in expressions that have the plaintext in hand.
FAULT_WITH_PLAINTEXT = (
    """ALTER FUNCTION rule.payload_encode(bytea, bigint) RENAME TO payload_encode_away;
       ALTER FUNCTION rule.payload_data(bytea) RENAME TO payload_data_away;
       CREATE FUNCTION rule.payload_encode(data bytea, crc32 bigint) RETURNS bytea
           LANGUAGE plpgsql AS $$ BEGIN RETURN set_byte(data, 0, 1 / (octet_length(data) * 0)); END $$;
       CREATE FUNCTION rule.payload_data(encoded bytea) RETURNS bytea
           LANGUAGE sql AS $$ SELECT set_byte(encoded, octet_length(encoded), 0) $$""",
    """DROP FUNCTION rule.payload_encode(bytea, bigint), rule.payload_data(bytea);
       ALTER FUNCTION rule.payload_encode_away(bytea, bigint) RENAME TO payload_encode;
       ALTER FUNCTION rule.payload_data_away(bytea) RENAME TO payload_data""",
)


def of_secrets(stage):
    return [scene for scene in stage.scenes if scene.endpoint.of_secret]


def exercise_faults(stage, database):
    """Errors while PostgreSQL has payload and key in hand: it writes all it knows into its log."""
    for broken, mended in FAULTS:
        database.deploy(broken)
        assert stage.answer(503), broken
        database.deploy(mended)
        eventually(lambda: stage.answer(200))
    broken, mended = FAULT_OF_TIME
    database.deploy(broken)
    assert stage.scene("secret_version_create").call().status == 503  # by statement_timeout
    database.deploy(mended)
    broken, mended = FAULT_WITH_PLAINTEXT
    database.deploy(broken)
    assert {scene.call().status for scene in of_secrets(stage)} == {500}
    database.deploy(mended)
    eventually(lambda: stage.answer(200))


def exercise_locks(stage, database):
    """A lock that does not come, a deadlock, a backend that is ended."""
    waiting = (
        "SELECT pid FROM pg_locks JOIN pg_stat_activity USING (pid)"
        " WHERE NOT granted AND query ~ 'api.secret_version_create'"
    )
    scene = stage.scene("secret_version_create")
    with database.connect() as blocker:
        with blocker.transaction():
            blocker.execute("LOCK TABLE audit.event IN ACCESS EXCLUSIVE MODE")
            assert scene.call().status == 503
        with blocker.transaction():
            blocker.execute("SET LOCAL deadlock_timeout = '30s'")  # the other is the one that falls
            blocker.execute("LOCK TABLE audit.event IN ACCESS EXCLUSIVE MODE")
            call = threading.Thread(target=scene.call)
            call.start()
            eventually(lambda: database.query(waiting))
            blocker.execute("SELECT FROM store.secret WHERE id = %s FOR UPDATE", [scene.secret_id])
        call.join()
        assert stage.answers[-1].status == 200
    with database.connect() as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'coffer_api'"
        )
    eventually(lambda: stage.answer(200))


def exercise_keys_that_do_not_open(stage, database, root_key_file, numbered):
    """Tampered rows: of a payload and its key, and of all keys above, which a new daemon has not opened yet."""
    scene = stage.scene("secret_version_access")
    flip = "UPDATE store.{0} SET {1} = set_bit({1}, 200, 1 - get_bit({1}, 200)) WHERE {2}"
    for table, column in (("version", "sealed"), ("dek", "wrapped")):
        tamper = flip.format(table, column, "secret_id = %s")
        database.query(tamper, scene.secret_id)
        assert scene.call().status == 500
        database.query(tamper, scene.secret_id)
    database.query(flip.format("kek", "wrapped", "true"))
    command = f"/bin/cat {root_key_file}"
    other = Daemon(numbered("other"), database, None, log_level="debug", root_key_command=command)
    new = stage.record(stage.tenant.client(other))
    assert {scene.call(new).status for scene in of_secrets(stage)} == {500}
    other.stop()
    assert "key cannot be unwrapped" in other.log
    database.query(flip.format("kek", "wrapped", "true"))
    assert stage.answer(200)
    return other.log.encode()


def exercise_rotation(stage, database):
    """New keys for project and managed keys; access keys, the old ones and the new ones, go to the database in arrays."""
    manager = stage.client.key_manager()
    for scene in of_secrets(stage):
        if scene.key_id:
            assert manager.post(f"/keys/{scene.key_id}/rotate", {}).status == 200
    database.query(
        "SELECT operator.kek_rotate(%s)", stage.tenant.project_id, role="coffer_operator"
    )
    eventually(lambda: not database.query("SELECT kek_id FROM operator.key_rotation"))


def exercise_purge(stage, database):
    """A secret and its keys become dead rows, which nothing removes yet."""
    scene = stage.scene("secret_version_create")
    secret_id = stage.client.create_secret(name="purged")["id"]
    stage.client.create_version(secret_id, scene.payload)
    database.query("SELECT operator.setting_set('purge_after', '0 days')", role="coffer_operator")
    assert stage.client.delete(f"/secrets/{secret_id}").status == 204
    database.query("SELECT job.run(name, 1000) FROM job.list() AS name", role="coffer_operator")
    eventually(lambda: not database.query("SELECT id FROM store.secret WHERE id = %s", secret_id))


def exercise_commands(stage, root_key_file, numbered):
    """What opens and makes keys without the daemon; all that it says besides its results."""
    database, project_id = stage.tenant.daemon.database, stage.tenant.project_id
    other_key = numbered("other-key")
    coffer("root-key", "generate", other_key)
    said = []

    def run(*arguments, key_file=root_key_file, input=None, **settings):
        settings = {"root_key_file": key_file, "log_level": "debug", **settings}
        ended = subprocess.run(
            [BINARY, *arguments], env=environment(settings), input=input, capture_output=True
        )
        said.append(ended.stderr)
        return ended

    scene = stage.scene("secret_version_create")
    restored = stage.client.create_secret(name="restored")["id"]
    stage.client.create_version(restored, scene.payload)
    opened = run("recover", "--secret", restored, "--yes", dsn_owner=database.dsn())
    database.query("DELETE FROM store.secret WHERE id = %s", restored)
    ended = run(
        *("restore", "--reason", "a test"),
        input=opened.stdout,
        dsn_operator=database.dsn("coffer_operator"),
    )
    assert ended.returncode == 0, ended.stderr
    assert stage.client.access(restored) == scene.payload
    said.append(ended.stdout)
    opened = run("recover", "--project", project_id, "--yes", dsn_owner=database.dsn())
    payloads = {base64.b64decode(json.loads(line)["data"]) for line in opened.stdout.splitlines()}
    assert {scene.payload for scene in of_secrets(stage)} <= payloads
    refused = run(
        "recover", "--project", project_id, "--yes", key_file=other_key, dsn_owner=database.dsn()
    )
    assert refused.returncode == 1
    said.append(refused.stdout)
    for key_file, code in ((root_key_file, 0), (other_key, 1)):
        arguments = ["api-key", "create", "--principal", stage.tenant.full_access.principal_id]
        ended = run(*arguments, key_file=key_file, dsn_operator=database.dsn("coffer_operator"))
        assert ended.returncode == code, ended.stderr
    said.append(run("doctor", dsn=database.dsn("coffer_api")).stdout)
    said.append(run("root-key", "list", dsn_operator=database.dsn("coffer_operator")).stdout)
    return b"\n".join(said)


# The tests ----------------------------------------------------------------------------------------


def test_every_endpoint_is_known():
    """A new endpoint needs a row in canaries.py, or its name there."""
    printed = {line.split()[2] for line in coffer("--endpoints").splitlines()}
    touching = {endpoint.function for endpoint in ENDPOINTS}
    assert touching | WITHOUT_PLAINTEXT == printed
    assert not touching & WITHOUT_PLAINTEXT


def test_every_endpoint_with_key_or_payload_is_exercised(database):
    given = database.query(
        "SELECT proname FROM pg_proc WHERE pronamespace = 'endpoint'::regnamespace AND proargnames && '{key,data}'"
    )
    assert {name for (name,) in given} <= {endpoint.function for endpoint in ENDPOINTS}


def test_search_finds_each_form(cluster, database, daemon):
    """In files of the data and of the log, what a role without Coffer's settings says."""
    control = secrets.token_bytes(33)
    text = control.hex()
    with database.connect() as connection:
        connection.execute("CREATE TABLE public.control (bytes bytea, text text)")
        connection.execute(
            "INSERT INTO public.control VALUES (%s, %s)", [control, "in the table " + text]
        )
        for before in (b"", b"x", b"xx"):
            connection.execute("SELECT %s::text", ["=" + encoded(before + control)])
            connection.execute("SELECT pg_catalog.encode(%s::bytea, 'base64')", [before + control])
        connection.execute("SELECT %s::text", [text.upper()])
        connection.execute("SELECT %s::text", ["[%s]" % ", ".join(map(str, control))])
        connection.execute("SELECT %s::text", ["[%s]" % ",".join(map(str, control))])
        connection.execute("SELECT %s::text", ["".join(f"\\{byte:03o}" for byte in control)])
        connection.execute("SELECT %s::text", [encoded(b"!" + control).encode().hex()])
        connection.execute("SET bytea_output = 'escape'")
        connection.execute(
            "SELECT %s::text", connection.execute("SELECT %s::bytea::text", [control]).fetchone()
        )
        connection.execute("SELECT pg_catalog.length(%s::bytea)", [control], binary=True)
        connection.execute("SELECT pg_catalog.octet_length('\\x" + text + "'::bytea) + random()")
        connection.execute("CHECKPOINT")
    search = leak.Search({"control": control})
    in_data = {form for _, form, _ in search.find(leak.files(cluster.data))}
    in_logs = {form for _, form, _ in search.find(leak.Log(cluster))}
    assert {"bytes", "hex"} <= in_data
    if cluster.tells_all:
        assert {
            "hex",
            "HEX",
            "base64+0",
            "base64+1",
            "base64+2",
            "octal",
            "escape",
            "base64+1 in hex",
        } <= in_logs
        assert {"decimal", "decimal ', '", "decimal ','"} <= in_logs


def test_search_finds_what_the_service_stores(cluster, database, daemon, exercised, tenant):
    """What is no secret is where it should be, in the data and in the log of the daemon."""
    description = secrets.token_hex(16)
    answer = tenant.client().post("/secrets", {"name": "described", "description": description})
    assert answer.status == 200
    database.query("CHECKPOINT")
    request_id = answer.headers["X-Request-Id"]
    search = leak.Search({"description": description.encode(), "request": request_id.encode()})
    where = {
        (name, file) for name, _, file in search.find(leak.files(cluster.data, daemon.directory))
    }
    assert any(name == "description" and "base" in file.parts for name, file in where)
    assert any(name == "description" and "pg_wal" in file.parts for name, file in where)
    assert ("request", daemon.log_file) in where


def test_log_is_as_verbose_as_can_be(cluster, exercised):
    """The calls are in the log with their statements, their plans and their errors."""
    log = leak.Log(cluster).text()
    said = [
        b"division by zero",
        b"out of valid range",
        b"due to statement timeout",
        b"due to lock timeout",
    ]
    said += [b"deadlock detected", b"violates check constraint", b"permission denied", b"not this"]
    if cluster.tells_all:
        said += [
            b"api.secret_version_create",
            b"Query Text: ",
            b"rewritten parse tree:",
            b"plan:",
            b"AUDIT: SESSION",
        ]
    assert [words for words in said if words not in log] == []


def test_statistics_show_the_calls(exercised):
    for endpoint in ENDPOINTS:
        call = f"api.{endpoint.function}($1, $2, $3, $4)".encode()
        assert call in exercised.seen["pg_stat_statements"]
    assert call in exercised.seen["pg_stat_activity"]


def test_dead_rows_were_among_them(database, exercised):
    """Of the keys that were moved and of the values that were purged, whose pages hold them yet."""
    database.query("CREATE EXTENSION pageinspect")
    for table in ("dek", "kek", "version"):
        ((dead,),) = database.query(
            f"SELECT count(*) FROM generate_series(0, pg_relation_size('store.{table}') / 8192 - 1) AS page,"
            f" heap_page_items(get_raw_page('store.{table}', page::integer)) WHERE t_xmax <> 0 AND t_data IS NOT NULL"
        )
        assert dead > 0, table


def test_no_call_has_written_a_temporary_file(cluster, exercised):
    """Which would be gone, but not from the disk."""
    lines = leak.Log(cluster).text().splitlines()
    assert [
        line for line in lines if b"temporary file: path" in line and b"coffer_api@" in line
    ] == []


def test_nothing_secret_is_found_elsewhere(exercised):
    found = leak.Search(exercised.secrets).find(exercised.seen.items())
    # A client that sends a member that is not allowed is told its name, and nobody else is.
    told = {
        name: secret for name, secret in exercised.secrets.items() if name != "name of a member"
    }
    errors = [
        str(answer.headers).encode() + answer.raw
        for answer in exercised.answers
        if answer.status >= 400
    ]
    found |= leak.Search(told).find([("errors", b"\n".join(errors))])
    assert found == set()


def test_nothing_secret_is_found_in_a_dump(cluster, exercised):
    dump = subprocess.run(
        ["pg_dumpall"], env=cluster.environment("postgres"), check=True, stdout=subprocess.PIPE
    ).stdout
    assert b"COPY store.dek" in dump and b"COPY audit.event" in dump
    assert leak.Search(exercised.secrets).find([("dump", dump)]) == set()


def test_nothing_secret_is_found_in_a_base_backup(cluster, numbered, exercised):
    backup = numbered("backup")
    subprocess.run(
        ["pg_basebackup", "--checkpoint=fast", "--pgdata", backup],
        env=cluster.environment("postgres"),
        check=True,
    )
    assert (backup / "pg_wal").is_dir()
    assert leak.Search(exercised.secrets).find(leak.files(backup)) == set()


def test_nothing_secret_is_found_in_files(cluster, daemon, exercised):
    """Of the data directory after a shutdown, since statistics and the last of the log are written at the end."""
    cluster.stop()
    files = leak.files(cluster.data, daemon.directory)
    found = leak.Search(exercised.secrets).find([*files, *leak.Log(cluster)])
    cluster.start()
    assert found == set()
