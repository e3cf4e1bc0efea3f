"""The Key Manager: whole answers, limits, damage, permission sets and the state table."""

import base64
import os
import uuid

import pytest
from expected import (
    ANY_ID,
    ANY_TEXT,
    ANY_TIME,
    NO_ROUTE,
    NOT_USABLE,
    UNSOUND,
    assert_answer,
    denied_authentication,
    invalid_arguments,
    key,
    key_not_usable,
    not_found,
    permissions_denied,
    precondition_failed,
    quotas_exceeded,
)

from support.client import values

USAGE = {"symmetric_encryption": "aes_256_gcm"}
PROTECTED_KEY = precondition_failed("protected_resource", "cannot delete a protected key")


# Shapes -------------------------------------------------------------------------------------------


def test_new_key(manager, home):
    answer = manager.post("/keys", {"usage": USAGE})
    assert_answer(answer, 200, key(project_id=home.project_id))
    assert answer.body["updated_at"] == answer.body["rotated_at"] >= answer.body["created_at"]
    assert int(answer.headers["X-Audit-Id"]) > 0
    assert_answer(manager.get(f"/keys/{answer.body['id']}"), 200, answer.body)


def test_new_key_with_all_it_can_be_given(manager, home):
    project_id = home.project("keys")
    given = {
        "project_id": project_id,
        "name": "a.name_of-1",
        "description": "what it is for",
        "tags": ["b", "a"],
    }
    policy = {"rotation_period": "2592000s", "next_rotation_at": "2999-01-02T03:04:05.678901Z"}
    more = {"rotation_policy": policy, "unprotected": True, "origin": "scaleway_kms"}
    answer = manager.post("/keys", {"usage": USAGE, **given, **more})
    assert_answer(answer, 200, key(**given, rotation_policy=policy, protected=False))
    policy = {"rotation_period": "86400.000000000s", "next_rotation_at": None}
    more = {"rotation_policy": policy, "origin": "unknown_origin", "unprotected": False}
    answer = manager.post("/keys", {"usage": USAGE, **more})
    policy = {"rotation_period": "86400s", "next_rotation_at": ANY_TIME}
    assert_answer(answer, 200, key(rotation_policy=policy))


def test_update(manager, new_key):
    before = new_key(name="before", tags=["before"])
    change = {
        "name": "after",
        "description": "after",
        "tags": ["after"],
        "rotation_policy": {"rotation_period": "2592000s", "next_rotation_at": None},
    }
    path = f"/keys/{before['id']}"
    answer = manager.patch(path, change)
    change["rotation_policy"]["next_rotation_at"] = ANY_TIME
    assert_answer(answer, 200, {**before, **change, "updated_at": ANY_TIME})
    assert answer.body["updated_at"] > before["updated_at"]
    # What is not given stays; a policy without members is none.
    answer = manager.patch(path, {"rotation_policy": {}})
    change["rotation_policy"] = None
    assert_answer(answer, 200, {**before, **change, "updated_at": ANY_TIME})
    assert_answer(manager.get(path), 200, answer.body)


def test_rotate(manager, new_key):
    before = new_key()
    answer = manager.post(f"/keys/{before['id']}/rotate", {})
    times = {"rotated_at": ANY_TIME, "updated_at": ANY_TIME}
    assert_answer(answer, 200, {**before, "rotation_count": 2, **times})
    assert answer.body["updated_at"] == answer.body["rotated_at"] > before["rotated_at"]


@pytest.mark.parametrize("verb, protected", [("protect", True), ("unprotect", False)])
def test_protection_changes_one_member(manager, new_key, verb, protected):
    before = new_key(unprotected=protected)
    for _ in range(2):
        answer = manager.post(f"/keys/{before['id']}/{verb}", {})
        assert_answer(answer, 200, {**before, "protected": protected})


def test_disable_and_enable(manager, new_key):
    before = new_key()
    path = f"/keys/{before['id']}"
    disabled = manager.post(f"{path}/disable", {})
    assert_answer(disabled, 200, {**before, "state": "disabled", "updated_at": ANY_TIME})
    assert disabled.body["updated_at"] > before["updated_at"]
    assert_answer(manager.post(f"{path}/disable", {}), 200, disabled.body)
    enabled = manager.post(f"{path}/enable", {})
    assert_answer(enabled, 200, {**before, "updated_at": ANY_TIME})
    assert enabled.body["updated_at"] > disabled.body["updated_at"]
    assert_answer(manager.post(f"{path}/enable", {}), 200, enabled.body)


@pytest.mark.parametrize("state", ["enabled", "disabled"])
def test_delete_and_restore(manager, new_key, state):
    path = f"/keys/{new_key()['id']}"
    if state == "disabled":
        manager.post(f"{path}/disable", {})
    before = manager.get(path).body
    assert_answer(manager.delete(path), 204)
    deleted = manager.get(path).body
    at = deleted["deletion_requested_at"]
    assert deleted == {
        **before,
        "state": "scheduled_for_deletion",
        "updated_at": at,
        "deletion_requested_at": at,
    }
    assert at > before["updated_at"]
    restored = manager.post(f"{path}/restore", {})
    assert_answer(restored, 200, {**before, "updated_at": ANY_TIME})


def test_algorithms(manager):
    found = [{"usage": "symmetric_encryption", "name": "aes_256_gcm", "recommended": True}]
    for query, algorithms in (
        ("", found),
        ("?usages=symmetric_encryption", found),
        ("?usages=asymmetric_signing&usages=symmetric_encryption", found),
        ("?usages=asymmetric_signing", []),
        ("?usages=key_encapsulation", []),
        ("?usages=none", []),
    ):
        assert_answer(manager.get(f"/algorithms{query}"), 200, {"algorithms": algorithms})


def test_lists(service, new_tenant):
    tenant = new_tenant(service)
    manager = tenant.client().key_manager()
    other_project = tenant.project("other")
    keys = [
        manager.create_key(name=name, tags=tags, project_id=project_id, unprotected=True)
        for name, tags, project_id in (
            ("b", ["x"], tenant.project_id),
            ("a", ["x", "y"], tenant.project_id),
            ("c", [], other_project),
        )
    ]
    b, a, c = keys
    manager.patch(f"/keys/{b['id']}", {})
    b = manager.get(f"/keys/{b['id']}").body

    def listed(query=""):
        answer = manager.get(f"/keys{query}")
        assert answer.status == 200
        assert answer.body["total_count"] >= len(answer.body["keys"])
        return answer.body["keys"]

    whole = manager.get("/keys")
    assert_answer(whole, 200, {"keys": [a, b, c], "total_count": 3})
    for query, expected in (
        ("?order_by=name_desc", [c, b, a]),
        ("?order_by=created_at_asc", [b, a, c]),
        ("?order_by=created_at_desc", [c, a, b]),
        ("?order_by=updated_at_asc", [a, c, b]),
        ("?order_by=updated_at_desc", [b, c, a]),
        (f"?project_id={other_project}", [c]),
        (f"?organization_id={tenant.organization_id}", [a, b, c]),
        ("?name=a", [a]),
        ("?tags=x", [a, b]),
        ("?tags=x&tags=y", [a]),
        ("?usage=symmetric_encryption", [a, b, c]),
        ("?usage=unknown_usage", [a, b, c]),
        ("?usage=asymmetric_signing", []),
        ("?usage=key_encapsulation", []),
        ("?usage=none", []),
        ("?protection_level=software", [a, b, c]),
        ("?protection_level=hsm", []),
        ("?scheduled_for_deletion=true", []),
        ("?page_size=2", [a, b]),
        ("?page_size=2&page=2", [c]),
        ("?page_size=2&page=3", []),
    ):
        assert listed(query) == expected, query
    assert manager.get("/keys?page_size=1").body["total_count"] == 3
    assert manager.delete(f"/keys/{a['id']}").status == 204
    assert listed() == [b, c]
    assert [one["id"] for one in listed("?scheduled_for_deletion=true")] == [a["id"]]


# Ciphers ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def shared(new_key):
    """A key for tests that only use it."""
    return new_key()["id"]


def test_encrypt_and_decrypt(manager, shared):
    body = values(plaintext=b"hunter2", associated_data=b"place")
    encrypted = manager.post(f"/keys/{shared}/encrypt", body)
    assert_answer(encrypted, 200, {"key_id": shared, "ciphertext": ANY_TEXT})
    ciphertext = base64.b64decode(encrypted.body["ciphertext"])
    assert len(ciphertext) == len(b"hunter2") + 33
    assert ciphertext[:5] == b"\x01\x00\x00\x00\x01"
    decrypted = manager.ask_to_decrypt(shared, ciphertext, b"place")
    plaintext = base64.b64encode(b"hunter2").decode()
    expected = {"key_id": shared, "plaintext": plaintext, "ciphertext": None}
    assert_answer(decrypted, 200, expected)
    assert int(decrypted.headers["X-Audit-Id"]) > int(encrypted.headers["X-Audit-Id"])
    # No ciphertext comes twice.
    assert manager.encrypt(shared, b"hunter2", b"place") != ciphertext


@pytest.mark.parametrize("without", [None, False, True])
def test_data_key(manager, shared, without):
    body = {"algorithm": "aes_256_gcm"}
    if without is not None:
        body["without_plaintext"] = without
    answer = manager.post(f"/keys/{shared}/generate-data-key", body)
    shape = {
        "key_id": shared,
        "algorithm": "aes_256_gcm",
        "ciphertext": ANY_TEXT,
        "plaintext": None if without else ANY_TEXT,
        "created_at": ANY_TIME,
    }
    assert_answer(answer, 200, shape)
    ciphertext = base64.b64decode(answer.body["ciphertext"])
    assert len(ciphertext) == 32 + 33
    data_key = manager.decrypt(shared, ciphertext)
    assert len(data_key) == 32
    if not without:
        assert base64.b64decode(answer.body["plaintext"]) == data_key


def test_data_keys_differ(manager, shared):
    path = f"/keys/{shared}/generate-data-key"
    answers = [manager.post(path, {}).body for _ in range(5)]
    assert len({answer["plaintext"] for answer in answers}) == 5


def test_rotations(manager, new_key):
    key_id = new_key()["id"]
    ciphertexts = []
    for rotation in range(1, 4):
        ciphertexts.append(manager.encrypt(key_id, b"plaintext", b"place"))
        assert ciphertexts[-1][1:5] == rotation.to_bytes(4, "big")
        assert manager.post(f"/keys/{key_id}/rotate", {}).body["rotation_count"] == rotation + 1
    for ciphertext in ciphertexts:
        answer = manager.ask_to_decrypt(key_id, ciphertext, b"place")
        assert base64.b64decode(answer.body["plaintext"]) == b"plaintext"
        # It comes again under the newest, and with the same associated data.
        renewed = base64.b64decode(answer.body["ciphertext"])
        assert renewed[1:5] == b"\x00\x00\x00\x04"
        assert_answer(manager.ask_to_decrypt(key_id, renewed), *UNSOUND)
        answer = manager.ask_to_decrypt(key_id, renewed, b"place")
        assert answer.body["ciphertext"] is None
        assert base64.b64decode(answer.body["plaintext"]) == b"plaintext"


def flipped(ciphertext, place):
    return ciphertext[:place] + bytes([ciphertext[place] ^ 1]) + ciphertext[place + 1 :]


DAMAGES = {
    **{
        f"byte {place}": lambda c, place=place: flipped(c, place)
        for place in (0, 1, 4, 5, 16, 17, 25, 26, 41)
    },
    "as of an older rotation": lambda c: c[:4] + b"\x01" + c[5:],
    "as of rotation 0": lambda c: c[:1] + bytes(4) + c[5:],
    "as of rotation 2^31": lambda c: c[:1] + b"\x80\x00\x00\x00" + c[5:],
    "as of the last rotation": lambda c: c[:1] + b"\xff" * 4 + c[5:],
    "one byte less": lambda c: c[:-1],
    "one byte more": lambda c: c + b"\x00",
    "no data": lambda c: c[:33],
    "a header": lambda c: c[:5],
    "one byte": lambda c: c[:1],
    "random": lambda c: os.urandom(100),
    "of the greatest size": lambda c: c + bytes(131071 - len(c)),
}


@pytest.fixture(scope="module")
def rotated(manager, new_key):
    """A key of two rotations, and a ciphertext under the second."""
    key_id = new_key()["id"]
    assert manager.post(f"/keys/{key_id}/rotate", {}).status == 200
    return key_id, manager.encrypt(key_id, b"plaintext", b"place")


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_ciphertext(manager, rotated, damage):
    key_id, ciphertext = rotated
    assert_answer(manager.ask_to_decrypt(key_id, DAMAGES[damage](ciphertext), b"place"), *UNSOUND)
    assert manager.decrypt(key_id, ciphertext, b"place") == b"plaintext"


@pytest.mark.parametrize("associated_data", [None, b"", b"plac", b"place ", b"Place"])
def test_wrong_associated_data(manager, rotated, associated_data):
    key_id, ciphertext = rotated
    assert_answer(manager.ask_to_decrypt(key_id, ciphertext, associated_data), *UNSOUND)


def test_no_associated_data_is_empty_associated_data(manager, shared):
    assert manager.decrypt(shared, manager.encrypt(shared, b"a", b""), None) == b"a"
    assert manager.decrypt(shared, manager.encrypt(shared, b"a", None), b"") == b"a"
    assert_answer(manager.ask_to_decrypt(shared, manager.encrypt(shared, b"a"), b"x"), *UNSOUND)


def test_ciphertext_of_another_key(manager, new_key, shared):
    ciphertext = manager.encrypt(shared, b"plaintext")
    assert_answer(manager.ask_to_decrypt(new_key()["id"], ciphertext), *UNSOUND)


# Limits -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 2, 15, 16, 17, 65535])
def test_plaintext_sizes(manager, shared, size):
    plaintext, associated_data = os.urandom(size), os.urandom(size)
    ciphertext = manager.encrypt(shared, plaintext, associated_data)
    assert len(ciphertext) == size + 33
    assert manager.decrypt(shared, ciphertext, associated_data) == plaintext


VALUES = [
    (None, "required"),
    ("", "required"),
    ("YQ", "format"),
    ("YQ=", "format"),
    ("YW Jj", "format"),
    ("_-8=", "format"),
    ("é", "format"),
    (1, "format"),
    (True, "format"),
    (["YQ=="], "format"),
    ({"value": "YQ=="}, "format"),
]


@pytest.mark.parametrize("member, verb", [("plaintext", "encrypt"), ("ciphertext", "decrypt")])
@pytest.mark.parametrize("value, reason", VALUES)
def test_value_is_refused(manager, shared, member, verb, value, reason):
    answer = manager.post(f"/keys/{shared}/{verb}", {member: value})
    assert_answer(answer, *invalid_arguments((member, reason)))


@pytest.mark.parametrize(
    "member, verb, size", [("plaintext", "encrypt", 65536), ("ciphertext", "decrypt", 131072)]
)
def test_value_is_too_long(manager, shared, member, verb, size):
    answer = manager.post(f"/keys/{shared}/{verb}", values(**{member: bytes(size)}))
    assert_answer(answer, *invalid_arguments((member, "constraint")))


@pytest.mark.parametrize(
    "verb, body", [("encrypt", {"plaintext": "YQ=="}), ("decrypt", {"ciphertext": "YQ=="})]
)
@pytest.mark.parametrize("value", [value for value, reason in VALUES if reason == "format"])
def test_associated_data_is_refused(manager, shared, verb, body, value):
    answer = manager.post(f"/keys/{shared}/{verb}", {**body, "associated_data": value})
    assert_answer(answer, *invalid_arguments(("associated_data", "format")))


@pytest.mark.parametrize(
    "body, argument, reason",
    [
        ({"algorithm": "rsa"}, "algorithm", "format"),
        ({"algorithm": 1}, "algorithm", "format"),
        ({"without_plaintext": "true"}, "without_plaintext", "format"),
        ({"without_plaintext": 1}, "without_plaintext", "format"),
    ],
)
def test_data_key_is_refused(manager, shared, body, argument, reason):
    answer = manager.post(f"/keys/{shared}/generate-data-key", body)
    assert_answer(answer, *invalid_arguments((argument, reason)))


def policy(**members):
    return {"rotation_policy": members}


ARGUMENTS = [
    ({"name": ""}, "name", "constraint"),
    ({"name": "a" * 256}, "name", "constraint"),
    ({"name": "a b"}, "name", "format"),
    ({"name": 1}, "name", "format"),
    ({"description": "a" * 65536}, "description", "constraint"),
    ({"description": 1}, "description", "format"),
    ({"tags": ["a"] * 101}, "tags", "constraint"),
    ({"tags": [""]}, "tags", "constraint"),
    ({"tags": "a"}, "tags", "format"),
    ({"rotation_policy": 1}, "rotation_policy", "format"),
    (policy(rotation_period="86399s"), "rotation_policy.rotation_period", "constraint"),
    (policy(rotation_period="3153600001s"), "rotation_policy.rotation_period", "constraint"),
    (policy(rotation_period="1d"), "rotation_policy.rotation_period", "format"),
    (policy(rotation_period=86400), "rotation_policy.rotation_period", "format"),
    (
        policy(next_rotation_at="2999-01-01T00:00:00Z"),
        "rotation_policy.rotation_period",
        "required",
    ),
    (
        policy(rotation_period="86400s", next_rotation_at="2999-02-30T00:00:00Z"),
        "rotation_policy.next_rotation_at",
        "format",
    ),
    (
        policy(rotation_period="86400s", next_rotation_at="2020-01-01T00:00:00Z"),
        "rotation_policy.next_rotation_at",
        "constraint",
    ),
]


@pytest.mark.parametrize("members, argument, reason", ARGUMENTS)
def test_create_and_update_are_refused(manager, new_key, members, argument, reason):
    refusal = invalid_arguments((argument, reason))
    assert_answer(manager.post("/keys", {"usage": USAGE, **members}), *refusal)
    before = new_key()
    assert_answer(manager.patch(f"/keys/{before['id']}", members), *refusal)
    assert manager.get(f"/keys/{before['id']}").body == before


@pytest.mark.parametrize(
    "body, argument, reason",
    [
        ({}, "usage", "required"),
        ({"usage": None}, "usage", "required"),
        ({"usage": {}}, "usage", "constraint"),
        ({"usage": {"symmetric_encryption": "aes_128_gcm"}}, "usage", "constraint"),
        ({"usage": {"asymmetric_signing": "ec_p256_sha256"}}, "usage", "constraint"),
        ({"usage": {**USAGE, "asymmetric_signing": "ec_p256_sha256"}}, "usage", "constraint"),
        ({"usage": "symmetric_encryption"}, "usage", "format"),
        ({"usage": USAGE, "unprotected": "yes"}, "unprotected", "format"),
        ({"usage": USAGE, "origin": "elsewhere"}, "origin", "format"),
        ({"usage": USAGE, "origin": "external"}, "origin", "constraint"),
        ({"usage": USAGE, "protection_level": "hsm"}, "protection_level", "constraint"),
        ({"usage": {"key_encapsulation": "ml_kem_768"}}, "usage", "constraint"),
        ({"usage": USAGE, "project_id": "none"}, "project_id", "format"),
    ],
)
def test_create_is_refused(manager, body, argument, reason):
    assert_answer(manager.post("/keys", body), *invalid_arguments((argument, reason)))


@pytest.mark.parametrize(
    "query, argument, reason",
    [
        ("page=0", "page", "constraint"),
        ("page_size=101", "page_size", "constraint"),
        ("order_by=rotated_at_asc", "order_by", "format"),
        ("protection_level=none", "protection_level", "format"),
        ("scheduled_for_deletion=2", "scheduled_for_deletion", "format"),
        ("project_id=none", "project_id", "format"),
    ],
)
def test_list_is_refused(manager, query, argument, reason):
    assert_answer(manager.get(f"/keys?{query}"), *invalid_arguments((argument, reason)))


def test_quota(service, new_tenant, operator):
    tenant = new_tenant(service)
    operator("SELECT operator.quota_set(%s, 'key', 1)", tenant.organization_id)
    manager = tenant.client().key_manager()
    key_id = manager.create_key(unprotected=True)["id"]
    refused = quotas_exceeded("key", 1, 1)
    assert_answer(manager.post("/keys", {"usage": USAGE}), *refused)
    assert manager.delete(f"/keys/{key_id}").status == 204  # a scheduled one still counts
    assert_answer(manager.post("/keys", {"usage": USAGE}), *refused)


# Who and what -------------------------------------------------------------------------------------

# Each is called for a key of its own, scheduled for deletion where it must be.
ENDPOINTS = {
    "get": ("GET", "/keys/{id}", None),
    "create": ("POST", "/keys", {"usage": USAGE, "project_id": "{project}"}),
    "update": ("PATCH", "/keys/{id}", {"description": "updated"}),
    "delete": ("DELETE", "/keys/{id}", None),
    "restore": ("POST", "/keys/{id}/restore", {}),
    "encrypt": ("POST", "/keys/{id}/encrypt", {"plaintext": "YQ=="}),
    "generate": ("POST", "/keys/{id}/generate-data-key", {}),
    "decrypt": ("POST", "/keys/{id}/decrypt", {"ciphertext": "{ciphertext}"}),
}

# A call of each right, with the set that gives it alone. tests/sql has all endpoints and sets.
SETS = {
    "get": "KeyManagerReadOnly",
    "create": "KeyManagerKeyCreate",
    "update": "KeyManagerKeyWrite",
    "delete": "KeyManagerKeyDelete",
    "restore": "KeyManagerKeyRestore",
    "encrypt": "KeyManagerKeyEncrypt",
    "generate": "KeyManagerKeyEncrypt",
    "decrypt": "KeyManagerKeyDecrypt",
}


@pytest.fixture
def call(manager):
    """Call an endpoint as a client, for a key that was made for it; return its answer and its id."""

    def call(client, endpoint, project_id):
        key_id = manager.create_key(project_id=project_id, unprotected=True)["id"]
        given = {"id": key_id, "project": project_id}
        if endpoint == "decrypt":
            given["ciphertext"] = base64.b64encode(manager.encrypt(key_id, b"plaintext")).decode()
        if endpoint == "restore":
            assert manager.delete(f"/keys/{key_id}").status == 204
        method, path, body = ENDPOINTS[endpoint]
        if body is not None:
            body = {
                name: value.format(**given) if isinstance(value, str) else value
                for name, value in body.items()
            }
        return client.call(method, path.format(**given), body), key_id

    return call


@pytest.mark.parametrize("endpoint", SETS)
def test_permission_set(home, call, endpoint):
    client = home.client(key=home.key(SETS[endpoint])).key_manager()
    answer, _ = call(client, endpoint, home.project_id)
    assert answer.status in (200, 204)
    others = home.key("SecretManagerFullAccess", *(set(SETS.values()) - {SETS[endpoint]}))
    answer, _ = call(home.client(key=others).key_manager(), endpoint, home.project_id)
    assert_answer(answer, *permissions_denied())


def test_refusal_names_the_right(home, shared):
    reader = home.client(key=home.key("KeyManagerReadOnly")).key_manager()
    answer = reader.post(f"/keys/{shared}/encrypt", {"plaintext": "YQ=="})
    assert answer.body["details"] == [{"action": "encrypt", "resource": "key"}]


@pytest.mark.parametrize("endpoint", SETS)
def test_policy_on_one_project(home, call, endpoint):
    project_id = home.project("policy")
    client = home.client(key=home.key("KeyManagerFullAccess", project_id=project_id)).key_manager()
    allowed, _ = call(client, endpoint, project_id)
    assert allowed.status in (200, 204)
    refused, _ = call(client, endpoint, home.project_id)
    assert_answer(refused, *permissions_denied())


@pytest.mark.parametrize("endpoint", SETS)
def test_organizations_never_see_each_other(service, home, new_tenant, call, endpoint):
    """What is of another organization is not there; a project of it is one without rights."""
    client = new_tenant(service).client().key_manager()
    answer, key_id = call(client, endpoint, home.project_id)
    if "{id}" in ENDPOINTS[endpoint][1]:
        assert_answer(answer, *not_found("key", key_id))
    else:
        assert_answer(answer, *permissions_denied())


@pytest.mark.parametrize("endpoint", [name for name, row in ENDPOINTS.items() if "{id}" in row[1]])
def test_no_key_of_that_id(manager, endpoint):
    method, path, body = ENDPOINTS[endpoint]
    unknown = str(uuid.uuid4())
    body = {"ciphertext": "AQ=="} if endpoint == "decrypt" else body
    assert_answer(manager.call(method, path.format(id=unknown), body), *not_found("key", unknown))
    wrong = invalid_arguments(("key_id", "format"))
    assert_answer(manager.call(method, path.format(id="none"), body), *wrong)


def test_tokens_and_regions(manager, shared):
    path = f"/keys/{shared}/encrypt"
    stranger = manager.as_key(str(uuid.uuid4()))
    assert_answer(stranger.post(path, {"plaintext": "YQ=="}), *denied_authentication("not_found"))
    elsewhere = f"/key-manager/v1alpha1/regions/nowhere/keys/{shared}"
    assert_answer(manager.get(elsewhere, absolute=True), *NO_ROUTE)
    assert manager.get(path).status == 405


# States -------------------------------------------------------------------------------------------

STATES = ("enabled", "disabled", "scheduled", "protected")
UNUSABLE = "unusable"
CELLS = {
    "get": (200, 200, 200, 200),
    "update": (200, 200, UNUSABLE, 200),
    "delete": (204, 204, UNUSABLE, PROTECTED_KEY),
    "restore": (NOT_USABLE, NOT_USABLE, 200, NOT_USABLE),
    "encrypt": (200, UNUSABLE, UNUSABLE, 200),
    "generate": (200, UNUSABLE, UNUSABLE, 200),
    "decrypt": (200, UNUSABLE, UNUSABLE, 200),
}


@pytest.mark.parametrize(
    "endpoint, state, cell",
    [
        pytest.param(endpoint, state, cell, id=f"{endpoint}-{state}")
        for endpoint, row in CELLS.items()
        for state, cell in zip(STATES, row, strict=True)
    ],
)
def test_cell(manager, new_key, endpoint, state, cell):
    key_id = new_key()["id"]
    path = f"/keys/{key_id}"
    given = {"id": key_id, "ciphertext": base64.b64encode(manager.encrypt(key_id, b"a")).decode()}
    if state == "scheduled":
        assert manager.delete(path).status == 204
    elif state != "enabled":
        verb = {"disabled": "disable", "protected": "protect"}[state]
        assert manager.post(f"{path}/{verb}", {}).status == 200
    before = manager.get(path).body
    method, form, body = ENDPOINTS[endpoint]
    if endpoint == "decrypt":
        body = {"ciphertext": given["ciphertext"]}
    answer = manager.call(method, form.format(**given), body)
    if isinstance(cell, int):
        assert answer.status == cell
        return
    assert_answer(answer, *(key_not_usable(key_id) if cell == UNUSABLE else cell))
    assert manager.get(path).body == before


@pytest.mark.parametrize("state", ["disabled", "scheduled"])
def test_what_was_encrypted_is_there_again(manager, new_key, state):
    key_id = new_key()["id"]
    path = f"/keys/{key_id}"
    ciphertext = manager.encrypt(key_id, b"plaintext")
    if state == "disabled":
        assert manager.post(f"{path}/disable", {}).status == 200
    else:
        assert manager.delete(path).status == 204
    assert_answer(manager.ask_to_decrypt(key_id, ciphertext), *key_not_usable(key_id))
    assert (
        manager.post(f"{path}/{'enable' if state == 'disabled' else 'restore'}", {}).status == 200
    )
    assert manager.decrypt(key_id, ciphertext) == b"plaintext"


def test_unknown_members_are_no_arguments(manager, shared):
    """A plaintext that comes with a ciphertext is not what is answered."""
    ciphertext = base64.b64encode(manager.encrypt(shared, b"right")).decode()
    body = {"ciphertext": ciphertext, **values(plaintext=b"wrong", data=b"wrong")}
    answer = manager.post(f"/keys/{shared}/decrypt", body)
    assert base64.b64decode(answer.body["plaintext"]) == b"right"
    answer = manager.post(
        f"/keys/{shared}/decrypt", values(plaintext=b"wrong", ciphertext=bytes(50))
    )
    assert_answer(answer, *UNSOUND)
    answer = manager.post(f"/keys/{shared}/generate-data-key", values(plaintext=b"wrong"))
    assert len(base64.b64decode(answer.body["plaintext"])) == 32


def test_ids(manager, new_key):
    """The key of an answer is the one that was asked for, in lower case."""
    created = new_key()
    answer = manager.post(f"/keys/{created['id'].upper()}/encrypt", {"plaintext": "YQ=="})
    assert_answer(answer, 200, {"key_id": created["id"], "ciphertext": ANY_TEXT})
    assert created["id"] == ANY_ID
