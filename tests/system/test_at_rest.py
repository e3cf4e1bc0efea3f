"""No plaintext at rest: PostgreSQL tells all it can, and no file of it holds what it must not.

A cluster of its own logs at the highest verbosity there is, with every module that prints plans or
parameters. Payloads with a marker in them, and the keys around them, go through all calls that touch
them, good and bad. Then every file of the data directory and every log is searched for them, as bytes,
hexadecimal, base64 and decimal.
"""

import base64
import json
import secrets
import uuid
import zlib
from pathlib import Path

import pytest

from support import eventually, keys
from support.cluster import Cluster
from support.daemon import Daemon
from support.tenant import Tenant

VERBOSE = """
    log_statement = 'all'
    log_duration = on
    log_min_duration_statement = 0
    log_min_duration_sample = 0
    log_statement_sample_rate = 1
    log_transaction_sample_rate = 1
    log_parameter_max_length = -1
    log_parameter_max_length_on_error = -1
    log_min_messages = debug5
    log_min_error_statement = debug5
    log_error_verbosity = verbose
    log_lock_waits = on
    log_connections = on
    log_disconnections = on
    log_temp_files = 0
    debug_print_parse = on
    debug_print_rewritten = on
    debug_print_plan = on
    debug_pretty_print = off
    track_functions = all
    track_activity_query_size = 1MB
    full_page_writes = on
    wal_level = logical
"""
VERBOSE_MODULES = {
    "auto_explain": """
        auto_explain.log_min_duration = 0
        auto_explain.log_level = log
        auto_explain.log_nested_statements = on
        auto_explain.log_analyze = on
        auto_explain.log_verbose = on
        auto_explain.log_triggers = on
        auto_explain.log_settings = on
    """,
    "pg_stat_statements": """
        pg_stat_statements.track = all
        pg_stat_statements.track_utility = on
        pg_stat_statements.save = on
    """,
    "pgaudit": """
        pgaudit.log = 'all'
        pgaudit.log_parameter = on
        pgaudit.log_relation = on
        pgaudit.log_rows = on
        pgaudit.log_level = log
    """,
}
# The role of the daemon turns more off than it must: here it has only what the daemon insists on.
BELT_AND_BRACES = {
    "debug_print_parse": "on",
    "debug_print_rewritten": "on",
    "debug_print_plan": "on",
    "log_min_duration_sample": "0",
    "log_transaction_sample_rate": "1",
    "auto_explain.log_min_duration": "0",
    "pgaudit.log": "all",
}


# What is looked for -------------------------------------------------------------------------------


def in_base64(secret, offset):
    """The part of its base64 that depends on nothing else, behind so many bytes in a group of three."""
    encoded = base64.b64encode(bytes(offset) + secret)
    first = -(-offset * 8 // 6)
    last = (offset + len(secret)) * 8 // 6
    return encoded[first:last]


def in_decimal(secret):
    """As debug_print_* shows a constant: signed numbers."""
    return " ".join(str(byte - 256 if byte > 127 else byte) for byte in secret).encode()


FORMS = {
    "bytes": bytes,
    "hex": lambda secret: secret.hex().encode(),
    "HEX": lambda secret: secret.hex().upper().encode(),
    "base64": lambda secret: in_base64(secret, 0),
    "base64+1": lambda secret: in_base64(secret, 1),
    "base64+2": lambda secret: in_base64(secret, 2),
    "decimal": in_decimal,
}


class Search:
    """Looks into every file of the data directory and the logs, as they are at this moment."""

    def __init__(self, cluster, daemon):
        self._directories = [cluster.data, cluster.logs, daemon.directory]

    def find(self, looked_for):
        """Of the secrets {name: bytes}, where each was found: {(name, form): {file}}."""
        found = {}
        for file, forms, content in self._contents():
            for form in forms:
                for name, secret in looked_for.items():
                    if FORMS[form](secret) in content:
                        found.setdefault((name, form), set()).add(file)
        return found

    def _contents(self):
        """Each file with the forms to look for. A log breaks base64 anywhere, decimals at blanks."""
        data, *logs = self._directories
        for directory in self._directories:
            for file in sorted(path for path in directory.rglob("*") if path.is_file()):
                try:
                    content = file.read_bytes()
                except FileNotFoundError:
                    continue  # PostgreSQL has just removed it
                yield file, FORMS, content
                if directory in logs:
                    yield file, ["base64", "base64+1", "base64+2"], content.replace(b"\n\t", b"")
                    yield file, ["decimal"], content.replace(b"\n\t", b" ")


# The stage ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def cluster(numbered):
    cluster = Cluster(numbered("cluster"))
    with cluster.connect() as connection:
        ((libraries,),) = connection.execute(
            "SELECT setting FROM pg_config WHERE name = 'PKGLIBDIR'"
        ).fetchall()
    modules = [module for module in VERBOSE_MODULES if Path(libraries, f"{module}.so").exists()]
    assert "auto_explain" in modules
    with cluster.data.joinpath("postgresql.conf").open("a") as file:
        file.write(f"shared_preload_libraries = '{','.join(modules)}'\n{VERBOSE}")
        file.write("".join(VERBOSE_MODULES[module] for module in modules))
    cluster.restart()
    cluster.modules = modules
    yield cluster
    cluster.discard()


@pytest.fixture(scope="module")
def database(cluster):
    database = cluster.database()
    for name, value in BELT_AND_BRACES.items():
        database.query(f"ALTER ROLE coffer_api IN DATABASE {database.name} SET {name} = '{value}'")
    if "pg_stat_statements" in cluster.modules:
        database.query("CREATE EXTENSION pg_stat_statements")
    return database


@pytest.fixture(scope="module")
def daemon(numbered, database, root_key_file):
    daemon = Daemon(
        numbered("daemon"), database, root_key_file, log_level="debug", request_deadline=30000, job_interval=1
    )
    yield daemon
    daemon.stop()


@pytest.fixture(scope="module")
def tenant(daemon):
    return Tenant(daemon)


@pytest.fixture(scope="module")
def marker():
    """What every payload holds, and nothing else."""
    return secrets.token_hex(16)


def typed_payloads(marker):
    """For each type payloads that it takes, and payloads that it refuses, each in another way."""
    database = {
        "engine": "postgres",
        "username": "u",
        "password": marker,
        "host": "h",
        "dbname": "d",
        "port": "5432",
    }
    pem = "-----BEGIN CERTIFICATE-----\n%s\n-----END CERTIFICATE-----\n"
    good = {
        "opaque": [marker.encode(), bytes(range(256)) + marker.encode(), marker.encode() * 2048],
        "certificate": [(pem % base64.b64encode(marker.encode() * 3).decode()).encode()],
        "key_value": [
            json.dumps({"key": marker, marker: 1}).encode(),
            json.dumps({marker: True}).encode(),
        ],
        "basic_credentials": [json.dumps({"username": marker, "password": marker}).encode()],
        "database_credentials": [json.dumps(database).encode()],
        "ssh_key": [json.dumps({"ssh_private_key": f"-----BEGIN\n{marker}\n"}).encode()],
    }
    no_json = [
        marker,
        f'"{marker}',
        f'{{"{marker}',
        f'{{"password":"{marker}"',
        f'{{"password":"{marker}",}}',
        f'{{"password":{marker}}}',
        f'{{"password":"{marker}\\x"}}',
        f'{{"password":"{marker}\\u12"}}',
        f'{{"password":"{marker}\\u0000"}}',
        f'{{"password":"{marker}\\ud800"}}',
        f'{{"password":"{marker}\x01"}}',
        f'{{"password":"{marker}"}} {marker}',
        f'{{"{marker}":1e{"9" * 20}}}',
        f'{{"{marker}":1e200000}}',
        f'{{"{marker}":{"[" * 20000}',
        f'["{marker}"]',
        f'"{marker}"',
        f"{{{marker}:1}}",
        f'{{"username":["{marker}"],"password":{{"{marker}":"{marker}"}}}}',
        f'{{"{marker}":null,"password":null}}',
        "9" * 100 + marker,
    ]
    no_text = [
        marker.encode() + b"\xff",
        b'{"password":"%s\xc0\x80"}' % marker.encode(),
        marker.encode() + b"\0",
    ]
    bad = {
        "certificate": [
            marker.encode(),
            (pem % f"{marker}!").encode(),
            (pem % marker)[:-10].encode(),
            *no_text,
        ],
        **{
            secret_type: [text.encode() for text in no_json] + no_text
            for secret_type in ("key_value", "basic_credentials", "database_credentials", "ssh_key")
        },
    }
    bad["database_credentials"] += [
        json.dumps({**database, **change}).encode()
        for change in (
            {"engine": marker},
            {"port": marker},
            {"port": 5432},
            {"more": marker},
            {"host": [marker]},
        )
    ]
    return good, bad


def data(payload):
    return base64.b64encode(payload).decode()


@pytest.fixture(scope="module")
def known(cluster, database, daemon, tenant, marker, root_key_file):
    """Make all the calls; then, of everything that must not be found, {name: bytes}."""
    client = tenant.client()
    binary = secrets.token_bytes(32)
    opaque = exercise_types(client, marker)
    revision = client.create_version(opaque, binary)["revision"]
    assert client.access(opaque) == binary
    exercise_reads(client, tenant, opaque, marker)
    exercise_arguments(client, opaque, marker)
    exercise_ephemeral(client, marker)
    data_key, managed = exercise_managed_key(client, tenant, database, root_key_file, marker)
    exercise_faults(client, database, opaque, marker)
    old = keys_of(database, tenant, root_key_file, opaque, revision, binary)
    exercise_rotation(database, tenant)
    new = keys_of(database, tenant, root_key_file, opaque, revision, binary)
    assert new["project key"] != old["project key"] and new["version key"] == old["version key"]
    return {
        "marker": marker.encode(),
        "binary payload": binary,
        "data key": data_key,
        **managed,
        **{f"old {name}": key for name, key in old.items() if new[name] != key},
        **new,
    }


def exercise_types(client, marker):
    """Every type, with all its payloads; return the id of the opaque secret."""
    good, bad = typed_payloads(marker)
    ids = {
        secret_type: client.create_secret(name=secret_type, type=secret_type)["id"]
        for secret_type in good
    }
    for secret_type, payloads in good.items():
        for payload in payloads:
            client.create_version(
                ids[secret_type], payload, data_crc32=zlib.crc32(payload), disable_previous=True
            )
            assert client.access(ids[secret_type]) == payload
    for secret_type, payloads in bad.items():
        for payload in payloads:
            answer = client.post(f"/secrets/{ids[secret_type]}/versions", {"data": data(payload)})
            # key_value takes some of what the others refuse.
            assert answer.status == 400 or (
                secret_type == "key_value" and answer.status == 200
            ), answer.status
    return ids["opaque"]


def exercise_reads(client, tenant, secret_id, marker):
    """Reads by every name, and refused ones."""
    by_path = {"project_id": tenant.project_id, "secret_name": "opaque"}
    for revision in ("3", "latest", "latest_enabled"):
        assert (
            client.get(f"/secrets/{secret_id}/versions/{revision}/access").status == 200
            or revision == "3"
        )
        client.get(f"/secrets-by-path/versions/{revision}/access", query=by_path)
    assert client.get(f"/secrets/{secret_id}/versions/1/access").status == 412
    reader = tenant.client(key=tenant.key("SecretManagerReadOnly"))
    assert reader.get(f"/secrets/{secret_id}/versions/latest/access").status == 403
    assert (
        reader.post(f"/secrets/{secret_id}/versions", {"data": data(marker.encode())}).status == 403
    )
    stranger = client.as_key(str(uuid.uuid4()))
    assert (
        stranger.post(f"/secrets/{secret_id}/versions", {"data": data(marker.encode())}).status
        == 401
    )
    assert client.get("/secrets").status == 200


def exercise_arguments(client, secret_id, marker):
    """Payloads where none belongs, or in a form that is none."""
    payload = marker.encode()
    versions = f"/secrets/{secret_id}/versions"
    for path, body in [
        (versions, {"data": data(payload), "data_crc32": 1}),
        (versions, {"data": data(payload), "data_crc32": "x"}),
        (versions, {"data": data(payload), "description": 1}),
        (versions, {"data": data(payload * 2049)}),
        (versions, {"data": data(payload) + "!"}),
        (versions, {"data": data(payload)[:-1]}),
        (versions, {"data": marker + "\u00e9"}),
        (versions, {"data": [data(payload)]}),
        (versions, {"data": {"value": data(payload)}}),
        (versions, {"payload": data(payload), "value": marker}),
        (f"/secrets/{uuid.uuid4()}/versions", {"data": data(payload)}),
        ("/secrets/x/versions", {"data": data(payload)}),
        (f"{versions}/latest/enable", {"data": data(payload)}),
        ("/secrets", {"name": "a b", "data": data(payload)}),
        (f"/secrets/{secret_id}/protect", {"data": data(payload), "secret": marker}),
        (f"/secrets/{secret_id}/unprotect", {"data": marker}),
    ]:
        answer = client.post(path, body)
        assert answer.status in (200, 400, 404), (path, answer.status)
    for body in (
        b'{"data":"%s"' % data(payload).encode(),
        b'{"data":"%s\xff"}' % payload,
        b'{"data":"%s\\u0000"}' % payload,
        b'{"data":%s}' % payload,
        b'{"x":1.,"data":"%s"}' % payload,
        b'["%s"]' % payload,
        b'{"data":"%s"}' % (payload * 5000),
        b'{"data":"%s","data":"AA=="}' % data(payload).encode(),
    ):
        assert client.post(versions, body).status in (200, 400, 413)
    assert (
        client.patch(f"/secrets/{secret_id}", {"data": data(payload), "value": marker}).status
        == 200
    )
    assert (
        client.patch(f"{versions}/latest", {"data": data(payload), "value": marker}).status == 200
    )
    for query in ({"unknown": marker}, {"token": client.secret_key}, {marker: marker}):
        assert client.get("/secrets", query=query).status == 200
    assert (
        client.get("/secrets", headers={"Authorization": f"Bearer {client.secret_key}"}).status
        == 200
    )


def exercise_ephemeral(client, marker):
    """Versions that are used up, and secrets that go at once."""
    for action in ("disable", "delete"):
        policy = {"expires_once_accessed": True, "action": action}
        secret_id = client.create_secret(name=f"once-{action}", ephemeral_policy=policy)["id"]
        client.create_version(secret_id, marker.encode())
        assert client.access(secret_id) == marker.encode()
        assert client.get(f"/secrets/{secret_id}/versions/1/access").status in (404, 412)
        assert client.delete(f"/secrets/{secret_id}").status == 204


def exercise_managed_key(client, tenant, database, root_key_file, marker):
    """Plaintext, data keys and associated data, which stay in the daemon; return a data key, and the keys above it."""
    manager = client.key_manager()
    key_id = manager.create_key()["id"]
    payload = marker.encode()
    ciphertext = manager.encrypt(key_id, payload, payload)
    assert manager.decrypt(key_id, ciphertext, payload) == payload
    for verb, body in [
        ("encrypt", {"plaintext": data(payload * 2048)}),
        ("encrypt", {"plaintext": data(payload)[:-1]}),
        ("encrypt", {"plaintext": {"value": data(payload)}, "associated_data": data(payload)}),
        ("decrypt", {"ciphertext": data(payload), "associated_data": [data(payload)]}),
        ("decrypt", {"ciphertext": data(ciphertext), "plaintext": data(payload)}),
        ("generate-data-key", {"plaintext": data(payload), "associated_data": data(payload)}),
    ]:
        assert manager.post(f"/keys/{key_id}/{verb}", body).status in (200, 400)
    stranger = tenant.client(key=tenant.key()).key_manager()
    body = {"plaintext": data(payload), "associated_data": data(payload)}
    assert stranger.post(f"/keys/{key_id}/encrypt", body).status == 403
    made = manager.post(f"/keys/{key_id}/generate-data-key", {}).body
    assert manager.post(f"/keys/{key_id}/rotate", {}).status == 200
    data_key = manager.decrypt(key_id, base64.b64decode(made["ciphertext"]))
    assert data_key == base64.b64decode(made["plaintext"])
    ((wrapped,),) = database.query(
        "SELECT wrapped FROM store.kek WHERE key_id = %s AND rotation = 1", key_id
    )
    material = keys.unwrap(keys.root_key(root_key_file), b"coffer/kek", wrapped)
    return data_key, {
        "managed key": material,
        "key of ciphertexts": keys.hkdf(material, b"coffer/cipher"),
    }


def exercise_faults(client, database, secret_id, marker):
    """Errors while PostgreSQL has payload and key in hand: it writes all it knows into its log."""
    versions = f"/secrets/{secret_id}/versions"

    def both(status):
        assert client.post(versions, {"data": data(marker.encode())}).status == status
        assert client.get(f"{versions}/latest/access").status == status

    broken_and_mended = [  # and how the calls are answered meanwhile
        # permission denied, in the middle of the function
        (
            503,
            "REVOKE INSERT ON audit.event FROM coffer_exec",
            "GRANT INSERT ON audit.event TO coffer_exec",
        ),
        # a constraint, whose error quotes the row
        (
            503,
            "ALTER TABLE audit.event ADD CONSTRAINT never CHECK (id < 0) NOT VALID",
            "ALTER TABLE audit.event DROP CONSTRAINT never",
        ),
        # errors in expressions that have the plaintext in hand
        (
            500,
            """ALTER FUNCTION rule.payload_frame(bytea, bigint) RENAME TO payload_frame_away;
               ALTER FUNCTION rule.payload_data(bytea) RENAME TO payload_data_away;
               CREATE FUNCTION rule.payload_frame(data bytea, crc32 bigint) RETURNS bytea
                   LANGUAGE plpgsql AS $$ BEGIN RETURN set_byte(data, 0, 1 / (octet_length(data) * 0)); END $$;
               CREATE FUNCTION rule.payload_data(frame bytea) RETURNS bytea
                   LANGUAGE sql AS $$ SELECT set_byte(frame, octet_length(frame), 0) $$""",
            """DROP FUNCTION rule.payload_frame(bytea, bigint), rule.payload_data(bytea);
               ALTER FUNCTION rule.payload_frame_away(bytea, bigint) RENAME TO payload_frame;
               ALTER FUNCTION rule.payload_data_away(bytea) RENAME TO payload_data""",
        ),
    ]
    for status, broken, mended in broken_and_mended:
        database.deploy(broken)
        both(status)
        database.deploy(mended)
        eventually(lambda: client.get(f"{versions}/latest/access").status == 200)
    with database.connect() as blocker:
        blocker.execute("BEGIN")
        blocker.execute("LOCK TABLE audit.event IN ACCESS EXCLUSIVE MODE")
        both(503)  # lock_timeout, and statement_timeout if that is nearer
        blocker.execute("ROLLBACK")
    with database.connect() as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'coffer_api'"
        )
    eventually(lambda: client.get(f"{versions}/latest/access").status == 200)


def exercise_rotation(database, tenant):
    """A new key for the project; access keys, the old ones and the new ones, go to the database in arrays."""
    database.query("SELECT operator.kek_rotate(%s)", tenant.project_id, role="coffer_operator")
    eventually(lambda: not database.query("SELECT kek_id FROM operator.key_rotation"))


def keys_of(database, tenant, root_key_file, secret_id, revision, payload):
    """The API key, and all keys from the root down to the payload, which proves them right."""
    root = keys.root_key(root_key_file)
    ((wrapped_pepper,),) = database.query("SELECT wrapped FROM store.pepper")
    pepper = keys.unwrap(root, b"coffer/pepper", wrapped_pepper)
    secret_key = tenant.full_access.secret_key
    digest = keys.digest(pepper, secret_key)
    assert database.query("SELECT count(*) FROM store.api_key WHERE digest = %s", digest) == [(1,)]

    ((wrapped_kek, wrapped_dek, sealed),) = database.query(
        "SELECT k.wrapped, d.wrapped, v.sealed"
        "  FROM store.version v JOIN store.dek d USING (secret_id, revision)"
        "  JOIN store.kek k ON k.id = d.kek_id"
        " WHERE v.secret_id = %s AND v.revision = %s",
        secret_id,
        revision,
    )
    kek = keys.unwrap(root, b"coffer/kek", wrapped_kek)
    access_key = keys.access_key(kek, tenant.project_id, secret_id)
    dek = keys.open_sealed(access_key, wrapped_dek)
    proved = keys.open_sealed(dek, sealed) == b"\0" + payload
    assert proved
    return {
        "secret key": secret_key.encode(),
        "secret key, capitals": secret_key.upper().encode(),
        "secret key, as bytes": uuid.UUID(secret_key).bytes,
        "root key": root,
        "key under the root key": keys.hkdf(root, b"coffer/kek"),
        "pepper": pepper,
        "project key": kek,
        "access key": access_key,
        "access key, half": access_key[32:],
        "version key": dek,
        "version key, half": dek[32:],
    }


# The tests ----------------------------------------------------------------------------------------


def test_search_finds(cluster, database, daemon):
    """What a role without Coffer's settings says is found, in each form: the search can find."""
    control = secrets.token_bytes(33)
    text = control.hex()
    with database.connect() as connection:
        connection.execute("CREATE TABLE public.control (bytes bytea, text text)")
        connection.execute(
            "INSERT INTO public.control VALUES (%s, %s)", [control, "in the table " + text]
        )
        for before in (b"", b"x", b"xx"):
            connection.execute(
                "SELECT %s::text", ["=" + base64.b64encode(before + control).decode()]
            )
            connection.execute("SELECT pg_catalog.encode(%s::bytea, 'base64')", [before + control])
        connection.execute("SELECT %s::text", [control.hex().upper()])
        connection.execute("SELECT pg_catalog.length(%s::bytea)", [control], binary=True)
        connection.execute("SELECT pg_catalog.octet_length('\\x" + text + "'::bytea) + random()")
        connection.execute("CHECKPOINT")
    found = Search(cluster, daemon).find({"control": control, "text": text.encode()})
    in_data = {
        form for form, files in found.items() if any(cluster.data in file.parents for file in files)
    }
    in_logs = {
        form for form, files in found.items() if any(cluster.logs in file.parents for file in files)
    }
    assert {("control", "bytes"), ("text", "bytes"), ("control", "hex")} <= in_data
    assert {
        ("control", "hex"),
        ("control", "HEX"),
        ("control", "base64"),
        ("control", "base64+1"),
        ("control", "base64+2"),
        ("control", "decimal"),
        ("text", "bytes"),
    } <= in_logs


def test_search_finds_what_the_service_stores(cluster, database, daemon, known, tenant):
    """What is no secret is where it should be, in the data and in the log of the daemon."""
    description = secrets.token_hex(16)
    answer = tenant.client().post("/secrets", {"name": "described", "description": description})
    assert answer.status == 200
    database.query("CHECKPOINT")
    request_id = answer.headers["X-Request-Id"]
    found = Search(cluster, daemon).find(
        {"description": description.encode(), "request": request_id.encode()}
    )
    assert any(cluster.data in file.parents for file in found["description", "bytes"])
    assert daemon.log_file in found["request", "bytes"]


def test_log_is_as_verbose_as_can_be(cluster, known):
    """The calls are in the log with their statements and their plans."""
    log = b"".join(file.read_bytes() for file in cluster.logs.iterdir())
    assert b"api.secret_version_create" in log
    assert b"Query Text: " in log
    assert b"rewritten parse tree:" in log and b"plan:" in log
    assert b"division by zero" in log and b"out of valid range" in log
    assert b"canceling statement due to" in log
    if "pgaudit" in cluster.modules:
        assert b"AUDIT: SESSION" in log


def test_nothing_secret_is_found(cluster, database, daemon, known):
    database.query("CHECKPOINT")
    found = Search(cluster, daemon).find(known)
    assert found == {}


def test_nothing_secret_is_found_after_a_shutdown(cluster, daemon, known):
    """Statistics and the last of the log are written at the end."""
    cluster.stop()
    found = Search(cluster, daemon).find(known)
    cluster.start()
    assert found == {}
