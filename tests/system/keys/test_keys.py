"""Root keys and key-encryption keys change while the service runs, and nobody notices."""

import base64
import contextlib
import json
import signal
import subprocess
import threading

import pytest

from support import TIMES, eventually, keys, outside
from support.daemon import BINARY, coffer, environment

pytestmark = pytest.mark.long


@pytest.fixture
def new_root_key(numbered):
    """Make a root key; return its id and its line."""

    def new():
        file = numbered("new-root-key")
        root_id = coffer("root-key", "generate", file).strip()
        return root_id, file.read_text()

    return new


@pytest.fixture
def key_file(numbered, new_root_key):
    """A root key file that a test may write."""
    file = numbered("key-file")
    file.write_text(new_root_key()[1])
    file.chmod(0o600)
    return file


@pytest.fixture
def start(start_daemon, key_file):
    """Start a daemon whose timers are quick, on that file."""

    def start(database, **settings):
        return start_daemon(
            database,
            **{"root_key_file": key_file, "job_interval": 1, "check_interval": 1, **settings},
        )

    return start


def root_key(database, *arguments):
    return coffer("root-key", *arguments, dsn_operator=database.dsn("coffer_operator"))


def did_root_key(database, verb, root_id):
    """Whether a change was not refused: a handshake that began before a reload may end after it, with the old keys."""
    try:
        return root_key(database, verb, root_id) == ""
    except subprocess.CalledProcessError:
        return False


def roots(database):
    """What is wrapped under which root key."""
    return dict(database.query("SELECT id, wraps FROM operator.root_key", role="coffer_operator"))


def reload(daemon):
    """Have root keys loaded again, and used in a handshake."""
    before = daemon.log.count("root keys loaded")
    daemon.process.send_signal(signal.SIGHUP)
    eventually(lambda: daemon.log.count("root keys loaded") > before)


def known(database, root_id):
    """True once a daemon has said that it has this root key."""
    return eventually(lambda: root_id in roots(database))


class Load:
    """Clients that read, write, encrypt and decrypt until they are told to stop. Nothing of it may fail."""

    def __init__(self, tenant, secret_ids):
        database = tenant.daemon.database
        database.query(
            "SELECT operator.quota_set(%s, 'secret_version', 1000000)", tenant.organization_id
        )
        self.calls, self.wrong, self.stopping = 0, [], False
        self.threads = [
            threading.Thread(target=self._run, args=(tenant.client(), secret_ids[i::2]))
            for i in range(2)
        ]
        for thread in self.threads:
            thread.start()

    def _run(self, client, secret_ids):
        manager = client.key_manager()
        try:
            key_id = manager.create_key()["id"]
            ciphertext = manager.encrypt(key_id, b"plaintext")
            while not self.stopping:
                assert manager.decrypt(key_id, ciphertext) == b"plaintext"
                assert manager.decrypt(key_id, manager.encrypt(key_id, b"another")) == b"another"
                self.calls += 3
                for secret_id in secret_ids:
                    assert client.access(secret_id, 1) == secret_id.encode()
                    client.create_version(secret_id, b"another")
                    self.calls += 2
        except Exception as failure:
            self.wrong.append(failure)

    def stop(self):
        self.stopping = True
        for thread in self.threads:
            thread.join()
        assert self.wrong == []
        assert self.calls > 0


def make_secrets(client, count):
    """Make secrets whose first value is their id."""
    ids = [client.create_secret(name=f"secret-{i}")["id"] for i in range(count)]
    for secret_id in ids:
        client.create_version(secret_id, secret_id.encode())
    return ids


# Root keys ------------------------------------------------------------------------------------------


def test_everything_moves_to_a_new_root_key_under_load(
    database, start, key_file, new_root_key, new_tenant
):
    daemons = [start(database), start(database)]
    tenant = new_tenant(daemons[0])
    secret_ids = make_secrets(tenant.client(), 10)
    (old,) = roots(database)
    new, line = new_root_key()
    load = Load(tenant, secret_ids)

    with pytest.raises(subprocess.CalledProcessError):  # nobody has it
        root_key(database, "activate", new)
    key_file.write_text(key_file.read_text() + line)
    reload(daemons[0])
    known(database, new)
    with pytest.raises(subprocess.CalledProcessError):  # one of two has it
        root_key(database, "activate", new)
    reload(daemons[1])
    without = "SELECT instances_without FROM operator.root_key WHERE id = %s"
    eventually(lambda: database.query(without, new) == [(0,)])
    eventually(lambda: did_root_key(database, "activate", new))
    root_key(database, "activate", new)
    with pytest.raises(subprocess.CalledProcessError):  # much is under it still
        root_key(database, "retire", new)
    eventually(lambda: roots(database) == {old: 0, new: 3 + len(load.threads)})
    root_key(database, "retire", old)
    root_key(database, "retire", old)
    with pytest.raises(subprocess.CalledProcessError):
        root_key(database, "activate", old)
    key_file.write_text(line)
    for daemon in daemons:
        reload(daemon)
    for secret_id in secret_ids:
        assert tenant.client(daemons[1]).access(secret_id, 1) == secret_id.encode()
    load.stop()
    # The new key alone is enough, and what is minted fits.
    daemons.append(start(database))
    assert tenant.client(daemons[2]).access(secret_ids[0], 1) == secret_ids[0].encode()
    assert (
        tenant.client(daemons[2], tenant.key("SecretManagerFullAccess")).get("/secrets").status
        == 200
    )
    listed = root_key(database, "list")
    assert f"{old}\tretired" in listed and f"{new}\tactive" in listed


def test_reload_that_fails_changes_nothing(database, start, key_file):
    daemon = start(database)
    right = key_file.read_text()
    key_file.write_text("broken\n")
    daemon.process.send_signal(signal.SIGHUP)
    eventually(lambda: "unable to load root keys" in daemon.log)
    assert daemon.ready()
    key_file.write_text(right)
    reload(daemon)
    assert daemon.ready()


def test_reload_without_a_key_that_the_database_needs_changes_nothing(
    database, start, key_file, new_root_key, new_tenant
):
    daemon = start(database)
    tenant = new_tenant(daemon)
    (secret_id,) = make_secrets(tenant.client(), 1)
    (needed,) = roots(database)
    right = key_file.read_text()
    other, line = new_root_key()
    key_file.write_text(line)
    daemon.process.send_signal(signal.SIGHUP)
    eventually(lambda: "unable to load root keys, the old ones stay" in daemon.log)
    cause = f"root key {needed} is needed and not loaded"
    assert any(found["cause"].startswith(cause) for found in daemon.log_lines() if "cause" in found)
    assert daemon.ready()
    assert tenant.client().access(secret_id, 1) == secret_id.encode()
    # Nobody is told that it had the other key.
    has = "SELECT instances FROM operator.root_key WHERE id = %s"
    eventually(
        lambda: database.query(has, needed) == [(1,)] and database.query(has, other) == [(0,)]
    )
    assert "not fit" not in daemon.log
    key_file.write_text(right + line)
    reload(daemon)
    eventually(lambda: database.query(has, other) == [(1,)])
    assert daemon.ready()


def test_reload_while_the_database_is_away_is_decided_when_it_is_back(
    own_cluster, start, key_file, new_root_key
):
    database = own_cluster.database()
    daemon = start(database)
    right = key_file.read_text()
    own_cluster.stop()
    eventually(lambda: not daemon.ready())
    key_file.write_text(new_root_key()[1])
    daemon.process.send_signal(signal.SIGHUP)
    own_cluster.start()
    eventually(daemon.ready)
    assert "unable to load root keys, the old ones stay" in daemon.log
    own_cluster.stop()
    eventually(lambda: not daemon.ready())
    key_file.write_text(new_root_key()[1] + right)
    daemon.process.send_signal(signal.SIGHUP)
    own_cluster.start()
    eventually(daemon.ready)
    assert "root keys loaded" in daemon.log


def test_daemon_that_did_not_start_holds_up_no_activation(
    database, start, key_file, new_root_key, numbered
):
    new, line = new_root_key()
    wrong = numbered("wrong-key")
    coffer("root-key", "generate", wrong)
    key_file.write_text(key_file.read_text() + line)
    start(database)
    assert start(database, root_key_file=wrong, ready=False).wait() == 2
    root_key(database, "activate", new)


@pytest.fixture
def start_unaware(start):
    """Start a daemon that is told of another active root key only when it asks."""
    return lambda database: start(
        database, job_interval=3600, check_interval=60, pool_size=1, read_connections=1
    )


def test_nothing_new_comes_under_a_retired_root_key(
    database, start, start_unaware, key_file, new_root_key, new_tenant
):
    new, line = new_root_key()
    key_file.write_text(key_file.read_text() + line)
    mover = start(database)
    unaware = start_unaware(database)
    client = new_tenant(unaware).client()
    secret = client.create_secret(name="secret")
    key_id = client.key_manager().create_key()["id"]
    (old,) = [root_id for root_id, wraps in roots(database).items() if wraps > 0]
    unaware.process.send_signal(signal.SIGSTOP)
    try:
        root_key(database, "activate", new)
        eventually(lambda: roots(database)[old] == 0)
        root_key(database, "retire", old)
        mover.stop()
    finally:
        unaware.process.send_signal(signal.SIGCONT)
    client.create_version(secret["id"], b"value")
    assert client.access(secret["id"]) == b"value"
    client.key_manager().create_key()
    assert client.key_manager().post(f"/keys/{key_id}/rotate").status == 200
    # Pepper, key for seals, key of the project, two keys and a rotation.
    eventually(lambda: roots(database) == {old: 0, new: 6})


def test_key_for_seals_comes_under_the_active_root_key(
    database, start_unaware, key_file, new_root_key, new_tenant
):
    new, line = new_root_key()
    key_file.write_text(key_file.read_text() + line)
    tenant = new_tenant(start_unaware(database))
    signer = "SELECT root_id FROM store.signer WHERE retired_at IS NULL"
    eventually(lambda: database.query(signer) != [])
    root_key(database, "activate", new)
    database.query("UPDATE store.signer SET retired_at = now()")
    tenant.client().get("/secrets")  # something to seal
    eventually(lambda: database.query(signer) == [(new,)])


def test_key_is_not_made_where_the_active_root_key_is_missing(database, start_unaware, new_tenant):
    client = new_tenant(start_unaware(database)).client()
    secret = client.create_secret(name="secret")
    database.query("UPDATE store.root_key SET active = false")
    database.query(
        "INSERT INTO store.root_key (id, active, activated_at) VALUES ('0000000000000000', true, now())"
    )
    body = {"data": base64.b64encode(b"value").decode()}
    assert client.post(f"/secrets/{secret['id']}/versions", body).status == 503
    usage = {"usage": {"symmetric_encryption": "aes_256_gcm"}}
    assert client.key_manager().post("/keys", usage).status == 503
    assert database.query("SELECT count(*) FROM store.kek") == [(0,)]


# Key-encryption keys ----------------------------------------------------------------------------------


def rotation(database):
    return database.query(
        "SELECT state, versions_left FROM operator.key_rotation", role="coffer_operator"
    )


def rotate(tenant):
    tenant.daemon.database.query(
        "SELECT operator.kek_rotate(%s)", tenant.project_id, role="coffer_operator"
    )


def kek_of(tenant):
    return tenant.daemon.database.query(
        "SELECT id FROM store.kek WHERE project_id = %s AND active", tenant.project_id
    )


def test_project_gets_a_new_key_under_load(database, start, new_tenant):
    daemons = [start(database), start(database)]
    tenant = new_tenant(daemons[0])
    secret_ids = make_secrets(tenant.client(), 100)
    sealed = "SELECT md5(string_agg(sealed, '' ORDER BY secret_id)) FROM store.version WHERE revision = 1"
    before, payloads = kek_of(tenant), database.query(sealed)
    load = Load(tenant, secret_ids[:10])
    for _ in range(TIMES):
        rotate(tenant)
        rotate(tenant)
        assert rotation(database) != []
        eventually(lambda: rotation(database) == [])
    assert kek_of(tenant) != before
    assert database.query("SELECT count(*) FROM store.kek WHERE key_id IS NULL") == [(1,)]
    load.stop()
    assert database.query(sealed) == payloads
    for secret_id in secret_ids:
        assert tenant.client(daemons[1]).access(secret_id, 1) == secret_id.encode()


def test_secret_with_many_versions(database, start, new_tenant):
    """They move in parts, one after the other, and none of them takes long."""
    daemon = start(database)
    tenant = new_tenant(daemon)
    client = tenant.client()
    secret_id, other_id = make_secrets(client, 2)
    ((kek_id, wrapped),) = database.query("SELECT id, wrapped FROM store.kek")
    root, root_id = (
        keys.root_key(daemon.settings["root_key_file"]),
        keys.root_key_id(daemon.settings["root_key_file"]),
    )
    kek = outside.unwrap(
        root, b"coffer/kek", outside.kek_aad(kek_id, tenant.project_id, root_id), wrapped
    )
    access_key = keys.access_key(kek, tenant.project_id, secret_id)
    for statement in (
        "INSERT INTO store.version (secret_id, revision, status, description, created_at, updated_at, sealed)"
        " SELECT secret_id, n, status, description, created_at, updated_at, sealed FROM store.version, generate_series(2, 5000) n"
        " WHERE secret_id = %(secret)s AND revision = 1",
        "INSERT INTO store.dek SELECT %(secret)s::uuid, n, %(kek)s::uuid,"
        " rule.crypto_encrypt(%(key)s, rule.crypto_aad('dek', %(project)s, %(secret)s, n, %(kek)s), sha512('dek')) FROM generate_series(2, 5000) n",
    ):
        with database.connect() as connection:
            connection.execute(
                statement,
                {
                    "secret": secret_id,
                    "kek": kek_id,
                    "key": access_key,
                    "project": tenant.project_id,
                },
            )
    rotate(tenant)
    eventually(lambda: rotation(database) == [])
    moved = [
        line["count"]
        for line in daemon.log_lines()
        if line["event"] == "versions moved to a new key"
    ]
    assert sum(moved) == 5001 and max(moved) <= 2000
    assert (
        client.access(secret_id, 1) == secret_id.encode()
        and client.access(other_id) == other_id.encode()
    )


def test_rotation_goes_on_after_a_kill(database, start, new_tenant):
    daemon = start(database)
    tenant = new_tenant(daemon)
    secret_ids = make_secrets(tenant.client(), 200)
    for _ in range(TIMES):
        rotate(tenant)
        eventually(
            lambda: [
                left for state, left in rotation(database) if state == "moving" and 0 < left < 200
            ]
        )
        daemon.kill()
        left = rotation(database)
        assert left != [] and left[0][1] > 0
        daemon.start()
        eventually(lambda: rotation(database) == [])
    for secret_id in secret_ids:
        assert tenant.client().access(secret_id, 1) == secret_id.encode()


def test_version_that_was_tampered_with_does_not_hold_up_the_others(database, start, new_tenant):
    daemon = start(database)
    tenant = new_tenant(daemon)
    secret_ids = make_secrets(tenant.client(), 5)
    spoil = "UPDATE store.dek SET wrapped = set_byte(wrapped, 40, get_byte(wrapped, 40) # 1) WHERE secret_id = %s"
    database.query(spoil, secret_ids[2])
    rotate(tenant)
    eventually(lambda: rotation(database) == [("moving", 1)])
    eventually(lambda: "keys of versions cannot be unwrapped" in daemon.log)
    assert tenant.client().access(secret_ids[3], 1) == secret_ids[3].encode()
    assert tenant.client().get(f"/secrets/{secret_ids[2]}/versions/1/access").status == 500
    database.query(spoil, secret_ids[2])
    eventually(lambda: rotation(database) == [])
    assert tenant.client().access(secret_ids[2], 1) == secret_ids[2].encode()


# Shredding ------------------------------------------------------------------------------------------


class Backup:
    """The first version of a secret and the key above it, as a backup from before its purge has them."""

    def __init__(self, database, secret_id):
        self.database, self.secret_id = database, secret_id
        self.version = self._row("version", "(secret_id, revision) = (%s, 1)")
        self.dek = self._row("dek", "(secret_id, revision) = (%s, 1)")
        self.kek = self.kek_now()

    def _row(self, table, where):
        ((row,),) = self.database.query(
            f"SELECT t::text FROM store.{table} t WHERE {where}", self.secret_id
        )
        return row

    def kek_now(self):
        """As a later backup has it."""
        return self._row(
            "kek", "project_id = (SELECT project_id FROM store.secret WHERE id = %s) AND active"
        )

    @contextlib.contextmanager
    def put_back(self, kek=None):
        """Into the live database; together with that key, unless the database has it still."""
        with self.database.connect() as connection:
            with connection.transaction():
                if kek is not None:
                    connection.execute(
                        "INSERT INTO store.kek (id, project_id, root_id, wrapped, active)"
                        " SELECT k.id, k.project_id, k.root_id, k.wrapped, false FROM (SELECT (%s::store.kek).*) k",
                        [kek],
                    )
                connection.execute(
                    "INSERT INTO store.version SELECT (%s::store.version).*", [self.version]
                )
                connection.execute("INSERT INTO store.dek SELECT (%s::store.dek).*", [self.dek])
            yield
            with connection.transaction():
                connection.execute(
                    "DELETE FROM store.version WHERE (secret_id, revision) = (%s, 1)",
                    [self.secret_id],
                )
                if kek is not None:
                    connection.execute("DELETE FROM store.kek WHERE id = (%s::store.kek).id", [kek])


def change_root_key(database, daemon, key_file, new_root_key):
    """A new root key, under which all moves; the old one is retired, and not loaded any more."""
    (old,) = (root_id for root_id, wraps in roots(database).items() if wraps > 0)
    new, line = new_root_key()
    key_file.write_text(key_file.read_text() + line)
    reload(daemon)
    known(database, new)

    eventually(lambda: did_root_key(database, "activate", new))
    eventually(lambda: did_root_key(database, "retire", old))
    key_file.write_text(line)
    reload(daemon)
    return old


def test_how_long_a_backup_has_what_was_purged(
    database, start, key_file, new_root_key, new_tenant, numbered
):
    """Until the key of the project has been replaced, and after that the root key, and this one destroyed: in this order."""
    daemon = start(database)
    tenant = new_tenant(daemon)
    client = tenant.client()
    secret_id = client.create_secret(name="secret")["id"]
    for value in (b"gone", b"kept"):
        client.create_version(secret_id, value)
    backup = Backup(database, secret_id)
    first_key = key_file.read_text()
    database.query(
        "SELECT operator.setting_set('purge_after', '0 seconds')", role="coffer_operator"
    )
    assert client.delete(f"/secrets/{secret_id}/versions/1").status == 204
    left = "SELECT revision FROM store.dek UNION ALL SELECT revision FROM store.version"
    eventually(lambda: set(database.query(left)) == {(2,)})
    access = f"/secrets/{secret_id}/versions/1/access"
    assert client.get(access).status == 404

    def needs(root_id):
        eventually(lambda: f"root key {root_id} is needed and not loaded" in daemon.readiness()[1])
        assert client.get(access).status == 503

    # A backup has it, with the key of the project as it is today, too: under another root key it is the same key.
    with backup.put_back():
        assert client.access(secret_id, 1) == b"gone"
    first = change_root_key(database, daemon, key_file, new_root_key)
    with backup.put_back():
        assert client.access(secret_id, 1) == b"gone"
    between = backup.kek_now()
    # Once the project has another key, the old one is in backups only: under the root keys of when they were made.
    rotate(tenant)
    eventually(lambda: rotation(database) == [])
    with backup.put_back(between):
        eventually(lambda: client.get(access).status == 200)
    reload(daemon)  # and in the memory of daemons, until they load root keys anew
    with backup.put_back(backup.kek):
        needs(first)
    eventually(daemon.ready)
    second = change_root_key(database, daemon, key_file, new_root_key)
    with backup.put_back(between):
        needs(second)
        old_file = numbered("old-root-key")
        for content in (key_file.read_text(), first_key):
            old_file.unlink(missing_ok=True)
            old_file.write_text(content)
            old_file.chmod(0o400)
            assert recovered(database, secret_id, old_file).get(1) is None
    # Who has kept the root key of then has it all.
    with backup.put_back(backup.kek):
        assert recovered(database, secret_id, old_file)[1] == b"gone"
    eventually(daemon.ready)
    assert client.access(secret_id) == b"kept"


def recovered(database, secret_id, root_key_file):
    """The versions that coffer recover opens with these root keys."""
    run = subprocess.run(
        [BINARY, "recover", "--secret", secret_id, "--yes"],
        env=environment({"dsn_owner": database.dsn(), "root_key_file": root_key_file}),
        stdout=subprocess.PIPE,
        text=True,
    )
    lines = [json.loads(line) for line in run.stdout.splitlines()]
    return {line["revision"]: base64.b64decode(line["data"]) for line in lines}


# What earlier releases wrapped --------------------------------------------------------------------


def unbind(database, root, root_id):
    """Wrap all keys as earlier releases did; gives what becomes of the KEKs by their id."""
    made = {}
    for kek_id, project_id, wrapped, *rotation in database.query(
        "SELECT id, project_id, wrapped, key_id, rotation FROM store.kek"
    ):
        kek = outside.unwrap(
            root, b"coffer/kek", outside.kek_aad(kek_id, project_id, root_id, *rotation), wrapped
        )
        made[kek_id] = outside.wrap(
            root, b"coffer/kek", outside.unbound_kek_aad(kek_id, project_id, root_id), kek
        )
        database.query("UPDATE store.kek SET wrapped = %s WHERE id = %s", made[kek_id], kek_id)
    ((wrapped,),) = database.query("SELECT wrapped FROM store.pepper")
    pepper = outside.unwrap(root, b"coffer/pepper", outside.pepper_aad(root_id), wrapped)
    wrapped = outside.wrap(root, b"coffer/pepper", outside.unbound_pepper_aad(root_id), pepper)
    database.query("UPDATE store.pepper SET wrapped = %s", wrapped)
    return made


def test_upgrade_of_wraps(database, start, new_tenant):
    """What an earlier release wrapped is read and wrapped anew; after that its form is refused."""
    daemon = start(database)
    tenant = new_tenant(daemon)
    client = tenant.client()
    manager = client.key_manager()
    key_id = manager.create_key()["id"]
    ciphertext = manager.encrypt(key_id, b"plaintext")
    assert manager.post(f"/keys/{key_id}/rotate", {}).status == 200
    (secret_id,) = make_secrets(client, 1)
    daemon.stop()
    file = daemon.settings["root_key_file"]
    root, root_id = keys.root_key(file), keys.root_key_id(file)
    old = unbind(database, root, root_id)
    stopped = daemon.log_lines()[0]["instance"]
    printed = coffer(
        "recover", "--secret", secret_id, "--yes", dsn_owner=database.dsn(), root_key_file=file
    )
    assert json.loads(printed)["data"] == base64.b64encode(secret_id.encode()).decode()

    ended = "wraps of the old form are refused from now on"
    daemons = [start(database), start(database)]
    for daemon in daemons:
        assert tenant.client(daemon).access(secret_id) == secret_id.encode()
        assert tenant.client(daemon).key_manager().decrypt(key_id, ciphertext) == b"plaintext"

    def has_ended():
        # A handshake of the daemon that stopped may not have ended yet, and says that it runs.
        age = "UPDATE store.instance SET seen_at = seen_at - interval '1 hour' WHERE id = %s"
        database.query(age, stopped)
        return any(ended in daemon.log for daemon in daemons)

    eventually(has_ended)
    for kek_id, project_id, wrapped, *rotation in database.query(
        "SELECT id, project_id, wrapped, key_id, rotation FROM store.kek"
    ):
        outside.unwrap(
            root, b"coffer/kek", outside.kek_aad(kek_id, project_id, root_id, *rotation), wrapped
        )
        with pytest.raises(outside.DoesNotOpen):
            outside.unwrap(
                root, b"coffer/kek", outside.unbound_kek_aad(kek_id, project_id, root_id), wrapped
            )
    for daemon in daemons:
        assert tenant.client(daemon).access(secret_id) == secret_id.encode()
        daemon.stop()

    for kek_id, wrapped in old.items():
        database.query("UPDATE store.kek SET wrapped = %s WHERE id = %s", wrapped, kek_id)
    daemon = start(database)
    assert ended not in daemon.log
    assert tenant.client(daemon).get(f"/secrets/{secret_id}/versions/1/access").status == 500
    assert tenant.client(daemon).key_manager().ask_to_decrypt(key_id, ciphertext).status == 500
