"""The state machine of the contract as a few plain objects, to be compared with the service.

An operation takes the same arguments as its endpoint, and the instant at which the service says it
happened, so that the times of both can be compared for equality. It gives the body of the answer,
or raises Refused.
"""

import base64
import binascii
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

import expected
from expected import ANY_TIME


class Refused(Exception):
    """An operation that the contract refuses, with this status and body."""


def normal_path(path):
    return "/" + "/".join(component for component in path.split("/") if component)


def instant(text):
    return datetime.fromisoformat(text)


def instant_text(time):
    return time.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def duration(text):
    """A duration as the service writes it: no fraction when whole, else 3, 6 or 9 digits."""
    seconds = Decimal(text.removesuffix("s")).quantize(Decimal("1e-9"))
    for digits in (0, 3, 6):
        if seconds == round(seconds, digits):
            return f"{seconds:.{digits}f}s"
    return f"{seconds:.9f}s"


@dataclass
class Version:
    revision: int
    description: str
    data: bytes
    crc32: int | None
    created_at: str
    updated_at: str
    properties: dict | None
    recoverable: bool = False
    status: str = "enabled"
    status_to_restore: str | None = None
    deletion_requested_at: str | None = None

    def schedule(self, now):
        if self.deletion_requested_at is None:
            self.status_to_restore = self.status
            self.status = "scheduled_for_deletion"
            self.deletion_requested_at = now

    def restore(self):
        self.status = self.status_to_restore
        self.status_to_restore = self.deletion_requested_at = None


@dataclass
class Secret:
    id: str
    project_id: str
    name: str
    path: str
    tags: list
    description: str
    type: str
    policy: dict | None
    protected: bool
    created_at: str
    updated_at: str
    policy_origin: str | None = None  # creation, replaced or added
    status: str = "ready"
    managed: bool = False
    used_by: list = field(default_factory=list)
    deletion_requested_at: str | None = None
    versions: dict = field(default_factory=dict)
    last_revision: int = 0

    def live(self):
        return self.deletion_requested_at is None

    def document(self):
        return expected.secret(
            id=self.id,
            project_id=self.project_id,
            name=self.name,
            status=self.status,
            created_at=self.created_at,
            updated_at=self.updated_at,
            tags=self.tags,
            version_count=len(self.versions),
            description=self.description,
            managed=self.managed,
            type=self.type,
            protected=self.protected,
            path=self.path,
            ephemeral_policy=self.policy,
            used_by=self.used_by,
            deletion_requested_at=self.deletion_requested_at,
        )

    def version_document(self, version):
        return expected.version(
            revision=version.revision,
            secret_id=self.id,
            status=version.status,
            created_at=version.created_at,
            updated_at=version.updated_at,
            description=version.description,
            latest=version.revision == max(self.versions),
            ephemeral_properties=version.properties,
            deletion_requested_at=version.deletion_requested_at,
        )

    def fresh_properties(self, now):
        if self.policy is None:
            return None
        lifetime = self.policy["time_to_live"]
        if lifetime is not None:
            lifetime = timedelta(seconds=float(lifetime.removesuffix("s")))
        return {
            "expires_at": lifetime and instant_text(instant(now) + lifetime),
            "expires_once_accessed": self.policy["expires_once_accessed"],
            "action": self.policy["action"],
        }

    def expire(self, version, at=None):
        if version.properties["action"] == "delete" and version.recoverable:
            # What a change lets expire is deleted as by a deletion; its time is past then.
            version.schedule(at or ANY_TIME)
            version.properties = version.properties | {"expires_at": None}
            if not version.properties["expires_once_accessed"]:
                version.properties = None
        elif version.properties["action"] == "delete":
            del self.versions[version.revision]
        elif version.status == "enabled":
            version.status = "disabled"
            # The contract does not say whether expiry counts as an update.
            version.updated_at = ANY_TIME


class Model:
    def __init__(self, project_id, version_quota):
        self.project_id = project_id
        self.version_quota = version_quota
        self.secrets = {}
        self.clock = ""

    # What all operations share -------------------------------------------------

    def changed(self, now):
        """Something changes at this instant, so it must be later than all changes before."""
        assert now > self.clock, "the operation must change a time and has not"
        self.clock = now
        return now

    def secret(self, secret_id):
        if secret_id not in self.secrets:
            raise Refused(*expected.not_found("secret"))
        return self.secrets[secret_id]

    def unlocked(self, secret):
        if secret.status == "locked":
            raise Refused(*expected.locked(secret.id))
        return secret

    def changeable(self, secret_id, scheduled=False):
        """The secret, if it may be changed and is live, or scheduled if that is wanted."""
        secret = self.secret(secret_id)
        if secret.managed:
            raise Refused(*expected.permissions_denied())
        self.unlocked(secret)
        if secret.live() == scheduled:
            raise Refused(*expected.NOT_USABLE)
        return secret

    def version(self, secret, revision):
        if revision == "latest":
            candidates = list(secret.versions)
        elif revision == "latest_enabled":
            candidates = [
                version.revision
                for version in secret.versions.values()
                if version.status == "enabled"
            ]
        else:
            candidates = [number for number in secret.versions if number == int(revision)]
        if not candidates:
            raise Refused(*expected.not_found("secret_version"))
        return secret.versions[max(candidates)]

    def name_must_be_free(self, path, name, own=None):
        for secret in self.secrets.values():
            taken = secret.live() and (secret.path, secret.name) == (path, name)
            if taken and secret is not own:
                raise Refused(*expected.NAME_TAKEN)

    # Secrets --------------------------------------------------------------------

    def secret_create(
        self,
        new_id,
        now,
        *,
        name,
        path="/",
        tags=None,
        description="",
        type="opaque",
        ephemeral_policy=None,
        protected=False,
    ):
        path = normal_path(path)
        self.name_must_be_free(path, name)
        secret = Secret(
            id=new_id,
            project_id=self.project_id,
            name=name,
            path=path,
            tags=tags or [],
            description=description,
            type=type,
            policy=ephemeral_policy and self.policy(ephemeral_policy),
            policy_origin=ephemeral_policy and "creation",
            protected=protected,
            created_at=self.changed(now),
            updated_at=now,
        )
        self.secrets[new_id] = secret
        return secret.document()

    def policy(self, given):
        lifetime = given.get("time_to_live")
        return {
            "time_to_live": lifetime and duration(lifetime),
            "expires_once_accessed": given.get("expires_once_accessed", False),
            "action": given["action"],
        }

    def secret_get(self, secret_id):
        return self.secret(secret_id).document()

    def secret_update(self, secret_id, now, **members):
        secret = self.changeable(secret_id)
        policy = members.get("ephemeral_policy") and self.policy(members["ephemeral_policy"])
        changes_policy = policy is not None and policy != secret.policy
        if changes_policy and policy["action"] == "delete" and secret.protected:
            raise Refused(*expected.PROTECTED_EXPIRY)
        name = members.get("name", secret.name)
        path = normal_path(members.get("path", secret.path))
        self.name_must_be_free(path, name, own=secret)
        secret.name, secret.path = name, path
        secret.tags = members.get("tags", secret.tags)
        secret.description = members.get("description", secret.description)
        if changes_policy:
            secret.policy = policy
            secret.policy_origin = (
                "replaced" if secret.policy_origin in ("creation", "replaced") else "added"
            )
        secret.updated_at = self.changed(now)
        return secret.document()

    def secret_delete(self, secret_id, now):
        secret = self.changeable(secret_id)
        if secret.protected:
            raise Refused(*expected.PROTECTED)
        if secret.policy_origin in ("creation", "replaced"):
            del self.secrets[secret_id]
            return
        secret.deletion_requested_at = secret.updated_at = self.changed(now)
        for version in secret.versions.values():
            version.schedule(now)

    def secret_restore(self, secret_id, now):
        secret = self.changeable(secret_id, scheduled=True)
        self.name_must_be_free(secret.path, secret.name)
        secret.deletion_requested_at = None
        secret.updated_at = self.changed(now)
        for version in secret.versions.values():
            version.restore()
            version.updated_at = ANY_TIME  # the contract speaks of the restore of one version only
        return secret.document()

    def secret_protect(self, secret_id, protected):
        secret = self.changeable(secret_id)
        secret.protected = protected
        return secret.document()

    def secret_add_owner(self, secret_id, product):
        secret = self.changeable(secret_id)
        if product not in secret.used_by:
            secret.used_by = [*secret.used_by, product]

    # Versions -------------------------------------------------------------------

    def version_create(
        self,
        secret_id,
        now,
        *,
        data,
        description="",
        disable_previous=False,
        data_crc32=None,
    ):
        payload = base64.b64decode(data)
        if data_crc32 is not None and data_crc32 != binascii.crc32(payload):
            raise Refused(*expected.invalid_arguments(("data_crc32", "constraint")))
        secret = self.changeable(secret_id)
        if len(secret.versions) >= self.version_quota:
            raise Refused(
                *expected.quotas_exceeded(
                    "secret_version", self.version_quota, len(secret.versions)
                )
            )
        if disable_previous and secret.versions:
            previous = secret.versions[max(secret.versions)]
            if previous.status == "enabled":
                previous.status = "disabled"
                previous.updated_at = now
        secret.last_revision += 1
        version = Version(
            revision=secret.last_revision,
            description=description,
            data=payload,
            crc32=data_crc32,
            created_at=self.changed(now),
            updated_at=now,
            properties=secret.fresh_properties(now),
            recoverable=secret.policy_origin != "creation",
        )
        secret.versions[version.revision] = version
        return secret.version_document(version)

    def version_get(self, secret_id, revision):
        secret = self.secret(secret_id)
        return secret.version_document(self.version(secret, revision))

    def version_update(self, secret_id, revision, now, description=None, ephemeral_properties=None):
        secret, version = self.changeable_version(secret_id, revision)
        properties = (
            ephemeral_properties
            and {
                "expires_at": None,
                "expires_once_accessed": False,
            }
            | ephemeral_properties
        )
        if properties is not None and properties != version.properties:
            if properties["action"] == "delete" and secret.protected:
                raise Refused(*expected.PROTECTED_EXPIRY)
            version.properties = properties
            version.recoverable = True
        if description is not None:
            version.description = description
        version.updated_at = self.changed(now)
        return secret.version_document(version)

    def changeable_version(self, secret_id, revision, scheduled=False):
        secret = self.changeable(secret_id)
        version = self.version(secret, revision)
        if (version.deletion_requested_at is not None) != scheduled:
            raise Refused(*expected.NOT_USABLE)
        return secret, version

    def version_enable(self, secret_id, revision, now):
        secret, version = self.changeable_version(secret_id, revision)
        if version.status == "disabled":
            version.status = "enabled"
            version.properties = secret.fresh_properties(now)
            version.updated_at = self.changed(now)
        return secret.version_document(version)

    def version_disable(self, secret_id, revision, now):
        secret, version = self.changeable_version(secret_id, revision)
        if version.status == "enabled":
            version.status = "disabled"
            version.updated_at = self.changed(now)
        return secret.version_document(version)

    def version_delete(self, secret_id, revision, now):
        _, version = self.changeable_version(secret_id, revision)
        version.schedule(self.changed(now))

    def version_restore(self, secret_id, revision, now):
        secret, version = self.changeable_version(secret_id, revision, scheduled=True)
        version.restore()
        version.updated_at = self.changed(now)
        return secret.version_document(version)

    def version_access(self, secret_id, revision):
        secret = self.unlocked(self.secret(secret_id))
        if not secret.live():
            raise Refused(*expected.NOT_USABLE)
        version = self.version(secret, revision)
        if version.status != "enabled":
            raise Refused(*expected.NOT_USABLE)
        answer = expected.access(
            secret_id=secret.id,
            revision=version.revision,
            data=base64.b64encode(version.data).decode(),
            data_crc32=version.crc32,
            type=secret.type,
        )
        if version.properties and version.properties["expires_once_accessed"]:
            secret.expire(version)
        return answer

    def version_access_by_path(self, path, name, revision):
        for secret in self.secrets.values():
            if secret.live() and (secret.path, secret.name) == (normal_path(path), name):
                return self.version_access(secret.id, revision)
        raise Refused(*expected.not_found("secret"))

    # Lists ----------------------------------------------------------------------

    def secret_list(
        self,
        name=None,
        path=None,
        tags=(),
        type=None,
        ephemeral=None,
        scheduled_for_deletion=False,
    ):
        """The documents of all secrets that match, by id."""
        return {
            secret.id: secret.document()
            for secret in self.secrets.values()
            if secret.live() != scheduled_for_deletion
            and name in (None, secret.name)
            and (path is None or normal_path(path) == secret.path)
            and set(tags) <= set(secret.tags)
            and type in (None, "unknown_type", secret.type)
            and ephemeral in (None, secret.policy is not None)
        }

    def version_list(self, secret_id, status=()):
        secret = self.secret(secret_id)
        versions = [
            secret.version_document(version)
            for _, version in sorted(secret.versions.items(), reverse=True)
            if not status or version.status in status
        ]
        return {"versions": versions, "total_count": len(versions)}

    def browse(self, prefix="/", tags=(), type=None):
        """The names of the folders below a path, and the secrets in it by name."""
        prefix = normal_path(prefix)
        below = prefix.rstrip("/") + "/"
        folders, secrets = set(), {}
        for document in self.secret_list(tags=tags, type=type).values():
            if document["path"] == prefix:
                secrets[document["name"]] = {
                    "name": document["name"],
                    "created_at": document["created_at"],
                    "updated_at": document["updated_at"],
                    "secret": {
                        "id": document["id"],
                        "tags": document["tags"],
                        "version_count": document["version_count"],
                        "protected": document["protected"],
                        "ephemeral_policy": document["ephemeral_policy"],
                        "type": document["type"],
                    },
                }
            elif document["path"].startswith(below):
                folders.add(document["path"].removeprefix(below).split("/")[0])
        return folders, secrets

    # What only the operator and time do -----------------------------------------

    def secret_lock(self, secret_id, locked):
        self.secrets[secret_id].status = "locked" if locked else "ready"

    def secret_manage(self, secret_id, managed):
        self.secrets[secret_id].managed = managed

    def version_expire(self, secret_id, revision, expired_at):
        secret = self.secrets[secret_id]
        version = secret.versions[revision]
        version.properties["expires_at"] = expired_at
        secret.expire(version, expired_at)

    def learn_updates(self, secret_id, documents):
        """Take over the times that the contract leaves to the service."""
        versions = self.secrets[secret_id].versions
        for document in documents:
            versions[document["revision"]].updated_at = document["updated_at"]

    def purge(self):
        self.secrets = {
            secret_id: secret for secret_id, secret in self.secrets.items() if secret.live()
        }
        for secret in self.secrets.values():
            secret.versions = {
                revision: version
                for revision, version in secret.versions.items()
                if version.deletion_requested_at is None
            }
