"""Answers as the contract words them, as (status, body), with the members in their order."""

import re
import uuid


class Any:
    """Stands in an expected document for a value that the contract leaves open but for its form."""

    def __init__(self, form):
        self.form = re.compile(form, re.DOTALL)

    def __eq__(self, other):
        return isinstance(other, str) and self.form.fullmatch(other) is not None

    def __repr__(self):
        return f"<any {self.form.pattern}>"


ANY_TEXT = Any(r".+")
ANY_ID = Any(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
ANY_TIME = Any(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")


def srn(product, region, resource):
    return f"srn://{product}.scw.eu/regions/{region}/{resource}"


def secret(**members):
    """A new secret for which nothing but these members was given."""
    document = {
        "id": ANY_ID,
        "srn": ANY_TEXT,
        "project_id": ANY_ID,
        "name": ANY_TEXT,
        "status": "ready",
        "created_at": ANY_TIME,
        "updated_at": ANY_TIME,
        "tags": [],
        "version_count": 0,
        "description": "",
        "managed": False,
        "type": "opaque",
        "protected": False,
        "path": "/",
        "ephemeral_policy": None,
        "used_by": [],
        "deletion_requested_at": None,
        "key_id": None,
        "region": "fr-par",
    }
    assert members.keys() <= document.keys()
    document |= members
    if isinstance(document["id"], str):
        document["srn"] = srn("secret-manager", document["region"], f"secrets/{document['id']}")
    return document


def version(**members):
    """The first version of a secret, for which nothing but these members was given."""
    document = {
        "revision": 1,
        "srn": ANY_TEXT,
        "secret_id": ANY_ID,
        "status": "enabled",
        "created_at": ANY_TIME,
        "updated_at": ANY_TIME,
        "deleted_at": None,
        "description": "",
        "latest": True,
        "ephemeral_properties": None,
        "deletion_requested_at": None,
        "region": "fr-par",
    }
    assert members.keys() <= document.keys()
    document |= members
    if isinstance(document["secret_id"], str):
        resource = f"secrets/{document['secret_id']}/versions/{document['revision']}"
        document["srn"] = srn("secret-manager", document["region"], resource)
    return document


def access(**members):
    """What the first version of an opaque secret gives when it is read."""
    document = {
        "secret_id": ANY_ID,
        "revision": 1,
        "data": ANY_TEXT,
        "data_crc32": None,
        "type": "opaque",
    }
    assert members.keys() <= document.keys()
    return document | members


def key(**members):
    """A new key, for which nothing but its usage and these members was given."""
    document = {
        "id": ANY_ID,
        "srn": ANY_TEXT,
        "project_id": ANY_ID,
        "name": "",
        "usage": {"symmetric_encryption": "aes_256_gcm"},
        "state": "enabled",
        "rotation_count": 1,
        "created_at": ANY_TIME,
        "updated_at": ANY_TIME,
        "protected": True,
        "locked": False,
        "description": None,
        "tags": [],
        "rotated_at": ANY_TIME,
        "rotation_policy": None,
        "origin": "scaleway_kms",
        "deletion_requested_at": None,
        "protection_level": "software",
        "region": "fr-par",
    }
    assert members.keys() <= document.keys()
    document |= members
    if isinstance(document["id"], str):
        document["srn"] = srn("key-manager", document["region"], f"keys/{document['id']}")
    return document


def invalid_arguments(*faults):
    """Each fault is (argument name, reason, help message); without a message any will do."""
    return 400, {
        "details": [
            {
                "argument_name": fault[0],
                "help_message": fault[2] if len(fault) > 2 else ANY_TEXT,
                "reason": fault[1],
            }
            for fault in faults
        ],
        "message": "invalid argument(s)",
        "type": "invalid_arguments",
    }


NAME_TAKEN = invalid_arguments(("name", "format", "cannot have same secret name in same path"))


def denied_authentication(reason, method="api_key"):
    return 401, {
        "message": "authentication is denied",
        "method": method,
        "reason": reason,
        "type": "denied_authentication",
    }


def permissions_denied():
    return 403, {
        "details": [{"action": ANY_TEXT, "resource": ANY_TEXT}],
        "message": "insufficient permissions",
        "type": "permissions_denied",
    }


def quotas_exceeded(resource, quota, current):
    return 403, {
        "details": [{"current": current, "quota": quota, "resource": resource}],
        "message": "quota(s) exceeded for this resource",
        "type": "quotas_exceeded",
    }


def not_found(resource, resource_id=ANY_TEXT):
    return 404, {
        "message": "resource is not found",
        "resource": resource,
        "resource_id": resource_id,
        "type": "not_found",
    }


NO_ROUTE = not_found("unknown", "")


def precondition_failed(precondition, help_message=ANY_TEXT):
    return 412, {
        "help_message": help_message,
        "message": "precondition is not respected",
        "precondition": precondition,
        "type": "precondition_failed",
    }


NOT_USABLE = precondition_failed("resource_not_usable")
PROTECTED = precondition_failed("protected_resource", "cannot delete a protected secret")
PROTECTED_EXPIRY = precondition_failed(
    "protected_resource", "cannot let versions of a protected secret be deleted"
)


def key_not_usable(key_id):
    return precondition_failed("resource_not_usable", f"key {key_id} is in an invalid state")


UNSOUND = invalid_arguments(("ciphertext", "constraint", "cipher: message authentication failed"))


def locked(secret_id):
    return 423, {
        "message": "resource is locked",
        "resource": "secret",
        "resource_id": secret_id,
        "type": "locked",
    }


def assert_answer(answer, status, body=None):
    """The answer is this one, its members in this order, with the headers that every answer has."""
    assert (answer.status, answer.body) == (status, body)
    assert member_names(answer.body) == member_names(body)
    assert_headers(answer)


def member_names(document):
    if isinstance(document, dict):
        return [(name, member_names(member)) for name, member in document.items()]
    if isinstance(document, list):
        return [member_names(element) for element in document]
    return None


def assert_headers(answer):
    assert uuid.UUID(answer.headers["X-Request-Id"])
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "no-store"
    if answer.body is not None:
        assert answer.headers["Content-Type"] == "application/json"
