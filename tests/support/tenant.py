"""An organization with a project and keys, made as an operator makes them."""

import uuid
from dataclasses import dataclass

from support.client import REGION, Client
from support.daemon import coffer


@dataclass(frozen=True)
class Key:
    principal_id: str
    access_key: str
    secret_key: str


class Tenant:
    """An organization of one daemon's database, with a project and a full-access key."""

    def __init__(self, daemon):
        self.daemon = daemon
        self.organization_id = self._operator("organization_create", f"organization {uuid.uuid4()}")
        self.project_id = self.project()
        self.full_access = self.key("SecretManagerFullAccess", "KeyManagerFullAccess")

    def project(self, name=None):
        """Add a project, return its id."""
        return self._operator(
            "project_create", self.organization_id, name or f"project {uuid.uuid4()}"
        )

    def key(self, *permission_sets, project_id=None, expires_at=None):
        """Add an application with these sets, on one project or on all, and a key of it."""
        principal_id = self._operator(
            "principal_create", self.organization_id, "application", f"application {uuid.uuid4()}"
        )
        if permission_sets:
            projects = None if project_id is None else [uuid.UUID(project_id)]
            self._operator("policy_create", principal_id, "policy", list(permission_sets), projects)
        return self.key_of(principal_id, expires_at=expires_at)

    def key_of(self, principal_id, expires_at=None):
        """Mint a key of a principal, with the command that does."""
        arguments = ["--principal", principal_id, "--project", self.project_id]
        if expires_at is not None:
            arguments += ["--expires-at", expires_at]
        printed = coffer(
            "api-key",
            "create",
            *arguments,
            dsn_operator=self.daemon.database.dsn("coffer_operator"),
            root_key_file=self.daemon.settings["root_key_file"],
        )
        values = dict(line.split("=", 1) for line in printed.splitlines())
        return Key(principal_id, values["access_key"], values["secret_key"])

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

    def _operator(self, function, *arguments):
        """Call a function of schema operator as the operator; return its value as text."""
        places = ", ".join(["%s"] * len(arguments))
        ((value,),) = self.daemon.database.query(
            f"SELECT operator.{function}({places})", *arguments, role="coffer_operator"
        )
        return str(value)
