"""The data of a kept release: made under that release, and looked for under every later one.

Values are canaries, and the root key and the API keys are throwaway ones: nothing here is secret.
"""

import base64
import gzip
import json
import subprocess
from pathlib import Path

from support import SOURCE, eventually
from support.audit import MONTH_BEFORE, is_anchored, unsealed
from support.client import Client
from support.tenant import Tenant

RELEASES = SOURCE / "tests" / "migrations" / "releases"
CERTIFICATE = SOURCE / "tests" / "clients" / "certificate.pem"

PAYLOADS = {
    "opaque": b"canary \x00\xff",
    "certificate": CERTIFICATE.read_bytes(),
    "key_value": b'{"canary":"one","two":2}',
    "basic_credentials": b'{"username":"canary","password":"canary"}',
    "database_credentials": b'{"engine":"postgres","username":"canary","password":"canary",'
    b'"host":"canary.test","dbname":"canary","port":"5432"}',
    "ssh_key": b'{"ssh_private_key":"-----BEGIN CANARY-----"}',
}
LATE = "2999-01-01T00:00:00Z"
PAGE = 100


def text(data):
    return base64.b64encode(data).decode()


def succeed(answer):
    assert answer.status in (200, 204), (answer.status, answer.raw)
    return answer.body


class Filler:
    """Puts data of every kind into a daemon's database; `kept` says what can be found there."""

    def __init__(self, daemon):
        self.database = daemon.database
        self.tenant = Tenant(daemon)
        self.client = self.tenant.client()
        self.manager = self.client.key_manager()
        self.kept = {
            "organization_id": self.tenant.organization_id,
            "project_id": self.tenant.project_id,
            "throwaway_api_key": self.tenant.full_access.secret_key,
            "other_api_keys": [],  # and the status of what they ask
            "values": [],
            "refused": [],  # and the status
            "read_once": [],
            "ciphertexts": [],
        }

    def fill(self):
        self._types()
        self._versions()
        self._secrets()
        self._read_once()
        self._keys()
        self._identities()
        self._rotate()

    def _operator(self, statement, *arguments):
        return self.database.query(statement, *arguments, role="coffer_operator")

    def add(self, secret_id, data, **members):
        """Add a version that can be read; return its path."""
        made = self.client.create_version(secret_id, data, **members)
        self.kept["values"].append([secret_id, made["revision"], text(data)])
        return f"/secrets/{secret_id}/versions/{made['revision']}"

    def _cannot_read(self, path):
        """The version that was added last cannot be read any more."""
        secret_id, revision, _ = self.kept["values"].pop()
        status = self.client.get(path + "/access").status
        assert status in (404, 412, 423), status
        self.kept["refused"].append([secret_id, revision, status])

    def _types(self):
        for kind, data in PAYLOADS.items():
            secret = self.client.create_secret(
                name=f"canary-{kind}", type=kind, path="/types", tags=["canary", kind]
            )
            self.add(secret["id"], data, description=f"canary {kind}")

    def _versions(self):
        client = self.client
        secret_id = client.create_secret(name="canary-versions", description="canary")["id"]
        self.add(secret_id, b"canary enabled")
        path = self.add(secret_id, b"canary disabled")
        succeed(client.post(path + "/disable"))
        self._cannot_read(path)
        path = self.add(secret_id, b"canary enabled again")
        succeed(client.post(path + "/disable"))
        succeed(client.post(path + "/enable"))
        path = self.add(secret_id, b"canary scheduled")
        succeed(client.delete(path))
        self._cannot_read(path)
        path = self.add(secret_id, b"canary restored")
        succeed(client.delete(path))
        succeed(client.post(path + "/restore"))
        path = self.add(secret_id, b"canary expires")
        late = {"expires_at": LATE, "action": "disable"}
        succeed(client.patch(path, {"ephemeral_properties": late}))

    def _secrets(self):
        client = self.client
        for name in ("protected", "locked", "managed", "scheduled", "restored"):
            secret_id = client.create_secret(
                name=f"canary-{name}", path=f"/{name}/deep", protected=name == "protected"
            )["id"]
            path = self.add(secret_id, f"canary {name}".encode())
            if name == "locked":
                self._operator("SELECT operator.secret_lock(%s)", secret_id)
                self._cannot_read(path)
            elif name == "managed":
                self._operator("SELECT operator.secret_manage(%s, 'canary')", secret_id)
            elif name == "scheduled":
                succeed(client.delete(f"/secrets/{secret_id}"))
                self._cannot_read(path)
            elif name == "restored":
                succeed(client.delete(f"/secrets/{secret_id}"))
                succeed(client.post(f"/secrets/{secret_id}/restore"))

    def _read_once(self):
        for action in ("disable", "delete"):
            policy = {"expires_once_accessed": True, "action": action}
            secret_id = self.client.create_secret(name=f"canary-{action}", ephemeral_policy=policy)
            data = f"canary to be read once: {action}".encode()
            revision = self.client.create_version(secret_id["id"], data)["revision"]
            self.kept["read_once"].append([secret_id["id"], revision, text(data)])

    def _keys(self):
        manager = self.manager
        key = manager.create_key(name="canary-rotations", description="canary", tags=["canary"])
        secret_id = self.client.create_secret(name="canary-keyed", key_id=key["id"])["id"]
        for rotation in range(1, 4):
            plaintext = f"canary rotation {rotation}".encode()
            ciphertext = manager.encrypt(key["id"], plaintext, b"canary")
            self.kept["ciphertexts"].append([key["id"], text(ciphertext), text(plaintext)])
            self.add(secret_id, f"canary under rotation {rotation}".encode())
            if rotation < 3:
                succeed(manager.post(f"/keys/{key['id']}/rotate"))
        policy = {"rotation_period": "31536000s", "next_rotation_at": LATE}
        manager.create_key(name="canary-policy", rotation_policy=policy)
        for action in ("disable", "protect", "unprotect"):
            other = manager.create_key(name=f"canary-{action}", unprotected=action == "protect")
            succeed(manager.post(f"/keys/{other['id']}/{action}"))
        other = manager.create_key(name="canary-scheduled", unprotected=True)
        succeed(manager.delete(f"/keys/{other['id']}"))

    def _identities(self):
        tenant = self.tenant
        reader = tenant.key("SecretManagerReadOnly", project_id=tenant.project_id)
        nobody = tenant.key()
        revoked = tenant.key("SecretManagerFullAccess")
        self._operator("SELECT operator.api_key_revoke(%s)", revoked.access_key)
        expires = tenant.key("SecretManagerFullAccess", expires_at=LATE)
        expired = tenant.key("SecretManagerFullAccess", expires_at=LATE)
        self.database.query(
            "UPDATE store.api_key SET expires_at = clock_timestamp() WHERE access_key = %s",
            expired.access_key,
        )
        for key in (reader, nobody, revoked, expires, expired):
            status = asks(self.client, key.secret_key, tenant.project_id)
            self.kept["other_api_keys"].append([key.secret_key, status])
        for resource in ("secret", "secret_version", "key"):
            self._operator(
                "SELECT operator.quota_set(%s, %s, 100000)", tenant.organization_id, resource
            )
        # What is scheduled must be there when a later release looks for it.
        self._operator("SELECT operator.setting_set('purge_after', '3600 days')")

    def _rotate(self):
        """Another key for the project: some versions stay under the old one."""
        self._operator("SELECT operator.kek_rotate(%s)", self.tenant.project_id)
        count = "SELECT count(*) FROM store.kek WHERE key_id IS NULL AND project_id = %s"
        eventually(lambda: self.database.query(count, self.tenant.project_id) == [(2,)])


def asks(client, api_key, project_id):
    """The status of a list that this API key asks for."""
    return client.as_key(api_key).get("/secrets", query={"project_id": project_id}).status


def whole_list(client, path, member, **query):
    found = []
    while len(found) % PAGE == 0:
        page = {"page": len(found) // PAGE + 1, "page_size": PAGE}
        part = succeed(client.get(path, query={**query, **page}))[member]
        found += part
        if not part:
            break
    return found


def all_changes(client):
    found, part = [], client.changes(page_size=PAGE)
    while part["changes"]:
        found += part["changes"]
        part = client.changes(page_size=PAGE, after=part["cursor"])
    return found


def lists(client, kept):
    """What lists of the APIs say of it, whatever has been added since."""
    project = {"project_id": kept["project_id"]}
    manager = client.key_manager()
    secrets, managed = [], []
    for scheduled in ("false", "true"):
        query = {**project, "scheduled_for_deletion": scheduled}
        secrets += whole_list(client, "/secrets", "secrets", **query)
        managed += whole_list(manager, "/keys", "keys", **query)
    return {
        "secrets": secrets,
        "versions": [
            {"secret_id": secret["id"], **version}
            for secret in secrets
            if secret["deletion_requested_at"] is None
            for version in whole_list(client, f"/secrets/{secret['id']}/versions", "versions")
        ],
        "keys": managed,
        "changes": all_changes(client),
    }


def make(directory, daemon):
    """Fill the database of a daemon, and keep a dump of it in a directory, with what is needed to look at it."""
    database = daemon.database
    with unsealed(database):
        filler = Filler(daemon)
        filler.fill()
        daemon.stop()
        before = len(daemon.log)
        database.query(MONTH_BEFORE)
        dated = database.query("SELECT id, hash FROM audit.event ORDER BY id")
    for _ in range(30):
        database.query("SELECT job.audit_seal(16)")
    daemon.start()
    client = filler.client.to(daemon)
    # Of this month.
    for secret_id, revision, data in filler.kept["values"]:
        assert text(client.access(secret_id, revision)) == data
    filler.kept.update(lists(client, filler.kept))
    eventually(lambda: is_anchored(database))
    daemon.stop()
    # What verification reads of a log. Other lines name places of the machine.
    evidence = [
        json.dumps({"receipt": id, "receipt_hash": hash.hex()}, separators=(",", ":"))
        for id, hash in dated
    ] + [
        line
        for line in daemon.log[before:].splitlines()
        if '"event":"seal"' in line or '"receipt":' in line
    ]
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "log").write_text("\n".join(evidence) + "\n")
    (directory / "kept.json").write_text(json.dumps(filler.kept, indent=1) + "\n")
    (directory / "throwaway-root-key").write_text(
        Path(daemon.settings["root_key_file"]).read_text()
    )
    done = subprocess.run(
        ["pg_dump", "--clean", "--if-exists"],
        env=database.environment(),
        check=True,
        stdout=subprocess.PIPE,
    )
    (directory / "dump.sql.gz").write_bytes(gzip.compress(done.stdout, mtime=0))


class Release:
    """A kept release."""

    def __init__(self, version):
        self.version = version
        self._directory = RELEASES / version
        self.log = self._directory / "log"
        self.kept = json.loads((self._directory / "kept.json").read_text())

    @property
    def commit(self):
        """What the dump was made from."""
        return (self._directory / "commit").read_text().strip()

    def root_key_file(self, directory):
        """Write its root key where a daemon takes one."""
        file = directory / "throwaway-root-key"
        file.write_text((self._directory / "throwaway-root-key").read_text())
        file.chmod(0o400)
        return file

    def restore(self, database):
        """Restore its dump into a database where install.sql has run."""
        # Servers do not know settings that a pg_dump of a later version sets, and go on.
        subprocess.run(
            ["psql", "-Xq", "--single-transaction", "-v", "ON_ERROR_STOP=1"],
            input=gzip.decompress((self._directory / "dump.sql.gz").read_bytes()),
            env=database.environment(),
            check=True,
            stdout=subprocess.DEVNULL,
        )

    def client(self, daemon):
        return Client(daemon.port, self.kept["throwaway_api_key"])

    def look(self, daemon):
        """All that can be read of it without a change is there and as it was."""
        client, kept = self.client(daemon), self.kept
        for secret_id, revision, data in kept["values"]:
            assert text(client.access(secret_id, revision)) == data
        for secret_id, revision, status in kept["refused"]:
            path = f"/secrets/{secret_id}/versions/{revision}/access"
            assert client.get(path).status == status
        for key_id, ciphertext, plaintext in kept["ciphertexts"]:
            ciphertext = base64.b64decode(ciphertext)
            opened = client.key_manager().decrypt(key_id, ciphertext, b"canary")
            assert text(opened) == plaintext
        for api_key, status in kept["other_api_keys"]:
            assert asks(client, api_key, kept["project_id"]) == status
        now = lists(client, kept)
        for name, found in now.items():
            assert len(kept[name]) > 1
            for was in kept[name]:
                assert any(was.items() <= item.items() for item in found if like(was, item)), was

    def read_once(self, daemon):
        """What can be read once is read, once."""
        client = self.client(daemon)
        for secret_id, revision, data in self.kept["read_once"]:
            assert text(client.access(secret_id, revision)) == data
            path = f"/secrets/{secret_id}/versions/{revision}/access"
            assert client.get(path).status in (404, 412)


def like(was, item):
    return all(was.get(name) == item.get(name) for name in ("id", "secret_id", "revision"))


def kept_releases():
    return sorted(path.parent.name for path in RELEASES.glob("*/dump.sql.gz"))
