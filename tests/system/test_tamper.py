"""Whoever writes to the tables cannot make a value open in a place where it was not sealed, and cannot seal one without its keys."""

import hashlib
import hmac
import os
import struct
import subprocess
import uuid

import pytest

from support import keys

INTEGRITY = (500, {"message": "internal error", "type": "internal"})


@pytest.fixture(scope="module")
def database(service):
    return service.database


@pytest.fixture
def secrets(tenant, client):
    """Two secrets of one project and one of another, each with two versions."""
    other = tenant.project()
    made = {}
    for name, project in (("first", tenant.project_id), ("second", tenant.project_id), ("foreign", other)):
        made[name] = client.create_secret(name=name, project_id=project)["id"]
        for value in (b"one", b"two"):
            client.create_version(made[name], value + name.encode())
    return made


def answers(client, secret_id, revision):
    answer = client.get(f"/secrets/{secret_id}/versions/{revision}/access")
    return answer.status, answer.body


SWAP = """WITH other AS (SELECT * FROM store.{table} WHERE secret_id = %s AND revision = %s)
          UPDATE store.{table} t SET {columns} FROM other WHERE t.secret_id = %s AND t.revision = %s"""


@pytest.mark.parametrize("source", [("first", 1), ("second", 2), ("foreign", 2)])
@pytest.mark.parametrize(
    "changes",
    [
        [("version", "sealed = other.sealed")],
        [("dek", "wrapped = other.wrapped")],
        [("dek", "wrapped = other.wrapped, kek_id = other.kek_id")],
        [("version", "sealed = other.sealed"), ("dek", "wrapped = other.wrapped, kek_id = other.kek_id")],
    ],
    ids=["payload", "key", "key and its key", "all"],
)
def test_value_of_another_place(database, client, secrets, source, changes):
    """Of an older revision, another secret, another project: it does not open, and the audit says so."""
    name, revision = source
    for table, columns in changes:
        database.query(SWAP.format(table=table, columns=columns), secrets[name], revision, secrets["first"], 2)
    assert answers(client, secrets["first"], 2) == INTEGRITY
    assert database.query(
        "SELECT status, error FROM audit.event WHERE secret_id = %s OR request #>> '{path,secret_id}' = %s"
        " ORDER BY id DESC LIMIT 1",
        secrets["first"],
        secrets["first"],
    ) == [(500, "internal")]
    assert answers(client, secrets["first"], 1)[0] == 200


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE store.version SET sealed = '\\x01' WHERE secret_id = %s",
        "UPDATE store.version SET sealed = substr(sealed, 1, octet_length(sealed) - 16) WHERE secret_id = %s",
        "UPDATE store.version SET sealed = sealed || sealed WHERE secret_id = %s",
        "UPDATE store.dek SET wrapped = '\\x01' WHERE secret_id = %s",
        "UPDATE store.dek d SET wrapped = v.sealed FROM store.version v"
        " WHERE (v.secret_id, v.revision) = (d.secret_id, d.revision) AND d.secret_id = %s",
        "UPDATE store.version v SET sealed = d.wrapped FROM store.dek d"
        " WHERE (v.secret_id, v.revision) = (d.secret_id, d.revision) AND d.secret_id = %s",
    ],
)
def test_damage(database, client, secrets, damage):
    database.query(damage, secrets["first"])
    assert answers(client, secrets["first"], 1) == INTEGRITY


def test_every_bit_of_a_small_value(database, client, secrets, service):
    """A hundred of them, spread over key and payload; rule/crypto_test.sql flips every one."""
    flip = "UPDATE store.{0} SET {1} = set_bit({1}, {2}, 1 - get_bit({1}, {2})) WHERE secret_id = %s AND revision = 1"
    for table, column, bits in (("version", "sealed", 520), ("dek", "wrapped", 1032)):
        for bit in range(8, bits, bits // 50):  # the first byte is under a CHECK
            database.query(flip.format(table, column, bit), secrets["first"])
            assert answers(client, secrets["first"], 1) == INTEGRITY
            database.query(flip.format(table, column, bit), secrets["first"])
    assert answers(client, secrets["first"], 1)[0] == 200
    assert service.ready()


def test_exchanged_project_keys(database, start_daemon, new_tenant, new_database):
    """A daemon that has not opened them yet refuses both, and serves on."""
    database = new_database()
    first = start_daemon(database)
    tenant = new_tenant(first)
    client = tenant.client()
    ids = [client.create_secret(name="s", project_id=p)["id"] for p in (tenant.project_id, tenant.project())]
    for secret_id in ids:
        client.create_version(secret_id, b"value")
    database.query(
        "UPDATE store.kek a SET wrapped = b.wrapped FROM store.kek b WHERE a.project_id <> b.project_id"
    )
    second = start_daemon(database)
    for secret_id in ids:
        assert answers(client.to(second), secret_id, 1) == INTEGRITY
        # Above all, nothing is sealed under a key that is not the project's.
        assert client.to(second).post(f"/secrets/{secret_id}/versions", {"data": "eA=="}).status == 500
    assert database.query("SELECT count(*) FROM store.version") == [(2,)]
    assert database.query("SELECT count(*) FROM audit.event WHERE status = 500") == [(2,)]
    assert second.ready() and "key does not open" in second.log


def seal(key, aad, plain):
    """As rule.seal, by the openssl command and nothing of Coffer's."""
    iv = os.urandom(16)
    cipher = subprocess.run(
        ["openssl", "enc", "-aes-256-cbc", "-K", key[32:].hex(), "-iv", iv.hex()],
        input=plain,
        stdout=subprocess.PIPE,
        check=True,
    ).stdout
    tag = hmac.digest(key[:32], aad + iv + cipher + struct.pack(">q", 8 * len(aad)), hashlib.sha512)
    return b"\x01" + iv + cipher + tag[:32]


def test_what_was_sealed_outside_opens(database, client, tenant, secrets, service):
    """And by nobody who has less than the root key."""
    secret_id, revision = secrets["first"], 2
    kek_id, wrapped = database.query(
        "SELECT id, wrapped FROM store.kek WHERE project_id = %s", tenant.project_id
    )[0]
    root = keys.root_key(service.settings["root_key_file"])
    kek = keys.unwrap(root, b"coffer/kek", wrapped)
    place = uuid.UUID(tenant.project_id).bytes + uuid.UUID(secret_id).bytes + struct.pack(">q", revision)
    dek = os.urandom(64)
    sealed = seal(dek, b"\x01coffer1\x00pay\x00" + place + bytes(16), b"\x00sealed elsewhere")
    under = keys.access_key(kek, tenant.project_id, secret_id)
    wrapped_dek = seal(under, b"\x01coffer1\x00dek\x00" + place + kek_id.bytes, dek)
    database.query("UPDATE store.version SET sealed = %s WHERE secret_id = %s AND revision = 2", sealed, secret_id)
    assert answers(client, secret_id, 2) == INTEGRITY
    database.query("UPDATE store.dek SET wrapped = %s WHERE secret_id = %s AND revision = 2", wrapped_dek, secret_id)
    assert client.access(secret_id, 2) == b"sealed elsewhere"
