"""Keys are in memory that is not swapped and in no core file, and there alone; those that are no longer loaded are in none."""

import base64
import signal
import subprocess

import pytest

from support import eventually, keys, outside
from support.daemon import BINARY, coffer, environment
from support.memory import SANITIZED, mappings


def places(daemon, key):
    """Of each part of memory that has a key, as it is, in hexadecimal or in base64, whether it is fit for keys."""
    forms = (key, key.hex().encode(), base64.b64encode(key))
    return [
        {"lo", "dd"} <= set(flags)  # locked; not for core files
        for content, flags in mappings(daemon)
        if any(form in content for form in forms)
    ]


@pytest.mark.skipif(SANITIZED, reason="a sanitizer makes mlock do nothing")
def test_keys_are_in_memory_for_keys_alone(database, start_daemon, new_tenant, numbered):
    """What the daemon holds, and nothing of what it has derived from that to encrypt and to decrypt with."""
    file = numbered("key-file")
    root_id = coffer("root-key", "generate", file).strip()
    daemon = start_daemon(database, root_key_file=file, job_interval=1, check_interval=1)
    tenant = new_tenant(daemon)
    client = tenant.client()
    manager = client.key_manager()
    key_id = manager.create_key()["id"]
    secret_id = client.create_secret(name="secret")["id"]
    client.create_version(secret_id, b"value")
    assert client.access(secret_id) == b"value"
    assert manager.decrypt(key_id, manager.encrypt(key_id, b"plaintext")) == b"plaintext"
    eventually(lambda: database.query("SELECT 1 FROM audit.seal WHERE signature IS NOT NULL"))

    root = keys.root_key(file)
    held = {"root key": root}
    for table, aad in (
        ("pepper", outside.pepper_aad(root_id)),
        ("signer", outside.signer_aad(root_id)),
    ):
        ((wrapped,),) = database.query(f"SELECT wrapped FROM store.{table}")
        held[table] = outside.unwrap(root, b"coffer/" + table.encode(), aad, wrapped)
    for kek_id, project_id, wrapped, *rotation in database.query(
        "SELECT id, project_id, wrapped, key_id, rotation FROM store.kek"
    ):
        aad = outside.kek_aad(kek_id, project_id, root_id, *rotation)
        held[str(kek_id)] = outside.unwrap(root, b"coffer/kek", aad, wrapped)
    assert len(held) == 5
    for name, key in held.items():
        found = places(daemon, key)
        assert found != [] and all(found), name
    derived = [
        keys.hkdf(root, label) for label in (b"coffer/kek", b"coffer/pepper", b"coffer/signer")
    ]
    derived += [keys.hkdf(key, b"coffer/cipher") for key in held.values()]
    for key in derived:
        assert places(daemon, key) == []

    # Another root key, and the old one is retired and gone.
    new = numbered("new-root-key")
    new_id = coffer("root-key", "generate", new).strip()
    dsn_operator = database.dsn("coffer_operator")

    def load(text):
        file.chmod(0o600)
        file.write_text(text)
        before = daemon.log.count("root keys loaded")
        daemon.process.send_signal(signal.SIGHUP)
        eventually(lambda: daemon.log.count("root keys loaded") > before)

    def done(verb, which):
        run = subprocess.run(
            [BINARY, "root-key", verb, which],
            env=environment({"dsn_operator": dsn_operator}),
            capture_output=True,
        )
        return run.returncode == 0

    load(file.read_text() + new.read_text())
    eventually(lambda: done("activate", new_id))
    eventually(lambda: done("retire", root_id))
    assert places(daemon, root) != []
    load(new.read_text())
    assert places(daemon, root) == []
    assert all(found := places(daemon, keys.root_key(new))) and found != []
    assert client.access(secret_id) == b"value"
