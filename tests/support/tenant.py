"""An organization with a project and keys, made as an operator makes them."""

import secrets
import string
import uuid
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from support import keys, outside
from support.client import REGION, Client


@dataclass(frozen=True)
class Key:
    principal_id: str
    access_key: str
    secret_key: str


class Tenant:
    """An organization of one daemon's database, with a project and a full-access key.

    Most tests begin with one. So its keys are minted here; the command does it for tests of the command.
    """

    def __init__(self, daemon):
        self.daemon = daemon
        with self._operator() as call:
            self.organization_id = call("organization_create", f"organization {uuid.uuid4()}")
            self.project_id = call(
                "project_create", self.organization_id, f"project {uuid.uuid4()}"
            )
            self.full_access = self._key(call, ["SecretManagerFullAccess", "KeyManagerFullAccess"])

    def project(self, name=None):
        """Add a project, return its id."""
        with self._operator() as call:
            return call("project_create", self.organization_id, name or f"project {uuid.uuid4()}")

    def key(self, *permission_sets, project_id=None, expires_at=None):
        """Add an application with these sets, on one project or on all, and a key of it."""
        projects = None if project_id is None else [uuid.UUID(project_id)]
        with self._operator() as call:
            return self._key(call, permission_sets, projects, expires_at)

    def key_of(self, principal_id, expires_at=None):
        """Mint a key of a principal."""
        with self._operator() as call:
            return self._mint(call, principal_id, expires_at)

    def client(self, daemon=None, key=None):
        """A client with the full-access key, or another."""
        return Client((daemon or self.daemon).port, (key or self.full_access).secret_key)

    def client_environment(self):
        """The variables by which the SDKs reach the daemon."""
        return {
            "SCW_API_URL": self.daemon.url,
            "SCW_ACCESS_KEY": self.full_access.access_key,
            "SCW_SECRET_KEY": self.full_access.secret_key,
            "SCW_DEFAULT_ORGANIZATION_ID": self.organization_id,
            "SCW_DEFAULT_PROJECT_ID": self.project_id,
            "SCW_DEFAULT_REGION": REGION,
            "SCW_INSECURE": "true",
        }

    @contextmanager
    def _operator(self):
        """Give what calls a function of schema operator as the operator and returns its value as text."""
        with self.daemon.database.connect("coffer_operator") as connection:

            def call(function, *arguments):
                places = ", ".join(["%s"] * len(arguments))
                statement = f"SELECT operator.{function}({places})"
                return str(connection.execute(statement, arguments).fetchone()[0])

            yield call

    def _key(self, call, permission_sets, projects=None, expires_at=None):
        name = f"application {uuid.uuid4()}"
        principal_id = call("principal_create", self.organization_id, "application", name)
        if permission_sets:
            call("policy_create", principal_id, "policy", list(permission_sets), projects)
        return self._mint(call, principal_id, expires_at)

    def _mint(self, call, principal_id, expires_at):
        access_key = "SCW" + "".join(secrets.choice(string.ascii_uppercase) for _ in range(17))
        secret_key = str(uuid.uuid4())
        digest = keys.digest(self._pepper(), secret_key)
        call("api_key_add", principal_id, access_key, digest, self.project_id, "", expires_at)
        return Key(principal_id, access_key, secret_key)

    def _pepper(self):
        """The pepper of the database, which the daemon has made."""
        root = Path(self.daemon.settings["root_key_file"])
        query = "SELECT root_id, wrapped FROM store.pepper"
        ((root_id, wrapped),) = self.daemon.database.query(query)
        aad = outside.pepper_aad(root_id)
        return outside.unwrap(keys.root_key(root), b"coffer/pepper", aad, wrapped)
