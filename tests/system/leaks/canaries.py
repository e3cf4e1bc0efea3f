"""Which endpoints touch plaintext or keys, and how they are called, well and badly, with plaintext that nothing else has."""

import base64
import json
import secrets
import zlib
from dataclasses import dataclass
from typing import Callable

from support import keys
from support.client import Client


def encoded(payload):
    return base64.b64encode(payload).decode()


# The endpoints ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Endpoint:
    """How to call one: the path has names in braces that a scene knows, the body is made of it and of a payload in base64."""

    function: str
    method: str
    path: str
    body: Callable[["Scene", str], dict] | None = None

    @property
    def of_secret(self):
        return self.function.startswith("secret_")


SECRETS = "/secret-manager/v1beta1/regions/fr-par/secrets"
KEYS = "/key-manager/v1alpha1/regions/fr-par/keys"
# One row for each endpoint that takes plaintext, or gives it, or makes a key.
ENDPOINTS = [
    Endpoint(
        "secret_version_create",
        "POST",
        SECRETS + "/{secret_id}/versions",
        lambda scene, data: {"data": data},
    ),
    Endpoint(
        "secret_version_access", "GET", SECRETS + "/{secret_id}/versions/latest_enabled/access"
    ),
    Endpoint(
        "secret_version_access_by_path",
        "GET",
        SECRETS
        + "-by-path/versions/latest_enabled/access?project_id={project_id}&secret_name={secret_name}",
    ),
    Endpoint(
        "key_create",
        "POST",
        KEYS,
        lambda scene, data: {"usage": {"symmetric_encryption": "aes_256_gcm"}},
    ),
    Endpoint("key_rotate", "POST", KEYS + "/{key_id}/rotate"),
    Endpoint(
        "key_encrypt",
        "POST",
        KEYS + "/{key_id}/encrypt",
        lambda scene, data: {"plaintext": data, "associated_data": data},
    ),
    Endpoint(
        "key_decrypt",
        "POST",
        KEYS + "/{key_id}/decrypt",
        lambda scene, data: {"ciphertext": scene.ciphertext, "associated_data": data},
    ),
    Endpoint(
        "key_generate_data_key",
        "POST",
        KEYS + "/{key_id}/generate-data-key",
        lambda scene, data: {},
    ),
]


def endpoints(*functions):
    return [endpoint for endpoint in ENDPOINTS if endpoint.function in functions]


# All others, which do not.
WITHOUT_PLAINTEXT = set(
    """
    secret_create secret_list secret_browse secret_get secret_update secret_delete secret_protect secret_unprotect
    secret_restore secret_add_owner secret_version_list secret_version_get secret_version_update secret_version_delete
    secret_version_enable secret_version_disable secret_version_restore tag_list secret_type_list audit_event_list
    change_list metadata live ready key_list key_get key_update key_delete key_protect key_unprotect key_enable
    key_disable key_restore algorithm_list
    """.split()
)


# What is wrapped under a root key, each under a key of its own.
WRAPPED = ["coffer/pepper", "coffer/signer", "coffer/kek"]


class Recorder(Client):
    """The same client, which keeps all answers in a list."""

    def __init__(self, client, answers):
        super().__init__(client.port, client.secret_key)
        self.answers = answers

    def call(self, *arguments, **named):
        answer = super().call(*arguments, **named)
        self.answers.append(answer)
        return answer


class Scene:
    """One endpoint with what it is called on: a secret of its own, under the project's key or a managed one, or a managed key."""

    def __init__(self, stage, endpoint, managed, payload):
        self.stage = stage
        self.endpoint = endpoint
        self.name = endpoint.function + (" under a managed key" if managed else "")
        self.payload = payload
        self.names = {
            "project_id": stage.tenant.project_id,
            "secret_name": self.name.replace(" ", "-"),
        }
        self.key_id = self.secret_id = self.ciphertext = None
        if managed or not endpoint.of_secret:
            self._add_key()
        if endpoint.of_secret:
            self._add_secret()

    def _add_key(self):
        manager = self.stage.client.key_manager()
        self.key_id = self.names["key_id"] = manager.create_key(unprotected=True)["id"]
        self.encrypted = self.payload
        self.ciphertext = encoded(manager.encrypt(self.key_id, self.payload, self.payload))

    def _add_secret(self):
        created = self.stage.client.create_secret(
            name=self.names["secret_name"], key_id=self.key_id
        )
        self.secret_id = self.names["secret_id"] = created["id"]
        self.stage.client.create_version(self.secret_id, self.payload)

    def call(self, client=None, body=None):
        """Call with the payload, or with another body instead; return the answer."""
        client = client or self.stage.client
        if body is None and self.endpoint.body is not None:
            body = self.endpoint.body(self, encoded(self.payload))
        path = self.endpoint.path.format(**self.names)
        answer = client.call(self.endpoint.method, path, body, absolute=True)
        if self.endpoint.function == "key_generate_data_key" and answer.status == 200:
            self.payload = base64.b64decode(answer.body["plaintext"])
        return answer

    def secrets(self, project_keys):
        """What must not be found, {name: bytes}: the payload, and all keys above it up to the managed one."""
        found = {"payload": self.payload}
        root, query = self.stage.root, self.stage.tenant.daemon.database.query
        for kek_id, rotation, wrapped in query(
            "SELECT id, rotation, wrapped FROM store.kek WHERE key_id = %s", self.key_id
        ):
            material = keys.unwrap(root, b"coffer/kek", wrapped)
            cipher_key = keys.hkdf(material, b"coffer/cipher")
            if rotation == 1:
                proved = (
                    keys.decrypt(cipher_key, base64.b64decode(self.ciphertext)) == self.encrypted
                )
                assert proved, self.name
            found[f"rotation {rotation}"] = material
            found[f"cipher key {rotation}"] = cipher_key
            project_keys = {**project_keys, kek_id: material}
        for revision, kek_id, wrapped, sealed in query(
            "SELECT revision, kek_id, wrapped, sealed FROM store.dek JOIN store.version USING (secret_id, revision)"
            " WHERE secret_id = %s ORDER BY revision DESC LIMIT 1",
            self.secret_id,
        ):
            access_key = keys.access_key(
                project_keys[kek_id], self.names["project_id"], self.secret_id
            )
            dek = keys.open_sealed(access_key, wrapped)
            proved = keys.open_sealed(dek, sealed) == b"\0" + self.payload
            assert proved, self.name  # so these are the keys
            found["access key"] = access_key
            found["version key"] = dek
        return {f"{self.name}: {name}": secret for name, secret in found.items()}


class Stage:
    """A scene for each endpoint; for those of secrets another under a managed key. Every second payload is a text."""

    def __init__(self, tenant, root_key_file, endpoints=ENDPOINTS):
        self.tenant = tenant
        self.root = keys.root_key(root_key_file)
        self.answers = []
        self.client = self.record(tenant.client())
        for resource in ("secret", "secret_version", "key"):
            tenant.daemon.database.query(
                "SELECT operator.quota_set(%s, %s, 100000)", tenant.organization_id, resource
            )
        self.scenes = [
            Scene(
                self,
                endpoint,
                managed,
                secrets.token_bytes(32) if managed else secrets.token_hex(16).encode(),
            )
            for endpoint in endpoints
            for managed in ([False, True] if endpoint.of_secret else [False])
        ]

    def record(self, client):
        return Recorder(client, self.answers)

    def scene(self, function):
        return next(scene for scene in self.scenes if scene.endpoint.function == function)

    def all(self, client=None):
        """Call all of them once; the statuses."""
        return {scene.name: scene.call(client).status for scene in self.scenes}

    def answer(self, status, client=None):
        """Whether all are answered so."""
        return set(self.all(client).values()) == {status}

    def secrets(self):
        """What must not be found, {name: bytes}, from the API key up to the root key."""
        query = self.tenant.daemon.database.query
        ((wrapped_pepper,),) = query("SELECT wrapped FROM store.pepper")
        pepper = keys.unwrap(self.root, b"coffer/pepper", wrapped_pepper)
        secret_key = self.tenant.full_access.secret_key
        digest = keys.digest(pepper, secret_key)
        assert query("SELECT count(*) FROM store.api_key WHERE digest = %s", digest) == [(1,)]
        project_keys = {
            kek_id: keys.unwrap(self.root, b"coffer/kek", wrapped)
            for kek_id, wrapped in query("SELECT id, wrapped FROM store.kek WHERE key_id IS NULL")
        }
        signers = {
            public_key: keys.unwrap(self.root, b"coffer/signer", wrapped)
            for public_key, wrapped in query("SELECT public_key, wrapped FROM store.signer")
        }
        proved = all(
            keys.public_key(signer) == public_key for public_key, signer in signers.items()
        )
        assert proved
        found = {
            "secret key": secret_key.encode(),
            "secret key in capitals": secret_key.upper().encode(),
            "secret key in bytes": bytes.fromhex(secret_key.replace("-", "")),
            "root key": self.root,
            **{f"root key for {label}": keys.hkdf(self.root, label.encode()) for label in WRAPPED},
            "pepper": pepper,
            **{f"signing key {number}": signer for number, signer in enumerate(signers.values())},
            **{f"project key {kek_id}": key for kek_id, key in project_keys.items()},
        }
        for scene in self.scenes:
            found |= scene.secrets(project_keys)
        return found


def bad_bodies(scene):
    """Bodies that hold the payload and are refused, each in another way."""
    payload = scene.payload
    good = scene.endpoint.body(scene, encoded(payload))
    text = json.dumps(good).encode()
    in_base64 = encoded(payload).encode()
    quoted = b'"' + in_base64 + b'"'
    changed = [
        text.replace(in_base64, in_base64 + b"!"),
        text.replace(in_base64, in_base64.rstrip(b"=")[:-2]),
        text.replace(in_base64, payload + b"\xff"),
        text.replace(in_base64, payload + b"\\u0000"),
        text.replace(in_base64, payload + "\u00e9".encode()),
        text.replace(quoted, in_base64),
        text.replace(quoted, b'["' + in_base64 + b'"]'),
        text.replace(quoted, b'{"value":' + quoted + b"}"),
        json.dumps(scene.endpoint.body(scene, encoded(payload * 4097))).encode(),
        json.dumps(scene.endpoint.body(scene, encoded(payload * 10000))).encode(),
    ]
    return [body for body in changed if in_base64 in text] + [
        text[:-1],
        text + b"x",
        b'{"x":1.,' + text[1:],
        b"[" + text + b"]",
        b'"' + payload + b'"',
        payload,
    ]


# Payloads of each type ---------------------------------------------------------------------------


def typed_payloads(value, name):
    """For each type payloads that it takes, and payloads that it refuses; `value` is in values, `name` in names of members."""
    database = {
        "engine": "postgres",
        "username": "u",
        "password": value,
        "host": "h",
        "dbname": "d",
        "port": "5432",
    }
    pem = "-----BEGIN CERTIFICATE-----\n%s\n-----END CERTIFICATE-----\n"
    block = pem % encoded(value.encode() * 3)
    many = {f"{name}{i}": value for i in range(800)}
    good = {
        "opaque": [value.encode(), bytes(range(256)) + value.encode(), value.encode() * 2048],
        "certificate": [block.encode(), (block * 300).encode()],
        "key_value": [
            json.dumps({"key": value, name: 1}).encode(),
            json.dumps({name: True}).encode(),
            json.dumps({f"{i:x}": 1 for i in range(5000)}).encode(),
            json.dumps(many).encode(),
        ],
        "basic_credentials": [json.dumps({"username": value, "password": value}).encode()],
        "database_credentials": [json.dumps(database).encode()],
        "ssh_key": [json.dumps({"ssh_private_key": f"-----BEGIN\n{value}\n"}).encode()],
    }
    no_json = [
        value,
        f'"{value}',
        f'{{"{value}',
        f'{{"password":"{value}"',
        f'{{"password":"{value}",}}',
        f'{{"password":{value}}}',
        f'{{"password":"{value}\\x"}}',
        f'{{"password":"{value}\\u12"}}',
        f'{{"password":"{value}\\u0000"}}',
        f'{{"password":"{value}\\ud800"}}',
        f'{{"password":"{value}\x01"}}',
        f'{{"password":"{value}"}} {value}',
        f'{{"{value}":1e{"9" * 20}}}',
        f'{{"{value}":1e200000}}',
        f'{{"{value}":{"[" * 20000}',
        f'["{value}"]',
        f'"{value}"',
        f"{{{value}:1}}",
        f'{{"username":["{value}"],"password":{{"{value}":"{value}"}}}}',
        f'{{"{name}":null,"password":null}}',
        json.dumps({name + str(i): None for i in range(1000)}),
        "9" * 100 + value,
    ]
    no_text = [
        value.encode() + b"\xff",
        b'{"password":"%s\xc0\x80"}' % value.encode(),
        value.encode() + b"\0",
    ]
    bad = {
        "certificate": [
            value.encode(),
            (pem % f"{value}!").encode(),
            (pem % value)[:-10].encode(),
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
            {"engine": value},
            {"port": value},
            {"port": 5432},
            {name: "more"},
            {"host": [value]},
        )
    ]
    return good, bad


def exercise_types(client, value, name):
    """Every type, with all its payloads."""
    good, bad = typed_payloads(value, name)
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
            answer = client.post(
                f"/secrets/{ids[secret_type]}/versions", {"data": encoded(payload)}
            )
            # key_value takes some of what the others refuse.
            assert answer.status == 400 or (secret_type == "key_value" and answer.status == 200), (
                answer.status
            )
