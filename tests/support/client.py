"""An HTTP client that hides nothing."""

import base64
import http.client
import json
import socket
from dataclasses import dataclass
from email.message import Message
from urllib.parse import urlencode

REGION = "fr-par"


@dataclass
class Answer:
    status: int
    headers: Message
    raw: bytes

    @property
    def body(self):
        """The parsed JSON body, or None when there is none."""
        return json.loads(self.raw) if self.raw else None


class Client:
    """One keep-alive connection to a daemon, with one key."""

    base = "/secret-manager/v1beta1"

    def __init__(self, port, secret_key=None, region=REGION, timeout=60):
        self.port = port
        self.secret_key = secret_key
        self.region = region
        self.timeout = timeout
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)

    def as_key(self, secret_key):
        """A client with another key; None sends none."""
        return type(self)(self.port, secret_key, self.region, self.timeout)

    def to(self, daemon):
        """A client with this key on another daemon."""
        return type(self)(daemon.port, self.secret_key, self.region, self.timeout)

    def key_manager(self):
        """A client of the Key Manager with this key."""
        return KeyManager(self.port, self.secret_key, self.region, self.timeout)

    def close(self):
        self._connection.close()

    def path(self, path, query=None):
        """The full path of one that is relative to the API and the region."""
        prefix = f"{self.base}/regions/{self.region}"
        return prefix + path + (f"?{urlencode(query, doseq=True)}" if query else "")

    def call(self, method, path, body=None, query=None, headers=None, absolute=False):
        """Call and return the Answer. body: a dict is sent as JSON, bytes as they are."""
        sent = {"X-Auth-Token": self.secret_key} if self.secret_key is not None else {}
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
            sent["Content-Type"] = "application/json"
        try:
            self._connection.request(
                method,
                path if absolute else self.path(path, query),
                body,
                {**sent, **(headers or {})},
            )
            response = self._connection.getresponse()
            return Answer(response.status, response.headers, response.read())
        except BaseException:
            self._connection.close()  # the next call begins anew
            raise

    def get(self, path, **arguments):
        return self.call("GET", path, **arguments)

    def post(self, path, body=None, **arguments):
        return self.call("POST", path, body, **arguments)

    def patch(self, path, body=None, **arguments):
        return self.call("PATCH", path, body, **arguments)

    def delete(self, path, **arguments):
        return self.call("DELETE", path, **arguments)

    def changes(self, **query):
        """Ask for changes, which has to succeed; return them with their cursor."""
        path = f"/coffer/v1/regions/{self.region}/changes?{urlencode(query)}"
        answer = self.get(path, absolute=True)
        assert answer.status == 200, answer
        return answer.body

    def raw(self, data, timeout=30, source="127.0.0.1"):
        """Send bytes on a connection of their own, from this address; return all that came until it was closed."""
        with socket.create_connection(("127.0.0.1", self.port), timeout, (source, 0)) as connection:
            connection.sendall(data)
            received = b""
            while chunk := connection.recv(65536):
                received += chunk
            return received

    def create_secret(self, **members):
        """Create a secret, which has to succeed, and return it."""
        answer = self.post("/secrets", members)
        assert answer.status == 200, answer
        return answer.body

    def create_version(self, secret_id, data, **members):
        """Create a version from bytes, which has to succeed, and return it."""
        answer = self.post(
            f"/secrets/{secret_id}/versions",
            {"data": base64.b64encode(data).decode(), **members},
        )
        assert answer.status == 200, answer
        return answer.body

    def access(self, secret_id, revision="latest"):
        """Read a version, which has to succeed, and return its bytes."""
        answer = self.get(f"/secrets/{secret_id}/versions/{revision}/access")
        assert answer.status == 200, answer.status
        return base64.b64decode(answer.body["data"])

    def shape(self, secret_id):
        """What the API tells of a secret and its versions, but for the time of the last change."""
        shown = [self.get(f"/secrets/{secret_id}").body]
        shown += self.get(f"/secrets/{secret_id}/versions").body["versions"]
        for one in shown:
            del one["updated_at"]
        return shown


class KeyManager(Client):
    """The same for the Key Manager API."""

    base = "/key-manager/v1alpha1"

    def create_key(self, **members):
        """Create a key, which has to succeed, and return it."""
        answer = self.post("/keys", {"usage": {"symmetric_encryption": "aes_256_gcm"}, **members})
        assert answer.status == 200, answer
        return answer.body

    def encrypt(self, key_id, plaintext, associated_data=None):
        """Encrypt bytes, which has to succeed, and return the ciphertext in bytes."""
        answer = self.post(
            f"/keys/{key_id}/encrypt", values(plaintext=plaintext, associated_data=associated_data)
        )
        assert answer.status == 200, answer.status
        return base64.b64decode(answer.body["ciphertext"])

    def ask_to_decrypt(self, key_id, ciphertext, associated_data=None):
        """Ask for a ciphertext in bytes to be decrypted, and return the Answer."""
        return self.post(
            f"/keys/{key_id}/decrypt",
            values(ciphertext=ciphertext, associated_data=associated_data),
        )

    def decrypt(self, key_id, ciphertext, associated_data=None):
        """Decrypt bytes, which has to succeed, and return the plaintext in bytes."""
        answer = self.ask_to_decrypt(key_id, ciphertext, associated_data)
        assert answer.status == 200, answer.status
        return base64.b64decode(answer.body["plaintext"])


def values(**members):
    """A body with these bytes, as they are written in JSON; without those that are None."""
    return {
        name: base64.b64encode(value).decode()
        for name, value in members.items()
        if value is not None
    }
