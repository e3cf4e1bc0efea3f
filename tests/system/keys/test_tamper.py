"""A user who writes to the tables cannot move a value to another place, and cannot encrypt one without its keys.

All that does not open is refused in one and the same way, whatever it is and whatever was done to it: 500, a row in the
audit that names the call, and a daemon that serves on.
"""

import base64
import contextlib
import hashlib
import os
import uuid
from dataclasses import dataclass
from typing import Callable

import pytest

from support import eventually, keys, outside
from support.client import values
from support.daemon import Daemon
from support.tenant import Tenant

INTEGRITY = (500, {"message": "internal error", "type": "internal"})

# Not even the form of a value is looked after by the tables here: all that can be written is.
NO_CHECKS = """
    ALTER TABLE store.version DROP CONSTRAINT version_sealed_check;
    ALTER TABLE store.dek DROP CONSTRAINT dek_wrapped_check;
    ALTER TABLE store.kek DROP CONSTRAINT kek_wrapped_check;
    ALTER TABLE store.pepper DROP CONSTRAINT pepper_wrapped_check;
    ALTER TABLE store.signer DROP CONSTRAINT signer_wrapped_check;
"""


# The stage ----------------------------------------------------------------------------------------


class Blob:
    """A column of one row, which can be read and, for a while, be another."""

    def __init__(self, connection, column, row, *arguments):
        table, name = column.rsplit(".", 1)
        self._connection = connection
        self._read = f"SELECT {name} FROM {table} WHERE {row}"
        self._write = f"UPDATE {table} SET {name} = %s WHERE {row}"
        self._arguments = arguments

    def read(self):
        ((value,),) = self._connection.execute(self._read, self._arguments).fetchall()
        return value

    @contextlib.contextmanager
    def replaced(self, value):
        before = self.read()
        self._connection.execute(self._write, (value, *self._arguments))
        yield
        self._connection.execute(self._write, (before, *self._arguments))


@dataclass(frozen=True)
class Call:
    """A call that needs what somebody has tampered with."""

    method: str
    about: str  # what the audit is to name; None: the path does not tell
    ask: Callable


class Stage:
    """A daemon that has made all there is, and one that has opened nothing of it yet."""

    def __init__(self, start, database):
        self.database = database
        self.connection = database.connect()
        database.deploy(NO_CHECKS)
        self.writer, self.reader = start(), start()
        self.tenant = Tenant(self.writer)

    def serves(self):
        return self.writer.ready() and self.reader.ready()

    def is_refused(self, call):
        answer = call.ask()
        if answer.status == 503:  # the drift check has come just now
            assert any("root key" in d.readiness()[1] for d in (self.writer, self.reader))
            return
        assert (answer.status, answer.body) == INTEGRITY
        row = "SELECT method, status, error, secret_id::text FROM audit.event WHERE id = %s"
        receipt = int(answer.headers["X-Audit-Id"])
        assert self.connection.execute(row, [receipt]).fetchall() == [
            (call.method, 500, "internal", call.about)
        ]

    def are_refused(self, calls):
        for call in calls:
            self.is_refused(call)


@pytest.fixture(scope="module")
def stage(numbered, new_database, root_key_file):
    """Nothing that runs by itself changes anything meanwhile."""
    database = new_database()
    daemons = []

    def start():
        daemons.append(
            Daemon(
                numbered("daemon"),
                database,
                root_key_file,
                job_interval=3600,
                check_interval=60,
                read_connections=1,
            )
        )
        return daemons[-1]

    stage = Stage(start, database)
    yield stage
    for daemon in daemons:
        assert daemon.ready()
        daemon.stop()
    stage.connection.close()


@pytest.fixture(autouse=True)
def serves(stage):
    """A drift check that found what a test did has found that it is over."""
    eventually(stage.serves)


class Subject:
    """A project with a secret of two versions, the same under a managed key, and ciphertexts of its two rotations."""

    def __init__(self, stage):
        self.stage = stage
        self.project_id = stage.tenant.project()
        client = stage.tenant.client()
        manager = client.key_manager()
        self.key_id = manager.create_key(project_id=self.project_id)["id"]
        self.ciphertexts = [manager.encrypt(self.key_id, b"plaintext", b"place")]
        assert manager.post(f"/keys/{self.key_id}/rotate", {}).status == 200
        self.ciphertexts.append(manager.encrypt(self.key_id, b"plaintext", b"place"))
        self.secret_id = self._secret(client, "plain")
        self.keyed_id = self._secret(client, "keyed", key_id=self.key_id)
        self.client = client.to(stage.reader)
        self.manager = self.client.key_manager()

    def _secret(self, client, name, **members):
        secret_id = client.create_secret(name=name, project_id=self.project_id, **members)["id"]
        for value in (b"one", b"two"):
            client.create_version(secret_id, value)
        return secret_id

    # What there is to tamper with

    def blob(self, name):
        column, row, *arguments = {
            "payload": ("store.version.sealed", "secret_id = %s AND revision = 1", self.secret_id),
            "version key": ("store.dek.wrapped", "secret_id = %s AND revision = 1", self.secret_id),
            "payload under a key": (
                "store.version.sealed",
                "secret_id = %s AND revision = 1",
                self.keyed_id,
            ),
            "version key under a key": (
                "store.dek.wrapped",
                "secret_id = %s AND revision = 1",
                self.keyed_id,
            ),
            "project key": (
                "store.kek.wrapped",
                "project_id = %s AND key_id IS NULL",
                self.project_id,
            ),
            "rotation": ("store.kek.wrapped", "key_id = %s AND rotation = 2", self.key_id),
            "older rotation": ("store.kek.wrapped", "key_id = %s AND rotation = 1", self.key_id),
        }[name]
        return Blob(self.stage.connection, column, row, *arguments)

    # The calls that need it

    def calls(self, name):
        return {
            "payload": self.reads("plain"),
            "version key": self.reads("plain"),
            "payload under a key": self.reads("keyed"),
            "version key under a key": self.reads("keyed"),
            "project key": [*self.reads("plain"), self._writes(self.secret_id)],
            "rotation": [
                *self._uses(self.ciphertexts[1]),
                *self.reads("keyed"),
                self._writes(self.keyed_id),
            ],
            "older rotation": self._uses(self.ciphertexts[0])[:1],
        }[name]

    def ids(self, name):
        """Of the secret of that name, and of the other."""
        both = self.secret_id, self.keyed_id
        return both if name == "plain" else both[::-1]

    def reads(self, name):
        secret_id, _ = self.ids(name)
        query = {"project_id": self.project_id, "secret_name": name}
        path = f"/secrets/{secret_id}/versions/1/access"
        return [
            Call("secret_version_access", secret_id, lambda: self.client.get(path)),
            Call(
                "secret_version_access_by_path",
                None,
                lambda: self.client.get("/secrets-by-path/versions/1/access", query=query),
            ),
        ]

    def _writes(self, secret_id):
        body = values(data=b"more")
        return Call(
            "secret_version_create",
            secret_id,
            lambda: self.client.post(f"/secrets/{secret_id}/versions", body),
        )

    def _uses(self, ciphertext):
        def use(verb, **body):
            path = f"/keys/{self.key_id}/{verb}"
            return Call(
                f"key_{verb.replace('-', '_')}",
                self.key_id,
                lambda: self.manager.post(path, values(**body)),
            )

        return [
            use("decrypt", ciphertext=ciphertext, associated_data=b"place"),
            use("encrypt", plaintext=b"plaintext"),
            use("generate-data-key"),
        ]


@pytest.fixture
def subject(stage):
    return Subject(stage)


BLOBS = [
    "payload",
    "version key",
    "payload under a key",
    "version key under a key",
    "project key",
    "rotation",
    "older rotation",
]


def are_carried_out(calls):
    assert [call.ask().status for call in calls] == [200] * len(calls)


# Blobs --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", BLOBS)
def test_every_bit(stage, subject, name):
    """And before that, that each of the calls needs it."""
    blob, calls = subject.blob(name), subject.calls(name)
    value = blob.read()
    for bit in range(8 * len(value)):
        damaged = bytearray(value)
        damaged[bit // 8] ^= 1 << bit % 8
        with blob.replaced(bytes(damaged)):
            stage.are_refused(calls if bit % 100 == 0 else calls[:1])
    are_carried_out(calls)


@pytest.mark.parametrize("name", BLOBS)
def test_every_length(stage, subject, name):
    blob, calls = subject.blob(name), subject.calls(name)
    value = blob.read()
    for damaged in [value[:length] for length in range(len(value))]:
        with blob.replaced(damaged):
            stage.is_refused(calls[0])
    for damaged in (
        value[1:],
        value[16:],
        value + b"\0",
        value + value[-16:],
        value + value,
        bytes(len(value)),
    ):
        with blob.replaced(damaged):
            stage.are_refused(calls)
    are_carried_out(calls)


def test_wrapped_keys_exchanged(stage, subject):
    """Each key in the place of each other, of the same project and of another, whatever it is for."""
    other = Subject(stage)
    wrapped = {
        f"{whose} {name}": one.blob(name).read()
        for whose, one in (("own", subject), ("other", other))
        for name in ("project key", "rotation", "older rotation")
    }
    ((wrapped["pepper"],),) = stage.database.query("SELECT wrapped FROM store.pepper")
    eventually(lambda: stage.database.query("SELECT 1 FROM store.signer"))
    ((wrapped["signer"],),) = stage.database.query("SELECT wrapped FROM store.signer")
    assert len(set(wrapped.values())) == 8
    for name in ("project key", "rotation", "older rotation"):
        calls = subject.calls(name)
        for source in wrapped.keys() - {f"own {name}"}:
            with subject.blob(name).replaced(wrapped[source]):
                stage.are_refused(calls)
    for name in ("project key", "rotation", "older rotation"):
        are_carried_out(subject.calls(name))


def test_root_key_of_another_name(stage, subject):
    """What says of itself that it is under another root key does not open, even if nobody has looked yet."""
    for name, row in (
        ("project key", "key_id IS NULL"),
        ("rotation", "rotation = 2"),
        ("older rotation", "rotation = 1"),
    ):
        root_id = Blob(
            stage.connection, "store.kek.root_id", f"project_id = %s AND {row}", subject.project_id
        )
        for value in ("0" * 16, "", "x" * 40, 'a"\\', root_id.read().upper() + " "):
            with root_id.replaced(value):
                stage.are_refused(subject.calls(name))
        are_carried_out(subject.calls(name))


def test_rotations_that_are_not_there(stage, subject):
    """A rotation stays as long as its key: without it, the key was tampered with."""
    change = "UPDATE store.kek SET rotation = %s WHERE key_id = %s AND rotation = %s"
    for number, name in ((1, "older rotation"), (2, "rotation")):
        stage.connection.execute(change, [number + 90, subject.key_id, number])
        stage.are_refused(call for call in subject.calls(name) if call.method.startswith("key_"))
        stage.connection.execute(change, [number, subject.key_id, number + 90])
        are_carried_out(subject.calls(name))
    count = Blob(stage.connection, "store.managed_key.rotation_count", "id = %s", subject.key_id)
    with count.replaced(3):
        stage.are_refused(
            call for call in subject.calls("rotation") if call.method.startswith("key_")
        )


def exchange(stage, one, other):
    """The rotations of two keys, rows and all."""
    for change in (
        "UPDATE store.kek SET active = false WHERE key_id IN (%(one)s, %(other)s)",
        "UPDATE store.kek SET rotation = rotation + 10 WHERE key_id = %(one)s",
        "UPDATE store.kek SET key_id = CASE key_id WHEN %(one)s THEN %(other)s::uuid ELSE %(one)s END"
        " WHERE key_id IN (%(one)s, %(other)s)",
        "UPDATE store.kek SET rotation = rotation - 10 WHERE key_id = %(other)s",
    ):
        stage.connection.execute(change, {"one": one, "other": other})


def test_rotations_of_two_projects_exchanged(stage, subject):
    other = Subject(stage)
    exchange(stage, subject.key_id, other.key_id)
    for one in (subject, other):
        stage.are_refused(call for call in one.calls("rotation") if call.method.startswith("key_"))
        stage.are_refused(one.calls("older rotation"))
    exchange(stage, subject.key_id, other.key_id)
    for one in (subject, other):
        are_carried_out([*one.calls("rotation")[:3], *one.calls("older rotation")])


def test_rotations_of_one_project_exchanged(stage, subject):
    """What was encrypted with the one does not open with the other, whose name the audit would have."""
    another = subject.manager.create_key(project_id=subject.project_id)["id"]
    made = [subject.manager.encrypt(another, b"plaintext", b"place")]
    assert subject.manager.post(f"/keys/{another}/rotate", {}).status == 200
    made.append(subject.manager.encrypt(another, b"plaintext", b"place"))
    assert subject.manager.post(f"/keys/{another}/disable", {}).status == 200
    # The daemon has opened all of them, as what they are.
    are_carried_out([*subject.calls("rotation")[:3], *subject.calls("older rotation")])
    exchange(stage, subject.key_id, another)
    stage.are_refused(call for call in subject.calls("rotation") if call.method.startswith("key_"))
    stage.are_refused(subject.calls("older rotation"))
    for ciphertext in made:
        answer = subject.manager.ask_to_decrypt(subject.key_id, ciphertext, b"place")
        assert (answer.status, answer.body) == INTEGRITY
    exchange(stage, subject.key_id, another)
    are_carried_out([*subject.calls("rotation")[:3], *subject.calls("older rotation")])


def test_rotations_of_one_key_exchanged(stage, subject):
    renumber = "UPDATE store.kek SET rotation = {} WHERE key_id = %s"
    for change in ("rotation + 10", "13 - rotation"):
        stage.connection.execute(renumber.format(change), [subject.key_id])
    stage.are_refused(call for call in subject.calls("rotation") if call.method.startswith("key_"))
    stage.are_refused(subject.calls("older rotation"))


# Ciphertexts --------------------------------------------------------------------------------------


def assert_is_unsound(stage, subject, ciphertext, associated_data=None):
    """Refused in the words that clients know."""
    answer = subject.manager.ask_to_decrypt(subject.key_id, ciphertext, associated_data)
    detail = {
        "argument_name": "ciphertext",
        "help_message": "cipher: message authentication failed",
        "reason": "constraint",
    }
    body = {"details": [detail], "message": "invalid argument(s)", "type": "invalid_arguments"}
    assert (answer.status, answer.body) == (400, body)
    row = "SELECT method, error, secret_id::text FROM audit.event WHERE id = %s"
    receipt = int(answer.headers["X-Audit-Id"])
    found = stage.connection.execute(row, [receipt]).fetchall()
    assert found == [("key_decrypt", "invalid_arguments", subject.key_id)]


def test_every_bit_and_length_of_a_ciphertext(stage, subject):
    for ciphertext in subject.ciphertexts:
        for bit in range(8 * len(ciphertext)):
            damaged = bytearray(ciphertext)
            damaged[bit // 8] ^= 1 << bit % 8
            assert_is_unsound(stage, subject, bytes(damaged), b"place")
        for length in range(1, len(ciphertext)):
            assert_is_unsound(stage, subject, ciphertext[:length], b"place")
        assert_is_unsound(stage, subject, ciphertext + b"\0", b"place")
        for associated_data in (None, b"plac", b"place\0", b"Place"):
            assert_is_unsound(stage, subject, ciphertext, associated_data)
        assert subject.manager.decrypt(subject.key_id, ciphertext, b"place") == b"plaintext"


def test_ciphertext_of_another_key(stage, subject):
    manager = subject.manager
    other = manager.create_key(project_id=subject.project_id)["id"]
    foreign = Subject(stage)
    for ciphertext in (manager.encrypt(other, b"plaintext", b"place"), *foreign.ciphertexts):
        assert_is_unsound(stage, subject, ciphertext, b"place")


# Rows ---------------------------------------------------------------------------------------------

SWAP = """WITH other AS (SELECT * FROM store.{table} WHERE secret_id = %s AND revision = %s)
          UPDATE store.{table} t SET {columns} FROM other WHERE t.secret_id = %s AND t.revision = 1"""


@pytest.mark.parametrize("target", ["plain", "keyed"])
@pytest.mark.parametrize("source", [("own", 2), ("other", 1), ("foreign", 1)])
@pytest.mark.parametrize(
    "changes",
    [
        [("version", "sealed = other.sealed")],
        [("dek", "wrapped = other.wrapped")],
        [("dek", "wrapped = other.wrapped, kek_id = other.kek_id")],
        [
            ("version", "sealed = other.sealed"),
            ("dek", "wrapped = other.wrapped, kek_id = other.kek_id"),
        ],
    ],
    ids=["payload", "key", "key and its key", "all"],
)
def test_value_of_another_place(stage, subject, target, source, changes):
    """Of another revision, another secret, another project."""
    whose, revision = source
    own, other = subject.ids(target)
    source_id = {"own": own, "other": other, "foreign": None}[whose] or Subject(stage).secret_id
    for table, columns in changes:
        stage.connection.execute(
            SWAP.format(table=table, columns=columns), [source_id, revision, own]
        )
    stage.are_refused(subject.reads(target))
    assert subject.client.access(own, 2) == b"two"


MOVES = {
    "to another revision": [
        "UPDATE store.version SET revision = revision + 10 WHERE secret_id = %(own)s",
        "UPDATE store.version SET revision = 13 - revision WHERE secret_id = %(own)s",
        "UPDATE store.dek SET revision = revision + 10 WHERE secret_id = %(own)s",
        "UPDATE store.dek SET revision = 13 - revision WHERE secret_id = %(own)s",
    ],
    "to another secret": [
        "DELETE FROM store.version WHERE secret_id = %(own)s",
        "DELETE FROM store.dek WHERE secret_id = %(own)s",
        "UPDATE store.version SET secret_id = %(own)s WHERE secret_id = %(other)s",
        "UPDATE store.dek SET secret_id = %(own)s WHERE secret_id = %(other)s",
    ],
    "to another project": ["UPDATE store.secret SET project_id = %(project)s WHERE id = %(own)s"],
}


@pytest.mark.parametrize("target", ["plain", "keyed"])
@pytest.mark.parametrize("move", MOVES)
def test_whole_rows_moved(stage, subject, target, move):
    own, other = subject.ids(target)
    stage.connection.execute("SET session_replication_role = replica")  # no foreign key looks
    for change in MOVES[move]:
        stage.connection.execute(
            change, {"own": own, "other": other, "project": stage.tenant.project_id}
        )
    stage.connection.execute("RESET session_replication_role")
    stage.is_refused(subject.reads(target)[0])


@pytest.mark.parametrize("target", ["plain", "keyed"])
def test_payload_and_key_exchanged(stage, subject, target):
    suffix = "" if target == "plain" else " under a key"
    payload, key = subject.blob(f"payload{suffix}"), subject.blob(f"version key{suffix}")
    before = payload.read(), key.read()
    with payload.replaced(before[1]):
        stage.are_refused(subject.reads(target))
        with key.replaced(before[0]):
            stage.are_refused(subject.reads(target))
    with key.replaced(before[0]):
        stage.are_refused(subject.reads(target))
    are_carried_out(subject.reads(target))


# Pepper and signer --------------------------------------------------------------------------------


@pytest.fixture
def column(database):
    """A column of the one row of its table, whose form nobody looks after."""
    connection = database.connect()
    database.deploy(NO_CHECKS)
    yield lambda name: Blob(connection, name, "true")
    connection.close()


def damages(value):
    """Another bit, in the IV, the key and the tag; fewer bytes, and more."""
    yield from (value[:at] + bytes([value[at] ^ 1]) + value[at + 1 :] for at in (0, 20, 59))
    yield from (b"", value[:-1], value + b"\0")


def test_pepper_that_was_tampered_with(database, column, start_daemon, new_tenant):
    """Nobody can be told from another: no daemon serves, and all do when it is as it was."""
    daemon = start_daemon(database, check_interval=1)
    client = new_tenant(daemon).client()
    pepper = column("store.pepper.wrapped")
    eventually(lambda: database.query("SELECT 1 FROM store.signer"))
    for damaged in (*damages(pepper.read()), column("store.signer.wrapped").read()):
        with pepper.replaced(damaged):
            eventually(lambda: "the pepper cannot be unwrapped" in daemon.readiness()[1])
            assert client.get("/secrets").status == 503
        eventually(daemon.ready)
    assert client.get("/secrets").status == 200
    with pepper.replaced(next(damages(pepper.read()))):
        other = start_daemon(database, ready=False, check_interval=1)
        eventually(lambda: "the pepper cannot be unwrapped" in other.readiness()[1])
    eventually(other.ready)


def test_signer_that_was_tampered_with(database, column, start_daemon, new_tenant):
    """Calls go on, and their rows stay without a signature until the key is as it was, as everybody can see."""
    signed = "SELECT count(*) FILTER (WHERE signature IS NULL), count(signature) FROM audit.seal WHERE n > 0"
    lag = "SELECT seal_lag FROM daemon.audit_state()"
    daemon = start_daemon(database)
    client = new_tenant(daemon).client()
    client.create_secret(name="secret")
    eventually(lambda: database.query(signed)[0][1] > 0 and database.query(signed)[0][0] == 0)
    daemon.stop()
    signer = column("store.signer.wrapped")
    ((pepper,),) = database.query("SELECT wrapped FROM store.pepper")
    for damaged in (*damages(signer.read()), pepper):
        with signer.replaced(damaged):
            daemon.start()
            client.close()
            before = daemon.log.count("the key for seals cannot be unwrapped")
            assert client.get("/secrets").status == 200
            eventually(lambda: daemon.log.count("the key for seals cannot be unwrapped") > before)
            assert database.query(signed)[0][0] > 0
            eventually(lambda: database.query(lag)[0][0] > 0)
            daemon.stop()
    daemon.start()
    eventually(lambda: database.query(signed)[0][0] == 0)


# Outside ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def root(stage):
    """The root key, and its name."""
    ((root_id,),) = stage.database.query("SELECT id FROM store.root_key WHERE active")
    return keys.root_key(stage.writer.settings["root_key_file"]), root_id


def material_of(stage, root, row, *arguments):
    """Of the key-encryption key of that row, and what it is: by OpenSSL alone."""
    ((kek_id, project_id, wrapped, key_id, rotation),) = stage.connection.execute(
        f"SELECT id, project_id, wrapped, key_id, rotation FROM store.kek WHERE {row}", arguments
    ).fetchall()
    aad = outside.kek_aad(kek_id, project_id, root[1], key_id, rotation)
    return kek_id, outside.unwrap(root[0], b"coffer/kek", aad, wrapped)


@pytest.mark.parametrize("target", ["plain", "keyed"])
def test_what_was_sealed_here_opens_outside(stage, subject, root, target):
    """A value, its key, and what that is under: all tags and places are as they are said to be."""
    secret_id, _ = subject.ids(target)
    row = "project_id = %s AND key_id IS NULL" if target == "plain" else "key_id = %s AND active"
    kek_id, material = material_of(
        stage, root, row, subject.project_id if target == "plain" else subject.key_id
    )
    suffix = "" if target == "plain" else " under a key"
    access_key = keys.access_key(material, subject.project_id, secret_id)
    dek_place = outside.place(b"dek", subject.project_id, secret_id, 1, kek_id)
    dek = outside.open_sealed(access_key, dek_place, subject.blob(f"version key{suffix}").read())
    place = outside.place(b"pay", subject.project_id, secret_id, 1)
    assert outside.open_sealed(dek, place, subject.blob(f"payload{suffix}").read()) == b"\0one"
    with pytest.raises(outside.DoesNotOpen):
        outside.open_sealed(dek, place + b"\0", subject.blob(f"payload{suffix}").read())


@pytest.mark.parametrize("target", ["plain", "keyed"])
def test_what_was_sealed_outside_opens_here(stage, subject, root, target):
    """Value and key, and the key that they are under; nobody who has less than the root key could do that."""
    secret_id, _ = subject.ids(target)
    kek_id, material = uuid.uuid4(), os.urandom(32)
    rotation = (subject.key_id, 99) if target == "keyed" else (None, None)
    aad = outside.kek_aad(kek_id, subject.project_id, root[1], *rotation)
    stage.connection.execute(
        "INSERT INTO store.kek (id, project_id, root_id, wrapped, active, key_id, rotation)"
        " VALUES (%s, %s, %s, %s, false, %s, %s)",
        (
            kek_id,
            subject.project_id,
            root[1],
            outside.wrap(root[0], b"coffer/kek", aad, material),
            *rotation,
        ),
    )
    dek = os.urandom(64)
    sealed = outside.seal(
        dek, outside.place(b"pay", subject.project_id, secret_id, 1), b"\0sealed elsewhere"
    )
    access_key = keys.access_key(material, subject.project_id, secret_id)
    place = outside.place(b"dek", subject.project_id, secret_id, 1, kek_id)
    row = "WHERE secret_id = %s AND revision = 1"
    stage.connection.execute(f"UPDATE store.version SET sealed = %s {row}", (sealed, secret_id))
    stage.are_refused(subject.reads(target))
    stage.connection.execute(
        f"UPDATE store.dek SET wrapped = %s, kek_id = %s {row}",
        (outside.seal(access_key, place, dek), kek_id, secret_id),
    )
    assert subject.client.access(secret_id, 1) == b"sealed elsewhere"


def test_ciphertexts_here_and_outside(stage, subject, root):
    for number, ciphertext in enumerate(subject.ciphertexts, 1):
        _, material = material_of(
            stage, root, "key_id = %s AND rotation = %s", subject.key_id, number
        )
        assert outside.decrypt(material, ciphertext, b"place") == b"plaintext"
        with pytest.raises(outside.DoesNotOpen):
            outside.decrypt(material, ciphertext, b"elsewhere")
        made = outside.encrypt(material, number, b"made elsewhere", b"there")
        assert subject.manager.decrypt(subject.key_id, made, b"there") == b"made elsewhere"
    answer = subject.manager.post(f"/keys/{subject.key_id}/generate-data-key", {})
    made = {name: base64.b64decode(answer.body[name]) for name in ("plaintext", "ciphertext")}
    assert outside.decrypt(material, made["ciphertext"]) == made["plaintext"]


def test_managed_key_made_outside(stage, subject, root):
    """The material of a rotation, wrapped by OpenSSL alone, is used as any other."""
    kek_id, material = uuid.uuid4(), os.urandom(32)
    another = subject.manager.create_key(project_id=subject.project_id)["id"]
    aad = outside.kek_aad(kek_id, subject.project_id, root[1], another, 1)
    wrapped = outside.wrap(root[0], b"coffer/kek", aad, material)
    stage.connection.execute(
        "UPDATE store.kek SET id = %s, wrapped = %s WHERE key_id = %s", (kek_id, wrapped, another)
    )
    ciphertext = subject.manager.encrypt(another, b"plaintext", b"place")
    assert outside.decrypt(material, ciphertext, b"place") == b"plaintext"


def test_pepper_here_and_outside(stage, root):
    """What is kept of an API key is what OpenSSL makes of it, and a pepper made outside serves."""
    ((wrapped,),) = stage.database.query("SELECT wrapped FROM store.pepper")
    pepper = outside.unwrap(root[0], b"coffer/pepper", outside.pepper_aad(root[1]), wrapped)
    digest = keys.digest(pepper, stage.tenant.full_access.secret_key)
    found = "SELECT count(*) FROM store.api_key WHERE digest = %s"
    assert stage.database.query(found, digest) == [(1,)]


def test_pepper_and_signer_made_outside(database, start_daemon, new_tenant, root_key_file):
    root = keys.root_key(root_key_file)
    root_id = keys.root_key_id(root_key_file)
    pepper, seed = os.urandom(32), os.urandom(32)
    public = outside.public_key(seed)
    signer = hashlib.sha256(public).hexdigest()[:16]
    for statement, *arguments in (
        ("INSERT INTO store.root_key (id, active, activated_at) VALUES (%s, true, now())", root_id),
        (
            "INSERT INTO store.pepper (root_id, wrapped) VALUES (%s, %s)",
            root_id,
            outside.wrap(root, b"coffer/pepper", outside.pepper_aad(root_id), pepper),
        ),
        (
            "INSERT INTO store.signer (id, public_key, root_id, wrapped) VALUES (%s, %s, %s, %s)",
            signer,
            public,
            root_id,
            outside.wrap(root, b"coffer/signer", outside.signer_aad(root_id), seed),
        ),
    ):
        database.query(statement, *arguments)
    daemon = start_daemon(database)
    tenant = new_tenant(daemon)
    digest = keys.digest(pepper, tenant.full_access.secret_key)
    assert database.query("SELECT count(*) FROM store.api_key WHERE digest = %s", digest) == [(1,)]
    assert tenant.client().create_secret(name="secret")
    signed = "SELECT hash, signature FROM audit.seal WHERE signer = %s"
    eventually(lambda: database.query(signed, signer))
    for seal_hash, signature in database.query(signed, signer):
        assert outside.verifies(public, seal_hash, signature)
        assert not outside.verifies(public, hashlib.sha256(seal_hash).digest(), signature)
