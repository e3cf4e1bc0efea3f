"""What keeps secrets out of logs and files, taken away one by one: then the search for leaks finds one, at its place.

Guards are settings of the daemon's role, which the daemon insists on, so that its look at them is the first that has to
go; and rules of the code, which are broken here in a function of the database, or by another client, or in a daemon
that was built with another source. (What guards the memory of the daemon is in test_plaintext_memory.py.)

COFFER_LEAKS=long tries each setting with each way to log alone, where it leaks and where it must not.
"""

import contextlib
import json
import os
import secrets
import subprocess
import uuid

import psycopg
import pytest
from canaries import Stage, encoded, endpoints

from support import leak
from support.cluster import Cluster
from support.daemon import BINARY, Daemon, coffer
from support.mutant import mutant
from support.tenant import Tenant

pytestmark = pytest.mark.long

# Ways to log, each of which can be set for a role.
SPEAKERS = {
    "log_statement": {"log_statement": "all"},
    "log_duration": {"log_duration": "on"},
    "log_min_duration_statement": {"log_min_duration_statement": "0"},
    "log_min_duration_sample": {"log_min_duration_sample": "0", "log_statement_sample_rate": "1"},
    "log_transaction_sample_rate": {"log_transaction_sample_rate": "1"},
    "log_min_messages": {"log_min_messages": "debug5", "log_error_verbosity": "verbose"},
    "log_min_error_statement": {"log_min_error_statement": "debug5"},
    "log_temp_files": {"log_temp_files": "0"},
    "debug_print_parse": {"debug_print_parse": "on"},
    "debug_print_rewritten": {"debug_print_rewritten": "on"},
    "debug_print_plan": {"debug_print_plan": "on"},
    "auto_explain": leak.MODULES["auto_explain"],
    "pgaudit": {**leak.MODULES["pgaudit"], "pgaudit.log_parameter": "off"},
}
ALL = {name: value for settings in SPEAKERS.values() for name, value in settings.items()}


# The stage ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def cluster(numbered):
    """It has the modules, and tells no more than any other of who is not told to."""
    cluster = Cluster(numbered("cluster"))
    quiet = {"auto_explain.log_min_duration": "-1", "pgaudit.log": "none", "autovacuum": "off"}
    leak.configure(cluster, **quiet)
    yield cluster
    cluster.discard()


@pytest.fixture(scope="module")
def database(cluster):
    """Its look at the settings of a session says nothing; what it would say, session_faults_kept does."""
    database = cluster.database()
    database.query("CREATE EXTENSION pg_stat_statements")
    database.deploy(
        """ALTER FUNCTION rule.session_faults() RENAME TO session_faults_kept;
           GRANT USAGE ON SCHEMA rule TO coffer_api;
           GRANT EXECUTE ON FUNCTION rule.session_faults_kept() TO coffer_api;
           CREATE FUNCTION rule.session_faults() RETURNS text[] LANGUAGE sql STABLE AS $$ SELECT '{}'::text[] $$"""
    )
    return database


@pytest.fixture
def set_role(database):
    """Set what the sessions of the daemon's role begin with, and nothing else."""

    def set_role(**settings):
        database.query(f"ALTER ROLE coffer_api IN DATABASE {database.name} RESET ALL")
        leak.set_for_daemon(database, **settings)

    yield set_role
    set_role()


@contextlib.contextmanager
def running(numbered, database, root_key_file, binary=BINARY):
    settings = {"pool_size": 2, "read_connections": 1, "check_interval": 60, "log_level": "debug"}
    daemon = Daemon(numbered("daemon"), database, root_key_file, binary=binary, **settings)
    yield daemon
    daemon.stop()


@pytest.fixture
def run(numbered, database, root_key_file):
    return lambda binary=BINARY: running(numbered, database, root_key_file, binary)


@pytest.fixture(scope="module")
def stage(numbered, database, root_key_file):
    """Secrets and keys, made while nothing was to be heard."""
    with running(numbered, database, root_key_file) as daemon:
        return Stage(
            Tenant(daemon),
            root_key_file,
            endpoints("secret_version_create", "secret_version_access"),
        )


@pytest.fixture
def log(cluster):
    log = leak.Log(cluster)
    log.forget()
    return log


NEVER = "ALTER TABLE audit.event ADD CONSTRAINT never CHECK (id < 0) NOT VALID"
AGAIN = "ALTER TABLE audit.event DROP CONSTRAINT never"


def use(daemon, stage):
    """Write and read, small and large, and without success; return what must not be found."""
    client = stage.record(stage.tenant.client(daemon))
    assert stage.answer(200, client)
    secret_id = client.create_secret(name=secrets.token_hex(8))["id"]
    client.create_version(secret_id, secrets.token_bytes(65536))
    client.access(secret_id)
    daemon.database.query(NEVER)
    assert stage.answer(503, client)
    daemon.database.query(AGAIN)
    return stage.secrets()


# Settings -----------------------------------------------------------------------------------------

# A setting, its value without the guard, and the ways to log that leak then, with the form in which they show bytes.
# None: PostgreSQL logs it anyhow.
GUARDS = {
    "log_parameter_max_length": (
        "-1",
        {
            "log_statement": "hex",
            "log_min_duration_statement": "hex",
            "log_min_duration_sample": "hex",
            "log_transaction_sample_rate": "hex",
        },
    ),
    "log_parameter_max_length_on_error": ("-1", {None: "hex"}),
    "plan_cache_mode": (
        "force_custom_plan",
        {"auto_explain": "hex", "debug_print_plan": "decimal"},
    ),
    "pgaudit.log_parameter": ("on", {"pgaudit": "hex"}),
}
FOUND = {
    "secret_version_create: access key",
    "secret_version_create: payload",
    "secret_version_access: access key",
}


def names(found, form):
    return {name for name, shown, where in found if (shown, where) == (form, "server log")}


@pytest.mark.parametrize("guard", GUARDS)
def test_without_a_setting(database, set_role, run, stage, log, guard):
    """The daemon would not serve; if it does, the log has keys and payloads."""
    value, leaks = GUARDS[guard]
    set_role(**{**ALL, guard: value})
    with database.connect("coffer_api") as connection:
        ((faults,),) = connection.execute("SELECT rule.session_faults_kept()").fetchall()
    assert [fault.split()[0] for fault in faults] == [guard]
    with run() as daemon:
        looked_for = use(daemon, stage)
    found = leak.Search(looked_for).find(log)
    for form in leaks.values():
        assert names(found, form) >= FOUND


def test_with_all_settings(set_role, run, stage, log):
    set_role(**ALL)
    with run() as daemon:
        looked_for = use(daemon, stage)
    assert leak.Search(looked_for).find(log) == set()
    assert b"temporary file: path" not in log.text()


def test_without_memory_for_an_answer(set_role, run, stage, log):
    """It goes to a temporary file, in clear; that is gone, but not from the disk."""
    set_role(**ALL, work_mem="64kB")
    with run() as daemon:
        use(daemon, stage)
    lines = [line for line in log.text().splitlines() if b"temporary file: path" in line]
    assert lines and all(b"coffer_api@" in line for line in lines)


if os.environ.get("COFFER_LEAKS") == "long":

    @pytest.mark.parametrize("speaker", SPEAKERS)
    @pytest.mark.parametrize("guard", [None, *GUARDS])
    def test_each_way_to_log_alone(set_role, run, stage, log, guard, speaker):
        value, leaks = GUARDS.get(guard, (None, {}))
        undone = {guard: value} if guard else {}
        set_role(**{**SPEAKERS[speaker], **undone})
        with run() as daemon:
            looked_for = use(daemon, stage)
        found = leak.Search(looked_for).find(log)
        form = leaks.get(speaker, leaks.get(None))
        if form:
            assert names(found, form) >= FOUND
        else:
            assert found == set()


# Functions of the database -----------------------------------------------------------------------------


@contextlib.contextmanager
def replaced(database, function, body):
    """A function of PL/pgSQL has another body, and then its own again."""
    ((before, head),) = database.query(
        "SELECT pg_get_functiondef(oid), format('CREATE OR REPLACE FUNCTION %%s(%%s) RETURNS %%s LANGUAGE plpgsql AS ',"
        " oid::regproc, pg_get_function_arguments(oid), pg_get_function_result(oid))"
        " FROM pg_proc WHERE oid = %s::regprocedure",
        function,
    )
    database.deploy(f"{head} $broken${body}$broken$")
    yield
    database.deploy(before)


MUST_BE = "rule.payload_require_type(text, bytea)"
EXPLAIN = SPEAKERS["auto_explain"]
CODE = {  # what is done with a payload, how the log gets it, and in which form
    "parsed without a block": ("PERFORM convert_from(data, 'UTF8')::jsonb", {}, "bytes"),
    "cast": ("PERFORM convert_from(data, 'UTF8')::integer", {}, "bytes"),
    "raised": ("RAISE LOG '%', data", {}, "hex"),
    "in the text of a statement": ("EXECUTE format('SELECT %L::bytea', data)", EXPLAIN, "hex"),
    "in a statement that is planned for it": (
        "EXECUTE 'SELECT set_byte($1, 0, 1)' USING data",
        EXPLAIN,
        "hex",
    ),
    "under a constraint": ("INSERT INTO store.spy_checked VALUES (data)", {}, "hex"),
}


@pytest.fixture(scope="module")
def spies(database):
    database.deploy(
        """CREATE TABLE store.spy (payload bytea);
           CREATE TABLE store.spy_deleted (payload bytea);
           CREATE TABLE store.spy_checked (payload bytea CHECK (payload IS NULL));
           GRANT SELECT, INSERT, DELETE ON store.spy, store.spy_deleted, store.spy_checked TO coffer_exec"""
    )


def create(daemon, stage, payload):
    """Create a version of a secret; return the answer."""
    client = stage.record(stage.tenant.client(daemon))
    secret_id = client.create_secret(name=secrets.token_hex(8))["id"]
    return client.post(f"/secrets/{secret_id}/versions", {"data": encoded(payload)})


@pytest.mark.parametrize("broken", CODE)
def test_payload_that_is(database, spies, set_role, run, stage, log, broken):
    statement, speaker, form = CODE[broken]
    payload = secrets.token_hex(16).encode()
    set_role(**speaker)
    with replaced(database, MUST_BE, f"BEGIN {statement}; END"), run() as daemon:
        create(daemon, stage, payload)
    assert names(leak.Search({"payload": payload}).find(log), form) == {"payload"}


def test_key_that_is_raised(database, run, stage, log):
    body = "BEGIN RAISE LOG '%', key; RETURN crypto.gen_random_bytes(64); END"
    with replaced(database, "rule.crypto_decrypt(bytea, bytea, bytea)", body), run() as daemon:
        stage.all(stage.tenant.client(daemon))
    assert "secret_version_access: access key" in names(
        leak.Search(stage.secrets()).find(log), "hex"
    )


def test_parsing_in_a_block(set_role, run, stage, log):
    """As it is: nothing of what cannot be parsed is in the log."""
    value = secrets.token_hex(16)
    set_role(**ALL)
    with run() as daemon:
        client = stage.tenant.client(daemon)
        secret_id = client.create_secret(name=secrets.token_hex(8), type="key_value")["id"]
        body = {"data": encoded(f'{{"{value}'.encode())}
        assert client.post(f"/secrets/{secret_id}/versions", body).status == 400
    assert leak.Search({"value": value.encode()}).find(log) == set()


def test_payload_that_a_refusal_quotes(database, run, stage):
    payload = secrets.token_hex(16).encode()
    body = "BEGIN PERFORM fail.invalid_argument('data', 'format', convert_from(data, 'UTF8')); END"
    with replaced(database, MUST_BE, body), run() as daemon:
        answer = create(daemon, stage, payload)
    assert answer.status == 400
    assert leak.Search({"payload": payload}).find([("answer", answer.raw)])


def test_payload_that_is_stored(database, spies, cluster, numbered, run, stage):
    """In a row, and in one that is deleted: each is found in what has it, and in nothing else."""
    tables = {table: secrets.token_hex(16).encode() for table in ("spy", "spy_deleted")}
    body = """
        BEGIN
            INSERT INTO store.spy SELECT data WHERE type = 'opaque';
            INSERT INTO store.spy_deleted SELECT data WHERE type = 'key_value';
            DELETE FROM store.spy_deleted;
        END"""
    with replaced(database, MUST_BE, body), run() as daemon:
        client = stage.tenant.client(daemon)
        for payload, secret_type in zip(tables.values(), ("opaque", "key_value"), strict=True):
            secret_id = client.create_secret(name=secrets.token_hex(8), type=secret_type)["id"]
            client.create_version(secret_id, payload)
    database.query("CHECKPOINT")
    backup = numbered("backup")
    environment = cluster.environment("postgres")
    subprocess.run(
        ["pg_basebackup", "--checkpoint=fast", "--pgdata", backup], env=environment, check=True
    )
    dump = subprocess.run(
        ["pg_dumpall"], env=environment, check=True, stdout=subprocess.PIPE
    ).stdout
    contents = [("dump", dump)]
    contents += [("data", content) for _, content in leak.files(cluster.data / "base")]
    contents += [("WAL", content) for _, content in leak.files(cluster.data / "pg_wal")]
    contents += [("backup", content) for _, content in leak.files(backup)]
    found = {}
    for name, _, where in leak.Search(tables).find(contents):
        found.setdefault(name, set()).add(where)
    assert found == {
        "spy": {"data", "WAL", "dump", "backup"},
        "spy_deleted": {"data", "WAL", "backup"},
    }


# The daemon -------------------------------------------------------------------------------------------


def call_sql(stage, key, data, document=""):
    """A call as the daemon makes it, but as a statement that has everything in it."""
    scene = stage.scene("secret_version_create")
    request = {
        "id": str(uuid.uuid4()),
        "instance": str(uuid.uuid4()),
        "region": "fr-par",
        "path": {"secret_id": scene.secret_id},
        "query": {},
        "body": {},
    }
    text = json.dumps(request)[:-1] + document + "}"
    return f"SELECT status FROM api.secret_version_create('{text}', '\\x00', '\\x{key.hex()}', '\\x{data.hex()}')"


def test_values_in_a_statement(database, set_role, stage, log):
    key, data = secrets.token_bytes(64), secrets.token_bytes(32)
    search = leak.Search({"key": key, "data": data})
    set_role(**ALL)
    with database.connect("coffer_api") as connection:
        connection.execute(call_sql(stage, key, data))
        seen = database.query(
            "SELECT a::text FROM pg_stat_activity AS a WHERE usename = 'coffer_api'"
        )
        connection.execute(f"SET coffer.key = '{key.hex()}'")
    kept = database.query("SELECT s::text FROM pg_stat_statements AS s")
    contents = [
        ("pg_stat_activity", str(seen).encode()),
        ("pg_stat_statements", str(kept).encode()),
        *log,
    ]
    found = {(name, where) for name, form, where in search.find(contents)}
    assert found == {
        ("key", "server log"),
        ("data", "server log"),
        ("key", "pg_stat_activity"),
        ("data", "pg_stat_activity"),
        ("key", "pg_stat_statements"),  # what is no query is kept as it is
    }


def test_payload_in_the_document(database, stage, log):
    """PostgreSQL quotes JSON that it cannot parse, whatever its settings."""
    payload = secrets.token_hex(16).encode()
    with database.connect("coffer_api") as connection, pytest.raises(psycopg.Error):
        connection.execute(call_sql(stage, b"", b"", f', "data": "{payload.decode()}\\x"'))
    assert leak.Search({"payload": payload}).find(log)


def test_daemon_that_logs_the_words_of_postgresql(database, numbered, run, stage):
    payload = secrets.token_hex(16).encode()
    guard = "\tif (session_sqlstate(result, sqlstate)) {\n"
    logs = guard + '\t\tdprintf(2, "%s", PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY));\n'
    search = leak.Search({"payload": payload})
    statement = "BEGIN PERFORM convert_from(data, 'UTF8')::integer; END"
    for binary, leaks in (
        (BINARY, False),
        (mutant(numbered("mutant"), "group", guard, logs), True),
    ):
        with replaced(database, MUST_BE, statement), run(binary) as daemon:
            assert create(daemon, stage, payload).status == 500
        assert bool(search.find([("log", daemon.log_file.read_bytes())])) == leaks


# Commands ---------------------------------------------------------------------------------------------

# What an operator mints is known to the database by a digest alone, which shall be in its table and nowhere else.
OPERATOR_GUARDS = {
    "log_parameter_max_length": ("-1", "hex"),
    "log_parameter_max_length_on_error": ("-1", "hex"),
    "pgaudit.log_parameter": ("on", "hex"),
    "plan_cache_mode": ("auto", "hex"),
}


@pytest.fixture
def set_operator(database):
    def set_operator(**settings):
        database.query(f"ALTER ROLE coffer_operator IN DATABASE {database.name} RESET ALL")
        for name, value in settings.items():
            database.query(
                f"ALTER ROLE coffer_operator IN DATABASE {database.name} SET {name} = '{value}'"
            )

    yield set_operator
    set_operator()


def api_key_create(tenant):
    coffer(
        "api-key",
        "create",
        "--principal",
        tenant.full_access.principal_id,
        dsn_operator=tenant.daemon.database.dsn("coffer_operator"),
        root_key_file=tenant.daemon.settings["root_key_file"],
    )


def mint(database, stage):
    """Make a key, and fail to; return what must not be found."""
    api_key_create(stage.tenant)
    database.query(
        "ALTER TABLE store.api_key ADD CONSTRAINT never CHECK (access_key IS NULL) NOT VALID"
    )
    with pytest.raises(subprocess.CalledProcessError):
        api_key_create(stage.tenant)
    database.query("ALTER TABLE store.api_key DROP CONSTRAINT never")
    return {
        f"digest {row}": digest
        for row, (digest,) in enumerate(database.query("SELECT digest FROM store.api_key"))
    }


def test_minting(database, set_operator, stage, log):
    set_operator(**ALL)
    assert leak.Search(mint(database, stage)).find(log) == set()


@pytest.mark.parametrize("guard", OPERATOR_GUARDS)
def test_minting_without_a_setting(database, set_operator, stage, log, guard):
    value, form = OPERATOR_GUARDS[guard]
    set_operator(**{**ALL, guard: value})
    assert names(leak.Search(mint(database, stage)).find(log), form)
