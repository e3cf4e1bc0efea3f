"""A database that is not as it was deployed is not served: the daemon finds out, says what it is, and serves when it is mended."""

import secrets

import pytest

from support import eventually
from support.leak import Log
from support.load import Load


@pytest.fixture
def start(start_daemon):
    return lambda database: start_daemon(database, check_interval=1, pool_size=2)


GET = """CREATE OR REPLACE FUNCTION endpoint.secret_get(caller rule.caller, request jsonb) RETURNS rule.outcome
         LANGUAGE plpgsql VOLATILE AS $$ BEGIN RETURN NULL; END $$"""
SPY = """CREATE FUNCTION rule.spy() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
         CREATE TRIGGER spy BEFORE INSERT ON store.dek FOR EACH ROW EXECUTE FUNCTION rule.spy()"""
# Where nobody of ours would look for it.
AFAR = """CREATE FUNCTION public.afar() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
          CREATE FUNCTION public.afar(value anyelement) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT true'"""
OWN = "what partition audit.event_2"
# What PostgreSQL runs within functions that do not name it.
EVIL = """CREATE FUNCTION public.evil(text) RETURNS jsonb LANGUAGE sql AS $$ SELECT NULL::jsonb $$;
          CREATE FUNCTION public.evil(text, jsonb) RETURNS bool LANGUAGE sql AS 'SELECT true';
          CREATE FUNCTION public.evil(text, text) RETURNS text LANGUAGE sql AS 'SELECT $1';
          CREATE FUNCTION public.evil(bytea) RETURNS bytea LANGUAGE plpgsql AS $$ BEGIN RETURN $1; END $$;
          CREATE FUNCTION public.evil(rule.page, rule.page) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 0';
          CREATE FUNCTION public.evil() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN END $$"""


def with_partition(statement):
    """A statement about the partition of this month."""
    return f"""{AFAR};
        DO $do$ BEGIN EXECUTE replace($of${statement}$of$, 'PARTITION', 'audit.' || rule.audit_partition(current_date)); END $do$"""


HELLO = "SELECT faults FROM daemon.hello(gen_random_uuid(), 'test', '{}')"


@pytest.fixture(scope="module")
def deployed(new_database):
    return new_database()


@pytest.fixture(scope="module")
def fit(deployed):
    """What a handshake that is not a daemon's hears in any case."""
    return deployed.query(HELLO)[0][0]


@pytest.mark.parametrize(
    "change, named",
    [
        (GET, "endpoint.secret_get"),
        ("ALTER FUNCTION api.secret_get OWNER TO coffer_migrate", "api.secret_get"),
        ("GRANT EXECUTE ON FUNCTION crypto.hmac(bytea, bytea, text) TO coffer_api", "crypto.hmac"),
        ("ALTER FUNCTION rule.crypto_decrypt SET log_min_messages = debug5", "rule.crypto_decrypt"),
        (
            "CREATE FUNCTION api.more() RETURNS int LANGUAGE sql AS 'SELECT 1'",
            "api.more() was not deployed",
        ),
        ("ALTER TYPE rule.page ADD ATTRIBUTE spare text", "type rule.page"),
        ("ALTER VIEW auditor.event SET (security_barrier)", "view auditor.event"),
        ("GRANT SELECT (wrapped) ON store.kek TO coffer_api", "store.kek"),
        ("ALTER TABLE audit.event OWNER TO coffer_api", "audit.event"),
        ("GRANT USAGE ON SCHEMA store TO coffer_operator", "schema store"),
        (SPY, "store.dek"),
        # What a table lets in, and what follows from it.
        ("ALTER TABLE store.dek DROP CONSTRAINT dek_secret_id_revision_fkey", "table store.dek"),
        ("ALTER TABLE store.dek DISABLE TRIGGER ALL", "table store.dek"),
        ("ALTER TABLE store.secret DISABLE TRIGGER secret_count_insert", "table store.secret"),
        (
            f"{AFAR}; ALTER TABLE store.dek ADD CHECK (public.afar(wrapped)) NOT VALID",
            "table store.dek",
        ),
        (f"{AFAR}; CREATE INDEX ON store.dek (public.afar(wrapped))", "table store.dek"),
        (
            f"{AFAR}; ALTER TABLE store.version ALTER description SET DEFAULT public.afar(1)::text",
            "table store.version",
        ),
        ("ALTER TABLE store.dek ENABLE ROW LEVEL SECURITY", "table store.dek"),
        ("CREATE POLICY few ON store.dek USING (revision > 1)", "table store.dek"),
        ("ALTER TABLE store.signer DROP CONSTRAINT signer_public_key_key", "table store.signer"),
        ("DROP INDEX store.signer_active", "table store.signer"),
        ("ALTER TABLE store.kek ALTER wrapped DROP NOT NULL", "table store.kek"),
        ("ALTER TABLE store.request SET UNLOGGED", "table store.request"),
        (
            "CREATE TABLE public.spare () INHERITS (store.request)",
            "what partition public.spare has of its own",
        ),
        # A partition is not looked for; what it has of its own is.
        (
            with_partition(
                "CREATE TRIGGER t BEFORE INSERT ON PARTITION FOR EACH ROW EXECUTE FUNCTION public.afar()"
            ),
            OWN,
        ),
        (with_partition("CREATE RULE r AS ON INSERT TO PARTITION DO INSTEAD NOTHING"), OWN),
        (with_partition("ALTER TABLE PARTITION ADD CHECK (public.afar(hash)) NOT VALID"), OWN),
        (with_partition("CREATE INDEX ON PARTITION (public.afar(hash))"), OWN),
        (with_partition("ALTER TABLE PARTITION ENABLE ROW LEVEL SECURITY"), OWN),
        (with_partition("CREATE POLICY p ON PARTITION USING (false)"), OWN),
        (with_partition("ALTER TABLE PARTITION SET UNLOGGED"), OWN),
        (with_partition("ALTER TABLE PARTITION OWNER TO coffer_api"), OWN),
        (with_partition("GRANT DELETE ON PARTITION TO coffer_exec"), OWN),
        (
            f"{EVIL}; CREATE CAST (text AS jsonb) WITH FUNCTION public.evil(text) AS ASSIGNMENT",
            "cast from text to jsonb was not deployed",
        ),
        (
            f"{EVIL}; CREATE CAST (text AS jsonb) WITH FUNCTION public.evil(text)",
            "called function public.evil(text) was not deployed",
        ),
        (
            "CREATE CAST (text AS jsonb) WITH INOUT AS IMPLICIT",
            "cast from text to jsonb was not deployed",
        ),
        (
            f"{EVIL}; CREATE OPERATOR pg_catalog.? (LEFTARG = text, RIGHTARG = jsonb, FUNCTION = public.evil)",
            "operator ?(text,jsonb)",
        ),
        (
            "CREATE FUNCTION pg_catalog.convert_from(bytea, text) RETURNS text LANGUAGE sql AS $$ SELECT '' $$",
            "pg_catalog.convert_from",
        ),
        (
            "CREATE OR REPLACE FUNCTION pg_catalog.octet_length(bytea) RETURNS int LANGUAGE sql AS 'SELECT 64'",
            "PostgreSQL's functions",
        ),
        (
            "ALTER FUNCTION pg_catalog.sha256(bytea) SET log_min_messages = debug5",
            "PostgreSQL's functions",
        ),
        (
            f"{EVIL}; CREATE OR REPLACE AGGREGATE pg_catalog.max(text) (SFUNC = public.evil, STYPE = text)",
            "PostgreSQL's aggregates",
        ),
        (f"{EVIL}; ALTER TYPE bytea SET (SEND = public.evil)", "PostgreSQL's types"),
        (
            "UPDATE pg_cast SET castcontext = 'i' WHERE castsource = 'bit'::regtype AND casttarget = 'bigint'::regtype",
            "PostgreSQL's casts",
        ),
        (
            f"{EVIL}; CREATE OPERATOR CLASS public.pages DEFAULT FOR TYPE rule.page USING btree AS FUNCTION 1 public.evil(rule.page, rule.page)",
            "operator class pages for rule.page",
        ),
        (
            "CREATE CONVERSION pg_catalog.more FOR 'UTF8' TO 'LATIN1' FROM utf8_to_iso8859_1",
            "PostgreSQL's conversions",
        ),
        (
            "CREATE OR REPLACE LANGUAGE plpgsql HANDLER plpgsql_call_handler",
            "PostgreSQL's languages",
        ),
        (
            f"{EVIL}; CREATE EVENT TRIGGER evil ON ddl_command_end EXECUTE FUNCTION public.evil()",
            "event trigger evil was not deployed",
        ),
        (
            'ALTER TABLE store.migration ALTER name TYPE text COLLATE "und-x-icu"',
            "table store.migration",
        ),
        (
            "GRANT SET ON PARAMETER log_parameter_max_length TO coffer_api",
            "right to set log_parameter_max_length",
        ),
        (
            "ALTER ROLE coffer_api SET session_preload_libraries = 'evil'",
            "session_preload_libraries of role coffer_api",
        ),
        (
            "ALTER ROLE ALL SET session_preload_libraries = 'evil'",
            "session_preload_libraries of the database",
        ),
        ("GRANT CREATE ON SCHEMA pg_catalog TO coffer_operator", "schema pg_catalog"),
        # Who may be whom, and what is given to those who come.
        ("CREATE ROLE friend; GRANT coffer_exec TO friend", "role coffer_exec"),
        ("CREATE ROLE friend; GRANT coffer_owner TO friend", "role coffer_owner"),
        ("CREATE ROLE friend; GRANT coffer_migrate TO friend", "role coffer_migrate"),
        ("CREATE ROLE friend; GRANT coffer_api TO friend", "role coffer_api"),
        ("CREATE ROLE friend; GRANT pg_write_all_data TO friend", "role pg_write_all_data"),
        (
            "CREATE ROLE friend; GRANT pg_execute_server_program TO friend",
            "role pg_execute_server_program",
        ),
        ("CREATE ROLE friend; GRANT pg_write_server_files TO friend", "role pg_write_server_files"),
        ("CREATE ROLE friend; GRANT friend TO coffer_operator", "role coffer_operator"),
        ("ALTER ROLE coffer_auditor BYPASSRLS", "role coffer_auditor"),
        ("ALTER ROLE coffer_migrate CREATEROLE", "role coffer_migrate"),
        ("GRANT pg_read_all_data TO coffer_api", "role coffer_api"),
        ("ALTER ROLE coffer_exec LOGIN", "role coffer_exec"),
        ("ALTER ROLE coffer_api SUPERUSER", "role coffer_api"),
        (
            "ALTER DEFAULT PRIVILEGES FOR ROLE coffer_exec GRANT EXECUTE ON FUNCTIONS TO PUBLIC",
            "privileges of coffer_exec",
        ),
        (
            "ALTER DEFAULT PRIVILEGES IN SCHEMA audit GRANT SELECT ON TABLES TO coffer_api",
            "default privileges of postgres",
        ),
        (
            "DO $$ BEGIN EXECUTE format('GRANT TEMP ON DATABASE %I TO PUBLIC', current_database()); END $$",
            "database is",
        ),
        (
            "DO $$ BEGIN EXECUTE format('GRANT CREATE ON DATABASE %I TO coffer_api', current_database()); END $$",
            "database is",
        ),
        (
            "CREATE ROLE friend; DO $$ BEGIN EXECUTE format('GRANT CREATE ON DATABASE %I TO friend', current_database()); END $$",
            "database is",
        ),
    ],
    ids=lambda value: (
        value.split("$of$")[1]
        if "$of$" in value
        else value.removeprefix(f"{AFAR}; ").removeprefix(f"{EVIL}; ")
    )[:60],
)
def test_change_is_found(deployed, fit, change, named):
    with deployed.connect() as connection, connection.transaction(force_rollback=True):
        connection.execute(change)
        after = connection.execute(HELLO).fetchone()[0]
    found = [fault for fault in after if fault not in fit]
    assert any(named in fault and "migrations/migrate" in fault for fault in found), found


@pytest.mark.parametrize(
    "made, changed, named",
    [
        (
            "GRANT coffer_migrate TO friends",
            "GRANT friends TO friend",
            "role coffer_migrate",
        ),
        (
            "CREATE EVENT TRIGGER ours ON ddl_command_end EXECUTE FUNCTION public.evil()",
            "CREATE OR REPLACE FUNCTION public.evil() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN RETURN; END $$",
            "called function public.evil()",
        ),
        (
            "CREATE TRIGGER ours BEFORE INSERT ON store.dek FOR EACH ROW EXECUTE FUNCTION public.afar()",
            "ALTER FUNCTION public.afar() SECURITY DEFINER",
            "called function public.afar()",
        ),
    ],
    ids=["member of a member", "event trigger", "trigger"],
)
def test_change_of_what_was_meant_is_found(deployed, made, changed, named):
    """A deploy takes what it finds for meant: not what becomes of that afterwards."""
    with deployed.connect() as connection, connection.transaction(force_rollback=True):
        connection.execute("SET LOCAL search_path = pg_catalog, pg_temp")
        connection.execute(f"{AFAR}; {EVIL}; CREATE ROLE friend; CREATE ROLE friends; {made}")
        connection.execute("DELETE FROM store.manifest")
        connection.execute("INSERT INTO store.manifest SELECT object, sha256 FROM rule.manifest()")
        assert connection.execute("SELECT rule.manifest_faults()").fetchone() == ([],)
        connection.execute(changed)
        [faults] = connection.execute("SELECT rule.manifest_faults()").fetchone()
        assert [named in fault for fault in faults] == [True]


@pytest.mark.parametrize(
    "change",
    [
        "CREATE ROLE friend; GRANT coffer_operator, coffer_auditor TO friend",
        "CREATE ROLE friend; ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO friend",
        "DO $$ BEGIN EXECUTE format('GRANT CONNECT ON DATABASE %I TO PUBLIC', current_database()); END $$",
        "CREATE ROLE friend; DO $$ BEGIN EXECUTE format('ALTER DATABASE %I OWNER TO friend', current_database()); END $$",
        """CREATE FUNCTION crypto.fips_mode() RETURNS text LANGUAGE c AS '$libdir/pgcrypto', 'pg_gen_salt';
           ALTER EXTENSION pgcrypto ADD FUNCTION crypto.fips_mode()""",
        "CREATE EXTENSION citext",
        "CREATE EXTENSION btree_gist",
        "CREATE EXTENSION pg_stat_statements",
        "CREATE ROLE friend SUPERUSER",
        "CREATE ROLE friend; GRANT pg_read_all_data, pg_monitor TO friend",
        "ALTER ROLE coffer_api SET statement_timeout = '9s'",
        "REVOKE EXECUTE ON FUNCTION pg_catalog.pg_sleep(double precision) FROM PUBLIC",
        "REINDEX TABLE store.dek",
        "ALTER TABLE store.dek SET (autovacuum_vacuum_scale_factor = 0.01)",
    ],
)
def test_work_of_an_administrator_is_no_change(deployed, change):
    with deployed.connect() as connection, connection.transaction(force_rollback=True):
        connection.execute(change)
        assert connection.execute("SELECT rule.manifest_faults()").fetchone() == ([],)


def test_reindex_is_no_change(deployed):
    """Even a half of one: what it leaves is an index like that which it was to replace."""
    with deployed.connect() as connection:
        for table in ("store.dek", "audit.event"):
            connection.execute(f"REINDEX TABLE CONCURRENTLY {table}")
            assert connection.execute("SELECT rule.manifest_faults()").fetchone() == ([],)
        with connection.transaction(force_rollback=True):
            connection.execute("CREATE INDEX dek_kek_id_ccnew ON store.dek (kek_id)")
            connection.execute(with_partition("CREATE INDEX ccnew ON PARTITION (api_key_id, at)"))
            assert connection.execute("SELECT rule.manifest_faults()").fetchone() == ([],)


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


@pytest.mark.parametrize(
    "change, fault, mend",
    [
        (
            "ALTER ROLE coffer_api RESET log_parameter_max_length",
            "ALTER ROLE coffer_api SET log_parameter_max_length = 0",
            "ALTER ROLE coffer_api SET log_parameter_max_length = 0",
        ),
        (
            "ALTER ROLE coffer_api RESET session_replication_role",
            "session_replication_role is not set for the role",
            "ALTER ROLE coffer_api SET session_replication_role = origin",
        ),
        (
            "ALTER ROLE coffer_api IN DATABASE {} SET session_replication_role = replica",
            "session_replication_role is replica",
            "ALTER ROLE coffer_api IN DATABASE {} RESET session_replication_role",
        ),
    ],
    ids=["taken back", "not pinned", "no foreign keys"],
)
def test_setting_that_is_changed_stops_the_service(own_cluster, start, change, fault, mend):
    """By a session that began before, nothing would be seen of it."""
    database = own_cluster.database()
    daemon = start(database)
    database.query(change.format(database.name))
    eventually(lambda: fault in daemon.readiness()[1])
    database.query(mend.format(database.name))
    eventually(daemon.ready)


def test_database_of_another_encoding_is_not_served(own_cluster, start):
    """As one was deployed before this was refused."""
    database = own_cluster.database()
    daemon = start(database)
    encode = "UPDATE pg_database SET encoding = pg_char_to_encoding('{}') WHERE datname = current_database()"
    database.query(encode.format("LATIN1"))
    eventually(
        lambda: (
            "the database is encoded in LATIN1, not in UTF8: restore a dump"
            in daemon.readiness()[1]
        )
    )
    database.query(encode.format("UTF8"))
    eventually(daemon.ready)


def test_server_that_becomes_a_replica_leaves_nothing_behind(own_cluster, start, new_tenant):
    """By ALTER SYSTEM and a reload, which sessions of the daemon do not follow: foreign keys go on to cascade."""
    database = own_cluster.database()
    client = new_tenant(start(database)).client()
    secret = client.create_secret(
        name="ephemeral", ephemeral_policy={"expires_once_accessed": True, "action": "delete"}
    )["id"]
    client.create_version(secret, b"value")
    own_cluster.set(session_replication_role="replica")
    assert client.access(secret) == b"value"
    assert client.delete(f"/secrets/{secret}").status == 204
    database.query("UPDATE store.secret SET deletion_requested_at = now() - interval '8 days'")
    database.query(
        "SELECT job.run('secret_purge')", role="coffer_operator"
    )  # unless the daemon's job comes first
    assert database.query(
        "SELECT (SELECT count(*) FROM store.secret), (SELECT count(*) FROM store.version), (SELECT count(*) FROM store.dek)"
    ) == [(0, 0, 0)]
    assert database.query("SELECT * FROM operator.orphans()", role="coffer_operator") == []


SLOW = """
    CREATE FUNCTION public.slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.02); RETURN NEW; END $$;
    CREATE TRIGGER slow BEFORE INSERT ON audit.event FOR EACH ROW EXECUTE FUNCTION public.slow()"""
POISON = """
    CREATE TABLE public.poisoned (pid int PRIMARY KEY);
    CREATE FUNCTION public.poison() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
    BEGIN
        INSERT INTO public.poisoned VALUES (pg_backend_pid()) ON CONFLICT DO NOTHING;
        PERFORM set_config('log_parameter_max_length', '-1', false);
        RETURN NEW;
    END $$;
    CREATE TRIGGER poison BEFORE INSERT ON audit.event FOR EACH ROW EXECUTE FUNCTION public.poison()"""
POISONED = "SELECT count(*) FROM public.poisoned JOIN pg_stat_activity USING (pid)"


def test_session_that_was_changed_serves_no_more(own_cluster, start_daemon, new_tenant):
    """By a trigger that is gone when anybody looks: under load, too, when no session is ever free."""
    database = own_cluster.database()
    daemon = start_daemon(database, check_interval=1, pool_size=2, group_limit=1)
    tenant = new_tenant(daemon)
    client = tenant.client()
    secret_id = client.create_secret(name="secret")["id"]
    client.create_version(secret_id, b"value")
    own_cluster.set(log_statement="all")
    log = Log(own_cluster)

    def written():
        canary = secrets.token_bytes(64)
        client.create_version(secret_id, canary)
        return canary.hex().encode()

    assert written() not in log.text()
    database.deploy(SLOW)
    with Load(
        [tenant.client() for _ in range(8)], lambda client: client.get(f"/secrets/{secret_id}")
    ) as load:
        database.deploy(POISON)  # the look at what was deployed finds nothing
        eventually(lambda: database.query(POISONED)[0][0] == 2)
        database.deploy("DROP TRIGGER poison ON audit.event")
        eventually(lambda: database.query(POISONED) == [(0,)])
    assert load.count(200) > 0
    fault = "log_parameter_max_length is -1: ALTER ROLE coffer_api SET log_parameter_max_length = 0"
    assert fault in [line.get("fault") for line in daemon.log_lines()]
    eventually(daemon.ready)
    assert written() not in log.text()


def test_session_that_cannot_be_looked_at_gets_a_new_handshake(own_cluster, start, new_tenant):
    """As one is when a deploy replaces the function at that moment: it goes on, and no caller notices."""
    database = own_cluster.database()
    client = new_tenant(start(database)).client()
    first = "SELECT pid FROM pg_stat_activity WHERE application_name LIKE 'coffer/%' ORDER BY backend_start LIMIT 2"
    serving = database.query(first)
    log = Log(own_cluster)
    database.deploy("REVOKE EXECUTE ON FUNCTION daemon.session_faults() FROM coffer_api")
    eventually(lambda: log.text().count(b"permission denied for function session_faults") >= 4)
    assert client.get("/secrets").status == 200
    assert database.query(first) == serving


def test_partition_that_has_something_of_its_own_is_dropped(deployed):
    """What a deploy has found of it is not missed when it is gone."""
    with deployed.connect() as connection, connection.transaction(force_rollback=True):
        ((partition,),) = connection.execute(
            "SELECT 'audit.' || rule.audit_partition(current_date)"
        ).fetchall()
        connection.execute(f"CREATE INDEX own ON {partition} (ip)")
        faults = "SELECT array_to_string(rule.manifest_faults(), ';')"
        assert partition in connection.execute(faults).fetchone()[0]
        connection.execute("DELETE FROM store.manifest")
        connection.execute("INSERT INTO store.manifest SELECT object, sha256 FROM rule.manifest()")
        assert connection.execute(faults).fetchone()[0] == ""
        connection.execute(f"DROP TABLE {partition}")
        assert connection.execute(faults).fetchone()[0] == ""


def test_default_privileges_reach_partitions(deployed):
    """They are recorded as such; a partition that is made afterwards is no change."""
    with deployed.connect() as connection, connection.transaction(force_rollback=True):
        connection.execute(
            "ALTER DEFAULT PRIVILEGES FOR ROLE coffer_owner IN SCHEMA audit GRANT SELECT ON TABLES TO pg_monitor"
        )
        connection.execute("DELETE FROM store.manifest")
        connection.execute("INSERT INTO store.manifest SELECT object, sha256 FROM rule.manifest()")
        assert connection.execute("SELECT job.audit_partition_create(20)").fetchone()[0] > 0
        assert connection.execute("SELECT rule.manifest_faults()").fetchone()[0] == []


def test_work_of_a_running_service_is_no_change(database, start, new_tenant):
    daemon = start(database)
    client = new_tenant(daemon).client()
    client.create_version(client.create_secret(name="secret")["id"], b"value")
    assert database.query("SELECT job.audit_partition_create(15)")[0][0] > 0
    assert database.query("SELECT rule.manifest_faults()") == [([],)]
