"""Who has the database, and no root key, reads no secret: as each role, on the live database and on copies of it.

Where an attempt can be made with the right key, it is: it would have found what it looks for.
"""

import base64
import hashlib
import json
import os
import secrets
import subprocess
import uuid

import psycopg
import pytest

from support import eventually, keys, outside
from support.cluster import Cluster
from support.daemon import BINARY, Daemon, coffer, environment
from support.tenant import Tenant

MARKER = secrets.token_hex(16).encode()
INTEGRITY = {"message": "internal error", "type": "internal"}


# What there is to steal ---------------------------------------------------------------------------


class Stage:
    """A service whose database is stolen: with values of a secret, of one under a managed key, and a ciphertext."""

    def __init__(self, cluster, daemon, root_key_file):
        self.cluster, self.daemon = cluster, daemon
        self.database = daemon.database
        self.root = keys.root_key(root_key_file)
        self.root_id = keys.root_key_id(root_key_file)
        self.tenant = Tenant(daemon)
        self.client = self.tenant.client()
        manager = self.client.key_manager()
        self.key_id = manager.create_key()["id"]
        self.secret_id = self._secret("plain")
        self.keyed_id = self._secret("keyed", key_id=self.key_id)
        self.ciphertext = manager.encrypt(self.key_id, MARKER)
        # As if somebody had just used all of it.
        assert self.client.access(self.secret_id) == self.client.access(self.keyed_id) == MARKER
        assert manager.decrypt(self.key_id, self.ciphertext) == MARKER

    def _secret(self, name, **members):
        secret_id = self.client.create_secret(name=name, **members)["id"]
        self.client.create_version(secret_id, MARKER)
        return secret_id

    def right_keys(self):
        """Those that open the values and the ciphertext: by the formulas, with the root key."""
        found = []
        for secret_id in (self.secret_id, self.keyed_id):
            ((kek_id, wrapped_kek, wrapped_dek, *rotation),) = self.database.query(
                "SELECT k.id, k.wrapped, d.wrapped, k.key_id, k.rotation FROM store.dek d JOIN store.kek k ON k.id = d.kek_id"
                " WHERE d.secret_id = %s",
                secret_id,
            )
            aad = outside.kek_aad(kek_id, self.tenant.project_id, self.root_id, *rotation)
            kek = outside.unwrap(self.root, b"coffer/kek", aad, wrapped_kek)
            place = outside.place(b"dek", self.tenant.project_id, secret_id, 1, kek_id)
            dek = outside.open_sealed(
                keys.access_key(kek, self.tenant.project_id, secret_id), place, wrapped_dek
            )
            found.append(dek[32:])
        return [*found, keys.hkdf(kek, b"coffer/cipher")]


@pytest.fixture(scope="module")
def stage(numbered, root_key_file):
    cluster = Cluster(numbered("cluster"))
    daemon = Daemon(numbered("daemon"), cluster.database(), root_key_file, check_interval=1)
    yield Stage(cluster, daemon, root_key_file)
    daemon.stop()
    cluster.discard()


def restored_dump(stage, numbered, new_database):
    dump, restored = numbered("dump"), new_database(migrated=False)
    source = stage.database.environment()
    subprocess.run(["pg_dump", "--format=custom", f"--file={dump}"], env=source, check=True)
    restored.install()
    subprocess.run(
        [
            "pg_restore",
            "--clean",
            "--if-exists",
            "--single-transaction",
            f"--dbname={restored.name}",
            dump,
        ],
        env=restored.environment(),
        check=True,
    )
    restored.query("SELECT operator.audit_epoch_begin('stolen')", role="coffer_operator")
    return restored


def copied_data(stage, numbered):
    """With all of its WAL; a replica until it was promoted."""
    copy = stage.cluster.standby(numbered("cluster"), "thief")
    database = type(stage.database)(copy, stage.database.name)
    database.query("SELECT pg_promote()")
    return database


@pytest.fixture(scope="module", params=["live", "dump", "data directory"])
def stolen(request, stage, numbered, new_database):
    """The database, as a superuser of it has it."""
    if request.param == "live":
        yield stage.database
    elif request.param == "dump":
        yield restored_dump(stage, numbered, new_database)
    else:
        database = copied_data(stage, numbered)
        yield database
        database.cluster.discard()


# Reading ------------------------------------------------------------------------------------------

RELATIONS = """
    SELECT format('SELECT r::text FROM %s AS r LIMIT 10000', c.oid::regclass) FROM pg_class c
     WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND has_table_privilege(c.oid, 'SELECT')
       AND (c.relkind <> 'S' OR has_sequence_privilege(c.oid, 'SELECT'))
     ORDER BY c.oid
"""


def all_that_is_read(connection):
    """All rows of all relations that may be read, in the catalogue and in statistics too."""
    read = []
    for (statement,) in connection.execute(RELATIONS).fetchall():
        try:
            read += [row or "" for (row,) in connection.execute(statement).fetchall()]
        except psycopg.Error:  # such as a function of a view that may not be called
            continue
    return "\n".join(read)


def forms(secret):
    return [secret.decode("latin-1"), secret.hex(), base64.b64encode(secret).decode().rstrip("=")]


def test_superuser_reads_everything(stage, stolen):
    with stolen.connect() as connection:
        read = all_that_is_read(connection)
    assert stage.secret_id in read and "keyed" in read and stage.root_id in read
    secret_key = stage.tenant.full_access.secret_key.encode()
    for secret in (MARKER, secret_key, stage.root, *stage.right_keys()):
        assert not any(form in read for form in forms(secret))


READER = "CREATE ROLE thief_reader LOGIN IN ROLE pg_read_all_data, pg_monitor"


@pytest.fixture(scope="module")
def connect_as(stage):
    """A connection as one of the roles that may log in."""
    stage.database.query(READER)

    def connect(role):
        connection = stage.database.connect(
            role if role in stage.cluster._passwords else "postgres"
        )
        connection.execute(f"SET SESSION AUTHORIZATION {role}")
        return connection

    yield connect
    stage.database.query("DROP ROLE thief_reader")


ROLES = ["coffer_api", "coffer_operator", "coffer_auditor", "coffer_migrate", "thief_reader"]


@pytest.mark.parametrize("role", ROLES)
def test_role_reads_all_that_it_may(stage, connect_as, role):
    with connect_as(role) as connection:
        read = all_that_is_read(connection)
        assert role in read  # in pg_roles
        # Who may see values sees them sealed.
        assert (stage.secret_id in read) == (
            role in ("coffer_auditor", "coffer_migrate", "thief_reader")
        )
        assert not any(form in read for form in forms(MARKER))
        for key in stage.right_keys():
            assert key.hex() not in read


@pytest.mark.parametrize("role", ROLES)
def test_role_becomes_no_other(connect_as, role):
    """But who deploys, whom the next test is about."""
    owners = {"coffer_exec", "coffer_owner"} if role == "coffer_migrate" else set()
    with connect_as(role) as connection:
        for other in {"postgres", "coffer_exec", "coffer_owner", *ROLES} - {role} - owners:
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(f"SET ROLE {other}")
        if role not in ("coffer_api", "coffer_migrate"):  # nor calls in the place of the daemon
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute("SELECT api.secret_version_access('{}', NULL, NULL, NULL)")
        if role != "coffer_migrate":
            for statement in (
                "SELECT rule.crypto_decrypt('', '', '')",
                "SELECT rule.access(s, '1', '{}', NULL) FROM store.secret s",
                "SELECT crypto.decrypt_iv('', '', '', 'aes')",
                "SELECT endpoint.secret_version_access(NULL, NULL, NULL)",
                "UPDATE store.kek SET root_id = root_id",
                "CREATE OR REPLACE FUNCTION rule.crypto_decrypt(key bytea, aad bytea, encrypted bytea) RETURNS bytea"
                " LANGUAGE sql AS 'SELECT key'",
                "COPY (SELECT 1) TO PROGRAM 'true'",
                "SELECT pg_read_file('postgresql.conf')",
            ):
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    connection.execute(statement)


# Deciphering --------------------------------------------------------------------------------------

VALUES = """
    SELECT format('SELECT DISTINCT %s FROM %s WHERE octet_length(%1$s) <= 4096',
                  CASE a.atttypid WHEN 'bytea'::regtype THEN quote_ident(a.attname)
                                  ELSE format('convert_to(%I::text, ''UTF8'')', a.attname) END, c.oid::regclass)
      FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
     WHERE c.relnamespace IN ('store'::regnamespace, 'audit'::regnamespace) AND c.relkind IN ('r', 'p') AND NOT c.relispartition
       AND a.atttypid IN ('bytea'::regtype, 'text'::regtype, 'uuid'::regtype)
"""
# Blocks of CBC as pgcrypto deciphers them, and the first of the key stream of GCM.
DECIPHERED = """
    SELECT count(*) FROM unnest(%(keys)s::bytea[]) AS k(key), store.version v
     WHERE position(%(marker)s IN crypto.decrypt_iv(substr(v.sealed, 18, octet_length(v.sealed) - 49), k.key,
                                                    substr(v.sealed, 2, 16), 'aes-cbc/pad:none')) > 0
"""
KEY_STREAM = "SELECT crypto.encrypt(%(block)s, k.key, 'aes-ecb/pad:none') FROM unnest(%(keys)s::bytea[]) AS k(key)"


def deciphered(connection, ciphertext, keys_tried):
    """How many of the values, and of the ciphertext, these keys of 32 bytes decipher with pgcrypto."""
    ((found,),) = connection.execute(DECIPHERED, {"keys": keys_tried, "marker": MARKER}).fetchall()
    block = {"keys": keys_tried, "block": ciphertext[5:17] + bytes([0, 0, 0, 2])}
    streams = [stream for (stream,) in connection.execute(KEY_STREAM, block).fetchall()]
    first = ciphertext[17:33]
    return found + sum(
        bytes(a ^ b for a, b in zip(stream, first)) == MARKER[:16] for stream in streams
    )


def test_nothing_there_is_a_key(stage, stolen):
    """Each 32 bytes of what is stored, hashed and as they are."""
    with stolen.connect() as connection:
        stored = {
            bytes(value)
            for (statement,) in connection.execute(VALUES).fetchall()
            for (value,) in connection.execute(statement).fetchall()
            if value
        }
        tried = {
            hash(value).digest()[:32]
            for value in stored
            for hash in (hashlib.sha256, hashlib.sha512)
        }
        tried |= {value[at : at + 32] for value in stored for at in range(len(value) - 31)}
        tried |= {value.ljust(32, b"\0") for value in stored if len(value) < 32}
        assert len(tried) > 1000
        assert deciphered(connection, stage.ciphertext, list(tried)) == 0
        assert deciphered(connection, stage.ciphertext, [*tried, *stage.right_keys()]) == 3


# Calling ------------------------------------------------------------------------------------------


class Thief:
    """Calls the API functions himself, with the digest of the API key of somebody who may do everything."""

    def __init__(self, stage, database, role):
        self.stage, self.database, self.role = stage, database, role
        ((wrapped,),) = stage.database.query("SELECT wrapped FROM store.pepper")
        pepper = outside.unwrap(
            stage.root, b"coffer/pepper", outside.pepper_aad(stage.root_id), wrapped
        )
        self.token = keys.digest(pepper, stage.tenant.full_access.secret_key)
        assert database.query("SELECT 1 FROM store.api_key WHERE digest = %s", self.token) == [(1,)]

    def call_api(self, function, path, access_key=None, data=None, token=None, **members):
        """Call an API function; members are of the document, such as what is said of the wrap key."""
        document = {
            "id": str(uuid.uuid4()),
            "instance": str(uuid.uuid4()),
            "region": "fr-par",
            "path": path,
            "query": {},
            "body": {},
            "data": "absent" if data is None else "given",
            "ip": "127.0.0.1",
            "user_agent": "thief",
            **members,
        }
        ((status, body, receipt),) = self.database.query(
            f"SELECT status, body, receipt FROM api.{function}(%s::jsonb, %s, %s, %s)",
            json.dumps(document),
            token or self.token,
            access_key,
            data,
            role=self.role,
        )
        assert MARKER.decode() not in body and base64.b64encode(MARKER).decode() not in body
        if status != 0:
            audited = self.database.query(
                "SELECT status, user_agent FROM audit.event WHERE id = %s", receipt
            )
            assert audited == [(status, "thief")]
        return status, json.loads(body) if body else None


@pytest.fixture(params=["coffer_api", "postgres"])
def thief(request, stage, stolen):
    return Thief(stage, stolen, request.param)


def kek_of(stage, secret_id):
    ((kek_id,),) = stage.database.query(
        "SELECT kek_id::text FROM store.dek WHERE secret_id = %s", secret_id
    )
    return kek_id


def test_api_functions_without_a_credential(thief, stage):
    path = {"secret_id": stage.secret_id, "revision": "1"}
    status, _ = thief.call_api("secret_version_access", path, token=os.urandom(32))
    assert status == 401


@pytest.mark.parametrize("name", ["secret_id", "keyed_id"])
def test_api_functions_give_no_value_without_a_key(thief, stage, name):
    secret_id = getattr(stage, name)
    path = {"secret_id": secret_id, "revision": "1"}
    status, need = thief.call_api("secret_version_access", path)
    assert (status, need["need"], set(need)) == (
        0,
        "key",
        {"need", "secret_id", "project_id", "kek_id", "root_id", "key_id", "rotation", "wrapped"},
    )
    wrapped = base64.b64decode(need["wrapped"])
    ours = {"secret_id": secret_id, "kek_id": kek_of(stage, secret_id)}
    # A key that was made up, what lies about, and one from a root key that was made up.
    of_his_own = keys.access_key(os.urandom(32), stage.tenant.project_id, secret_id)
    for key in (os.urandom(64), bytes(64), (wrapped + wrapped)[:64], of_his_own, b"", b"short"):
        assert thief.call_api("secret_version_access", path, key)[0] == 0
        assert thief.call_api("secret_version_access", path, key, key=ours) == (500, INTEGRITY)


def test_api_functions_give_no_plaintext(thief, stage):
    path = {"key_id": stage.key_id}
    said = {"ciphertext": {"state": "given", "size": len(stage.ciphertext), "rotation": 1}}
    status, need = thief.call_api("key_decrypt", path, **said)
    assert (status, need["need"]) == (0, "cipher")
    (given,) = need["keys"]
    cipher = {"kek_id": given["kek_id"], "rotation": 1, "sound": True, "ciphertext": None}
    status, body = thief.call_api("key_decrypt", path, **said, cipher=cipher)
    assert (status, body["plaintext"]) == (200, None)


def test_functions_behind_the_api(stage, stolen):
    """Who needs no credential, because he can be whom he likes, still needs the key."""
    row = f"FROM store.secret s WHERE s.id = '{stage.secret_id}'"
    said = json.dumps(
        {"key": {"secret_id": stage.secret_id, "kek_id": kek_of(stage, stage.secret_id)}}
    )
    for role in ("postgres", "coffer_exec", "coffer_owner"):
        with stolen.connect() as connection:
            connection.execute(f"SET ROLE {role}")
            with pytest.raises(psycopg.Error) as asked:
                connection.execute(f"SELECT rule.access(s, '1', '{{}}', NULL) {row}")
            assert asked.value.sqlstate == "SM001" and MARKER.decode() not in str(asked.value)
            for key in (os.urandom(64), bytes(64)):
                with pytest.raises(psycopg.Error) as refused:
                    connection.execute(
                        f"SELECT rule.access(s, '1', %s::jsonb, %s) {row}", [said, key]
                    )
                # Who owns the tables has no part in the sealing.
                assert refused.value.sqlstate in ("SM101", "42501")
            connection.execute("RESET ROLE")


# Keys that were caught -----------------------------------------------------------------------------


class Catch:
    """The key of a secret, as who replaces a function sees it pass; and what it opens of what is stored."""

    def __init__(self, stage, tenant, secret_id):
        self._database, self._project_id, self._secret_id = (
            stage.database,
            tenant.project_id,
            secret_id,
        )
        ((kek_id, wrapped, *rotation),) = self._database.query(
            "SELECT k.id, k.wrapped, k.key_id, k.rotation FROM store.dek d JOIN store.kek k ON k.id = d.kek_id"
            " WHERE d.secret_id = %s AND d.revision = 1",
            secret_id,
        )
        aad = outside.kek_aad(kek_id, tenant.project_id, stage.root_id, *rotation)
        kek = outside.unwrap(stage.root, b"coffer/kek", aad, wrapped)
        self._key = keys.access_key(kek, tenant.project_id, secret_id)

    def _open(self, revision, kek_id, wrapped, sealed):
        place = outside.place(b"dek", self._project_id, self._secret_id, revision, kek_id)
        try:
            dek = outside.open_sealed(self._key, place, wrapped)
        except outside.DoesNotOpen:
            return None
        place = outside.place(b"pay", self._project_id, self._secret_id, revision)
        return outside.open_sealed(dek, place, sealed)[1:]

    def opens(self):
        """The revisions whose value it gives."""
        rows = self._database.query(
            "SELECT d.revision, d.kek_id, d.wrapped, v.sealed FROM store.dek d"
            " JOIN store.version v USING (secret_id, revision) WHERE d.secret_id = %s ORDER BY 1",
            self._secret_id,
        )
        return [row[0] for row in rows if self._open(*row) == MARKER]


@pytest.mark.parametrize("target", ["plain", "keyed"])
def test_caught_key_opens_nothing_once_what_it_is_of_was_replaced(stage, target):
    """Until then it opens each version of its secret; after that none in the database, and none to come."""
    tenant = Tenant(stage.daemon)
    client = tenant.client()
    manager = client.key_manager()
    key_id = manager.create_key()["id"]
    secret_id = client.create_secret(
        name="caught", **({"key_id": key_id} if target == "keyed" else {})
    )["id"]
    client.create_version(secret_id, MARKER)
    caught = Catch(stage, tenant, secret_id)
    client.create_version(secret_id, MARKER)
    assert caught.opens() == [1, 2]
    if target == "keyed":
        assert manager.post(f"/keys/{key_id}/rotate", {}).status == 200
    else:
        stage.database.query(
            "SELECT operator.kek_rotate(%s)", tenant.project_id, role="coffer_operator"
        )
    left = "SELECT 1 FROM operator.key_rotation WHERE project_id = %s"
    eventually(lambda: not stage.database.query(left, tenant.project_id))
    client.create_version(secret_id, MARKER)
    assert caught.opens() == []
    assert [client.access(secret_id, revision) for revision in (1, 2, 3)] == [MARKER] * 3


# Keys of one's own --------------------------------------------------------------------------------


def own_root_key(numbered):
    file = numbered("root-key")
    return coffer("root-key", "generate", file).strip(), file


def test_daemon_with_a_root_key_of_ones_own(stage, stolen, numbered):
    """It does not start; and what it leaves is seen by who lists root keys."""
    root_id, file = own_root_key(numbered)
    daemon = Daemon(numbered("daemon"), stolen, file, ready=False)
    assert daemon.wait() == 2
    assert f"root key {stage.root_id} is needed and not loaded" in daemon.log
    assert root_id in dict(
        stolen.query("SELECT id, instances FROM operator.root_key", role="coffer_operator")
    )


def test_recover_with_a_root_key_of_ones_own(stage, stolen, numbered):
    _, file = own_root_key(numbered)
    run = subprocess.run(
        [BINARY, "recover", "--project", stage.tenant.project_id, "--yes"],
        env=environment({"dsn_owner": stolen.dsn(), "root_key_file": file}),
        capture_output=True,
    )
    assert run.returncode == 1 and run.stdout == b"" and b"cannot be decrypted" in run.stderr


CLAIM = """
    DELETE FROM store.pepper;
    UPDATE store.signer SET retired_at = now(), root_id = '{0}';
    UPDATE store.kek SET root_id = '{0}';
    UPDATE store.root_key SET active = false;
    INSERT INTO store.root_key (id, active, activated_at) VALUES ('{0}', true, now());
"""


def test_copy_that_was_made_ones_own(stage, numbered, new_database):
    """A daemon with a root key of the thief's serves on a copy, once all is said to be under that; and opens nothing."""
    root_id, file = own_root_key(numbered)
    copy = restored_dump(stage, numbered, new_database)
    copy.query(CLAIM.format(root_id))
    daemon = Daemon(numbered("daemon"), copy, file)
    # As an administrator of all organizations, he makes himself an API key.
    ((principal_id,),) = copy.query(
        "SELECT operator.principal_create(%s, 'application', 'thief')",
        stage.tenant.organization_id,
        role="coffer_operator",
    )
    copy.query(
        "SELECT operator.policy_create(%s, 'all', '{SecretManagerFullAccess,KeyManagerFullAccess}', NULL)",
        principal_id,
        role="coffer_operator",
    )
    stranger = object.__new__(Tenant)
    stranger.daemon, stranger.project_id = daemon, stage.tenant.project_id
    client = stranger.client(key=stranger.key_of(str(principal_id)))
    assert client.get(f"/secrets/{stage.secret_id}").body["name"] == "plain"
    for secret_id in (stage.secret_id, stage.keyed_id):
        answer = client.get(f"/secrets/{secret_id}/versions/1/access")
        assert (answer.status, answer.body) == (500, INTEGRITY)
    answer = client.key_manager().ask_to_decrypt(stage.key_id, stage.ciphertext)
    assert (answer.status, answer.body) == (500, INTEGRITY)
    daemon.stop()


def test_keys_planted_in_the_live_database(stage, numbered):
    """No daemon seals anything under a key that somebody else has put there: it refuses the call, or to serve."""
    database, client = stage.database, stage.client
    root_id, file = own_root_key(numbered)
    own_root = keys.root_key(file)
    project_id = stage.tenant.project()
    secret_id = client.create_secret(name="planted", project_id=project_id)["id"]

    def planted(named_root_id):
        kek_id = uuid.uuid4()
        wrapped = outside.wrap(
            own_root,
            b"coffer/kek",
            outside.kek_aad(kek_id, project_id, named_root_id),
            os.urandom(32),
        )
        return project_id, kek_id, named_root_id, wrapped

    keep = "SELECT root_id FROM daemon.kek_keep(%s, %s, %s, %s)"
    # Under the root key that there is, it does not open.
    assert database.query(keep, *planted(stage.root_id), role="coffer_api") == [(stage.root_id,)]
    answer = client.post(f"/secrets/{secret_id}/versions", {"data": "eA=="})
    assert (answer.status, answer.body) == (500, INTEGRITY)
    database.query("DELETE FROM store.kek WHERE project_id = %s", project_id)
    # Under one of the thief's, it is not kept; written into the table, the database needs a root key that nobody has.
    assert database.query(keep, *planted(root_id), role="coffer_api") == []
    database.query(
        "INSERT INTO store.kek (project_id, id, root_id, wrapped) VALUES (%s, %s, %s, %s)",
        *planted(root_id),
    )
    eventually(
        lambda: f"root key {root_id} is needed and not loaded" in stage.daemon.readiness()[1]
    )
    assert client.post(f"/secrets/{secret_id}/versions", {"data": "eA=="}).status == 503
    database.query("DELETE FROM store.kek WHERE project_id = %s", project_id)
    eventually(stage.daemon.ready)
    # And so it does when such a root key is to be the active one.
    database.query("INSERT INTO store.root_key (id) VALUES (%s)", root_id)
    with pytest.raises(psycopg.Error, match="running daemons do not have this root key"):
        database.query("SELECT operator.root_key_activate(%s)", root_id, role="coffer_operator")
    database.query("UPDATE store.root_key SET active = false WHERE active")
    database.query(
        "UPDATE store.root_key SET active = true, activated_at = now() WHERE id = %s", root_id
    )
    eventually(
        lambda: (
            f"root key {root_id} is needed and not loaded (it is active)"
            in stage.daemon.readiness()[1]
        )
    )
    database.query("DELETE FROM store.root_key WHERE id = %s", root_id)
    database.query("UPDATE store.root_key SET active = true WHERE id = %s", stage.root_id)
    eventually(stage.daemon.ready)
    assert client.create_version(secret_id, MARKER)["revision"] == 1


def test_version_sealed_by_a_thief(stage, numbered, new_database):
    """Under a key that he made up he can seal, and only he can open: nobody is told it was sealed by Coffer."""
    copy = restored_dump(stage, numbered, new_database)
    thief = Thief(stage, copy, "coffer_api")
    made_up = os.urandom(64)
    ours = {"secret_id": stage.secret_id, "kek_id": kek_of(stage, stage.secret_id)}
    status, body = thief.call_api(
        "secret_version_create", {"secret_id": stage.secret_id}, made_up, b"forged", key=ours
    )
    assert (status, body["revision"]) == (200, 2)
    daemon = Daemon(numbered("daemon"), copy, stage.daemon.settings["root_key_file"])
    client = stage.client.to(daemon)
    answer = client.get(f"/secrets/{stage.secret_id}/versions/2/access")
    assert (answer.status, answer.body) == (500, INTEGRITY)
    assert client.access(stage.secret_id, 1) == MARKER
    # Nor does he move one to a key of his own.
    old = kek_of(stage, stage.secret_id)
    arguments = ([stage.secret_id], [old], [old], [os.urandom(64)], [made_up])
    ((moved, broken),) = copy.query(
        "SELECT moved, broken FROM daemon.dek_rewrap(%s::uuid[], %s::uuid[], %s::uuid[], %s, %s)",
        *arguments,
        role="coffer_api",
    )
    assert (moved, broken) == (0, 2)
    daemon.stop()
