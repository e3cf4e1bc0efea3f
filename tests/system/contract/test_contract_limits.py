"""What an argument may be: the last value that is accepted, and the first that is refused."""

import base64
import json
import random

import pytest
from expected import assert_answer, invalid_arguments, quotas_exceeded

POLICY = {"time_to_live": "60s", "expires_once_accessed": False, "action": "disable"}
LONGEST_PATH = "/" + "/".join(["a" * 255] * 3 + ["b" * 253, "c"])
assert len(LONGEST_PATH) == 1024


def utf8(members):
    """JSON without escapes, which would be longer than any body may be."""
    return json.dumps(members, ensure_ascii=False).encode()


def argument(answer):
    """The one argument that a refusal names."""
    assert answer.status == 400, answer.body
    (detail,) = answer.body["details"]
    assert_answer(answer, *invalid_arguments((detail["argument_name"], detail["reason"])))
    assert detail["reason"] in ("required", "format", "constraint", "unknown")
    return detail["argument_name"]


@pytest.mark.parametrize(
    "member, value",
    [
        ("name", "b" * 255),
        ("name", "AZaz09._-"),
        ("name", "."),
        ("path", "/" + "/".join("p" * 32)),
        ("path", "/" + "a" * 255),
        ("path", LONGEST_PATH),
        ("tags", [str(number) for number in range(100)]),
        ("tags", ["é" * 255]),
        ("tags", [" ", "any / character \U0001f511"]),
        ("description", "a" * 65535),
        ("description", "é" * 32767),
        ("ephemeral_policy", {**POLICY, "time_to_live": "1s"}),
        ("ephemeral_policy", {**POLICY, "time_to_live": "31536000s"}),
    ],
)
def test_accepted(api, new_secret, new_name, member, value):
    created = api.post("/secrets", utf8({"name": new_name(), member: value}))
    assert (created.status, created.body[member]) == (200, value)
    path = f"/secrets/{new_secret(path='/changed')['id']}"
    changed = api.patch(path, utf8({member: value}))
    assert (changed.status, changed.body[member]) == (200, value)


@pytest.mark.parametrize(
    "member, value",
    [
        ("name", ""),
        ("name", "a" * 256),
        ("name", "a b"),
        ("name", "a/b"),
        ("name", "é"),
        ("name", "a\n"),
        ("name", 1),
        ("path", "/" + "/".join("p" * 33)),
        ("path", "/" + "a" * 256),
        ("path", LONGEST_PATH + "c"),
        ("path", "/a b"),
        ("path", "/é"),
        ("path", "/a\n"),
        ("path", ["/"]),
        ("tags", [str(number) for number in range(101)]),
        ("tags", ["a" * 256]),
        ("tags", [""]),
        ("tags", [1]),
        ("tags", [None]),
        ("tags", "a"),
        ("tags", {"a": "b"}),
        ("description", "a" * 65536),
        ("description", "é" * 32768),
        ("description", False),
        ("ephemeral_policy", "60s"),
        ("ephemeral_policy", []),
        ("ephemeral_policy", {"time_to_live": "60s"}),
        ("ephemeral_policy", {"action": "disable"}),
        ("ephemeral_policy", {"action": "disable", "expires_once_accessed": False}),
        ("ephemeral_policy", {**POLICY, "action": "unknown_action"}),
        ("ephemeral_policy", {**POLICY, "action": 1}),
        ("ephemeral_policy", {**POLICY, "expires_once_accessed": "true"}),
        ("ephemeral_policy", {**POLICY, "time_to_live": "0.999999999s"}),
        ("ephemeral_policy", {**POLICY, "time_to_live": "31536000.000000001s"}),
        ("ephemeral_policy", {**POLICY, "time_to_live": "60"}),
        ("ephemeral_policy", {**POLICY, "time_to_live": "1m"}),
        ("ephemeral_policy", {**POLICY, "time_to_live": "-60s"}),
        ("ephemeral_policy", {**POLICY, "time_to_live": "s"}),
        ("ephemeral_policy", {**POLICY, "time_to_live": "1e3s"}),
        ("ephemeral_policy", {**POLICY, "time_to_live": ""}),
        ("ephemeral_policy", {**POLICY, "time_to_live": 60}),
    ],
)
def test_refused(api, new_secret, new_name, member, value):
    """By create and by update alike, which then change nothing."""
    refused = api.post("/secrets", utf8({"name": new_name(), member: value}))
    assert argument(refused).split(".")[0] == member
    before = new_secret()
    refused = api.patch(f"/secrets/{before['id']}", utf8({member: value}))
    assert argument(refused).split(".")[0] == member
    assert api.get(f"/secrets/{before['id']}").body == before


@pytest.mark.parametrize(
    "member, value",
    [
        ("project_id", "no-uuid"),
        ("project_id", 1),
        ("type", "password"),
        ("type", 1),
        ("protected", "true"),
        ("protected", 0),
        ("key_id", "no-uuid"),
    ],
)
def test_refused_by_create(api, new_name, member, value):
    assert argument(api.post("/secrets", {"name": new_name(), member: value})) == member


def test_name_is_required(api):
    for body in ({}, None, {"name": None}):
        assert_answer(api.post("/secrets", body), *invalid_arguments(("name", "required")))


@pytest.mark.parametrize("product", ["unknown_product", "", 1, None])
def test_product_is_one_of_two(api, new_secret, product):
    answer = api.post(f"/secrets/{new_secret()['id']}/add-owner", {"product": product})
    assert argument(answer) == "product"


def test_all_faults_are_reported_together(api, new_secret):
    wrong = {
        "project_id": 1,
        "name": 1,
        "tags": 1,
        "description": 1,
        "type": 1,
        "path": 1,
        "ephemeral_policy": 1,
        "protected": 1,
        "key_id": 1,
    }
    answer = api.post("/secrets", wrong)
    assert answer.status == 400
    assert {detail["argument_name"] for detail in answer.body["details"]} == set(wrong)
    assert {detail["reason"] for detail in answer.body["details"]} == {"format"}

    wrong = {"time_to_live": 1, "expires_once_accessed": 1, "action": 1}
    answer = api.post("/secrets", {"name": "a", "ephemeral_policy": wrong})
    named = {detail["argument_name"] for detail in answer.body["details"]}
    assert named == {f"ephemeral_policy.{member}" for member in wrong}

    wrong = {"data": 1, "description": 1, "disable_previous": 1, "data_crc32": "1"}
    answer = api.post(f"/secrets/{new_secret()['id']}/versions", wrong)
    assert {detail["argument_name"] for detail in answer.body["details"]} == set(wrong)

    wrong = {
        "page": 0,
        "page_size": 101,
        "order_by": "size",
        "type": "none",
        "ephemeral": "perhaps",
        "scheduled_for_deletion": 2,
        "project_id": "none",
        "organization_id": "none",
        "name": "a b",
        "path": "/a b",
    }
    answer = api.get("/secrets", query=wrong)
    assert {detail["argument_name"] for detail in answer.body["details"]} == set(wrong)


def test_name_is_taken_once_in_a_path(api, home, new_secret):
    first = new_secret(path="/taken")
    name = first["name"]
    taken = invalid_arguments(("name", "format", "cannot have same secret name in same path"))
    assert_answer(api.post("/secrets", {"name": name, "path": "/taken"}), *taken)
    assert_answer(api.post("/secrets", {"name": name, "path": "//taken/"}), *taken)
    elsewhere = new_secret(name=name, path="/taken/elsewhere")
    assert_answer(api.patch(f"/secrets/{elsewhere['id']}", {"path": "/taken"}), *taken)
    renamed = new_secret(path="/taken")
    assert_answer(api.patch(f"/secrets/{renamed['id']}", {"name": name}), *taken)
    assert api.get(f"/secrets/{renamed['id']}").body == renamed
    assert api.patch(f"/secrets/{first['id']}", {"name": name, "path": "/taken"}).status == 200
    new_secret(name=name, path="/taken", project_id=home.project("free"))
    new_secret(name=name.upper(), path="/taken")


# Payloads ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 65536])
def test_payload_sizes(api, new_secret, size):
    payload = random.Random(size).randbytes(size)
    secret_id = new_secret()["id"]
    api.create_version(secret_id, payload)
    assert api.access(secret_id) == payload


@pytest.mark.parametrize(
    "body, reason",
    [
        ({}, "required"),
        ({"data": None}, "required"),
        ({"data": ""}, "required"),
        ({"data": base64.b64encode(bytes(65537)).decode()}, "constraint"),
        ({"data": "YQ"}, "format"),
        ({"data": "YQ="}, "format"),
        ({"data": "YQ==="}, "format"),
        ({"data": "Y"}, "format"),
        ({"data": "===="}, "format"),
        ({"data": "YW Jj"}, "format"),
        ({"data": "_-8="}, "format"),
        ({"data": "é"}, "format"),
        ({"data": 1}, "format"),
        ({"data": ["YQ=="]}, "format"),
    ],
)
def test_payload_is_refused(api, new_secret, body, reason):
    secret_id = new_secret()["id"]
    answer = api.post(f"/secrets/{secret_id}/versions", body)
    assert_answer(answer, *invalid_arguments(("data", reason)))
    assert api.get(f"/secrets/{secret_id}").body["version_count"] == 0


@pytest.mark.parametrize(
    "checksum, reason",
    [
        (1, "constraint"),
        (0, "constraint"),
        (0xCBF43926 ^ 0x80000000, "constraint"),
        (-1, "format"),
        (1 << 32, "format"),
        (3421780262.5, "format"),
        ("3421780262", "format"),
        (True, "format"),
    ],
)
def test_checksum_is_refused(api, new_secret, checksum, reason):
    secret_id = new_secret()["id"]
    body = {"data": base64.b64encode(b"123456789").decode(), "data_crc32": checksum}
    answer = api.post(f"/secrets/{secret_id}/versions", body)
    assert_answer(answer, *invalid_arguments(("data_crc32", reason)))
    assert api.get(f"/secrets/{secret_id}").body["version_count"] == 0


@pytest.mark.parametrize("checksum", [0, 0xFFFFFFFF])
def test_extremes_of_a_checksum(api, new_secret, checksum):
    """Four bytes for which CRC-32 gives the least and the greatest number."""
    payload = {0: b"\x9d\x0a\xd9\x6d", 0xFFFFFFFF: b"\xff\xff\xff\xff"}[checksum]
    secret_id = new_secret()["id"]
    api.create_version(secret_id, payload, data_crc32=checksum)
    read = api.get(f"/secrets/{secret_id}/versions/1/access").body
    assert (base64.b64decode(read["data"]), read["data_crc32"]) == (payload, checksum)


@pytest.mark.parametrize(
    "change",
    [
        {"description": "a" * 65536},
        {"description": 1},
        {"ephemeral_properties": 1},
        {"ephemeral_properties": {"action": "disable"}},
        {"ephemeral_properties": {"expires_once_accessed": True}},
        {"ephemeral_properties": {"action": "disable", "expires_once_accessed": 1}},
        {"ephemeral_properties": {"action": "disable", "expires_at": "tomorrow"}},
        {"ephemeral_properties": {"action": "disable", "expires_at": "2999-02-30T00:00:00Z"}},
        {"ephemeral_properties": {"action": "disable", "expires_at": 32503680000}},
        {"ephemeral_properties": {"action": "none", "expires_once_accessed": True}},
    ],
)
def test_version_update_is_refused(api, new_secret, change):
    secret_id = new_secret()["id"]
    before = api.create_version(secret_id, b"data")
    (member,) = change
    answer = api.patch(f"/secrets/{secret_id}/versions/1", change)
    assert argument(answer).split(".")[0] == member
    assert api.get(f"/secrets/{secret_id}/versions/1").body == before


# Pages --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "query, name, reason",
    [
        ("page=0", "page", "constraint"),
        ("page=-1", "page", "constraint"),
        ("page=one", "page", "format"),
        ("page=1.5", "page", "format"),
        ("page_size=101", "page_size", "constraint"),
        ("page_size=-1", "page_size", "constraint"),
        ("page_size=many", "page_size", "format"),
    ],
)
def test_page_is_refused(api, new_secret, query, name, reason):
    versions = f"/secrets/{new_secret()['id']}/versions"
    for path in ("/secrets", "/secrets/browse", "/tags", "/secret-types", versions):
        assert_answer(api.get(f"{path}?{query}"), *invalid_arguments((name, reason)))


# Quotas -------------------------------------------------------------------------------------------


def test_default_quota_of_versions(api, new_secret):
    secret_id = new_secret()["id"]
    for revision in range(1, 21):
        assert api.create_version(secret_id, b"data")["revision"] == revision
    path = f"/secrets/{secret_id}/versions"
    assert api.delete(f"{path}/1").status == 204  # a scheduled one still counts
    refused = quotas_exceeded("secret_version", 20, 20)
    assert_answer(api.post(path, {"data": "AA=="}), *refused)
    assert api.get(f"/secrets/{secret_id}").body["version_count"] == 20


def test_quotas_are_set_for_each_organization(service, new_tenant, operator):
    tenant = new_tenant(service)
    client = tenant.client()
    for resource, quota in (("secret", 2), ("secret_version", 1)):
        operator("SELECT operator.quota_set(%s, %s, %s)", tenant.organization_id, resource, quota)
    first = client.create_secret(name="one")
    client.create_secret(name="two", project_id=tenant.project("another"))
    refused = client.post("/secrets", {"name": "three"})
    assert_answer(refused, *quotas_exceeded("secret", 2, 2))
    client.create_version(first["id"], b"data")
    refused = client.post(f"/secrets/{first['id']}/versions", {"data": "AA=="})
    assert_answer(refused, *quotas_exceeded("secret_version", 1, 1))
    new_tenant(service).client().create_secret(name="three")
    operator("SELECT operator.quota_set(%s, 'secret', 3)", tenant.organization_id)
    client.create_secret(name="three")


def test_default_quota_of_secrets(service, new_tenant):
    client = new_tenant(service).client()
    for number in range(250):
        client.create_secret(name=f"secret-{number}")
    refused = client.post("/secrets", {"name": "one-more"})
    assert_answer(refused, *quotas_exceeded("secret", 250, 250))
