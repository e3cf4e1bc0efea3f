"""Refusals to the letter: routes, arguments, bodies, tokens, and which refusal comes first."""

import json
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from expected import (
    ANY_TEXT,
    NO_ROUTE,
    NOT_USABLE,
    assert_answer,
    denied_authentication,
    invalid_arguments,
    not_found,
    quotas_exceeded,
)

UNKNOWN = str(uuid.UUID(int=0, version=4))

# All endpoints about one secret or version, with a body that each would accept.
OF_SECRET = [
    ("GET", "", None),
    ("PATCH", "", {}),
    ("DELETE", "", None),
    ("POST", "/protect", {}),
    ("POST", "/unprotect", {}),
    ("POST", "/restore", {}),
    ("POST", "/add-owner", {"product": "s2s_vpn"}),
    ("POST", "/versions", {"data": "AA=="}),
    ("GET", "/versions", None),
]
OF_VERSION = [
    ("GET", "", None),
    ("PATCH", "", {}),
    ("DELETE", "", None),
    ("GET", "/access", None),
    ("POST", "/enable", {}),
    ("POST", "/disable", {}),
    ("POST", "/restore", {}),
]


def of_version(revision):
    return [(method, f"/versions/{revision}{suffix}", body) for method, suffix, body in OF_VERSION]


MALFORMED_ID = ("secret_id", "format", "value must be a valid UUID")


@pytest.mark.parametrize(
    "secret_id",
    [
        "x",
        "1",
        UNKNOWN[:-1],
        UNKNOWN + "0",
        UNKNOWN.replace("-", ""),
        "g" + UNKNOWN[1:],
        f"%7B{UNKNOWN}%7D",
    ],
)
@pytest.mark.parametrize("method, suffix, body", OF_SECRET + of_version(1))
def test_malformed_secret_id(api, secret_id, method, suffix, body):
    answer = api.call(method, f"/secrets/{secret_id}{suffix}", body)
    assert_answer(answer, *invalid_arguments(MALFORMED_ID))


@pytest.mark.parametrize("method, suffix, body", OF_SECRET + of_version(1))
def test_unknown_secret(api, method, suffix, body):
    answer = api.call(method, f"/secrets/{UNKNOWN}{suffix}", body)
    assert_answer(answer, *not_found("secret", UNKNOWN))


@pytest.mark.parametrize(
    "revision", ["0", "-1", "%2B1", "1.0", "01", "one", "Latest", "1%20", "latest-enabled"]
)
@pytest.mark.parametrize("method, suffix, body", OF_VERSION)
def test_malformed_revision(api, revision, method, suffix, body):
    answer = api.call(method, f"/secrets/{UNKNOWN}/versions/{revision}{suffix}", body)
    assert_answer(answer, *invalid_arguments(("revision", "format")))


def test_malformed_id_and_revision_are_reported_together(api):
    answer = api.get("/secrets/x/versions/y")
    assert_answer(answer, *invalid_arguments(MALFORMED_ID, ("revision", "format")))


@pytest.mark.parametrize(
    "revision", ["2", "2147483647", "2147483648", "99999999999999999999", "latest_enabled"]
)
@pytest.mark.parametrize("method, suffix, body", OF_VERSION)
def test_unknown_version(api, new_secret, revision, method, suffix, body):
    secret_id = new_secret()["id"]
    api.create_version(secret_id, b"data")
    assert api.post(f"/secrets/{secret_id}/versions/1/disable").status == 200
    answer = api.call(method, f"/secrets/{secret_id}/versions/{revision}{suffix}", body)
    assert_answer(answer, *not_found("secret_version"))


@pytest.mark.parametrize("revision", ["1", "latest", "latest_enabled"])
def test_version_of_a_secret_that_has_none(api, new_secret, revision):
    answer = api.get(f"/secrets/{new_secret()['id']}/versions/{revision}/access")
    assert_answer(answer, *not_found("secret_version"))


def test_access_by_path_of_an_unknown_name(api, home, new_secret):
    query = {"project_id": home.project_id, "secret_name": "nowhere"}
    path = "/secrets-by-path/versions/latest/access"
    assert_answer(api.get(path, query=query), *not_found("secret", "nowhere"))
    elsewhere = new_secret(path="/elsewhere")
    query["secret_name"] = elsewhere["name"]
    assert_answer(api.get(path, query=query), *not_found("secret", elsewhere["name"]))
    query["secret_path"] = "/elsewhere"
    assert_answer(api.get(path, query=query), *not_found("secret_version"))


def test_access_by_path_names_what_is_missing_or_wrong(api):
    path = "/secrets-by-path/versions/x/access"
    missing = api.get(path).body["details"]
    assert {(detail["argument_name"], detail["reason"]) for detail in missing} == {
        ("revision", "format"),
        ("project_id", "required"),
        ("secret_name", "required"),
    }
    query = {"project_id": "x", "secret_name": "a b", "secret_path": "/a b"}
    wrong = api.get(path, query=query).body["details"]
    assert {(detail["argument_name"], detail["reason"]) for detail in wrong} == {
        ("revision", "format"),
        ("project_id", "format"),
        ("secret_name", "format"),
        ("secret_path", "format"),
    }


# Routes -------------------------------------------------------------------------------------------

BASE = "/secret-manager/v1beta1/regions/fr-par"


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/secrets",
        "/secret-manager/v1beta1",
        "/secret-manager/v1/regions/fr-par/secrets",
        "/secret-manager/v1beta1/regions/us-est/secrets",
        f"/secret-manager/v1beta1/regions/nl-ams/secrets/{UNKNOWN}",
        f"/secret-manager/v1beta1/regions/nl-ams/secrets/{UNKNOWN}/versions",
        f"/key-manager/v1alpha1/regions/nl-ams/keys/{UNKNOWN}",
        "/coffer/v1/regions/nl-ams/changes",
        "/secret-manager/v1beta1/regions/FR-PAR/secrets",
        "/secret-manager/v1beta1/regions/x/secrets",
        "/secret-manager/v1beta1/regions//secrets",
        f"{BASE}/secret",
        f"{BASE}/secrets/{UNKNOWN}/unknown",
        f"{BASE}/secrets/{UNKNOWN}/versions/1/unknown",
        f"{BASE}/secrets-by-path/versions/1",
        f"{BASE}/metadata",
    ],
)
def test_no_such_route(api, path):
    assert_answer(api.get(path, absolute=True), *NO_ROUTE)


@pytest.mark.parametrize(
    "method, path, allowed",
    [
        ("PUT", "/secrets", {"GET", "POST"}),
        ("DELETE", "/secrets", {"GET", "POST"}),
        ("POST", f"/secrets/{UNKNOWN}", {"GET", "PATCH", "DELETE"}),
        ("PUT", f"/secrets/{UNKNOWN}", {"GET", "PATCH", "DELETE"}),
        ("GET", f"/secrets/{UNKNOWN}/protect", {"POST"}),
        ("PATCH", f"/secrets/{UNKNOWN}/versions", {"GET", "POST"}),
        ("POST", f"/secrets/{UNKNOWN}/versions/1", {"GET", "PATCH", "DELETE"}),
        ("POST", f"/secrets/{UNKNOWN}/versions/1/access", {"GET"}),
        ("DELETE", "/tags", {"GET"}),
    ],
)
def test_method_not_allowed(api, method, path, allowed):
    answer = api.call(method, path, {})
    assert_answer(answer, 405, {"message": "method not allowed", "type": "unknown"})
    assert {method.strip() for method in answer.headers["Allow"].split(",")} == allowed


# Bodies -------------------------------------------------------------------------------------------


def nested(depth):
    """A body of this many objects and lists in each other."""
    return b'{"name": "a", "deep": ' + b"[" * (depth - 1) + b"]" * (depth - 1) + b"}"


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"}",
        b"name=a",
        b'{"name": "a"',
        b'{"name": "a"} {}',
        b'{"name": "a"}x',
        b'{"name": a}',
        b"{'name': 'a'}",
        b'{"name": "a",}',
        b'{"name": "a" "b"}',
        b'{"description": "a\nb"}',
        b'{"description": "\\x"}',
        b'{"description": 01}',
        b'{"description": NaN}',
        b'["name"]',
        b'"name"',
        b"1",
        b"null",
        b"true",
        b'{"name": "\xff"}',
        b'{"name": "\xc3"}',
        b'{"name": "\xed\xa0\x80"}',
        b'{"\xff": "a"}',
        b"\xff\xfe{\x00}\x00",
        b'{"description": "\\u0000"}',
        b'{"description": "a\\u0000b"}',
        b'{"unknown": ["\\u0000"]}',
        b'{"unknown\\u0000": 1}',
        b'{"description": "\x00"}',
        b"\x00",
        nested(33),
        nested(1000),
    ],
    ids=lambda body: repr(body)[:40],
)
def test_malformed_body(api, body):
    answer = api.post("/secrets", body)
    assert_answer(answer, *invalid_arguments(("body", "format")))


def test_nesting_of_32_is_not_too_deep(api, new_name):
    body = nested(32).replace(b'"a"', json.dumps(new_name()).encode())
    assert api.post("/secrets", body).status == 200


@pytest.mark.parametrize("text", [b'"\\ud800"', b'"\\udc00\\ud800"', b'"\\ud800x"'])
def test_lone_surrogate_is_no_fault_of_the_service(api, new_name, text):
    body = b'{"name": "%s", "description": %s}' % (new_name().encode(), text)
    assert api.post("/secrets", body).status in (200, 400)


def test_surrogate_pair_is_one_character(api, new_name):
    body = b'{"name": "%s", "description": "\\ud83d\\udd11"}' % new_name().encode()
    assert api.post("/secrets", body).body["description"] == "\U0001f511"


def test_malformed_body_is_refused_by_every_endpoint_that_takes_one(api, new_secret):
    secret_id = new_secret()["id"]
    for method, suffix in (
        ("PATCH", ""),
        ("POST", "/versions"),
        ("POST", "/add-owner"),
        ("POST", "/protect"),
    ):
        answer = api.call(method, f"/secrets/{secret_id}{suffix}", b"{")
        assert_answer(answer, *invalid_arguments(("body", "format")))


@pytest.mark.parametrize(
    "query", ["name=%00", "name=%ff", "tags=a&tags=%00", "path=/%c3", "page=%31%00"]
)
def test_malformed_query_is_refused(api, query):
    answer = api.get(f"/secrets?{query}")
    assert (answer.status, answer.body["type"]) == (400, "invalid_arguments")


def test_body_too_large(api):
    answer = api.post("/secrets", json.dumps({"description": "a" * 262144}).encode())
    body = {"message": "request body is too large", "type": "unknown"}
    assert (answer.status, answer.body) == (413, body)


# Tokens -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "token",
    [
        "",
        "x",
        UNKNOWN[:-1],
        UNKNOWN + "0",
        UNKNOWN.replace("-", ""),
        "g" + UNKNOWN[1:],
        "SCW" + "A" * 17,
    ],
)
def test_malformed_token(api, token):
    answer = api.as_key(token).get("/secrets")
    assert answer.body["method"] in ("api_key", "unknown_method")
    assert_answer(answer, *denied_authentication("invalid_argument", answer.body["method"]))


def test_no_token(api):
    answer = api.as_key(None).get("/secrets")
    assert answer.body["reason"] in ("not_found", "invalid_argument")
    assert_answer(answer, *denied_authentication(answer.body["reason"], "unknown_method"))


def test_unknown_token(api):
    answer = api.as_key(str(uuid.uuid4())).get("/secrets")
    assert_answer(answer, *denied_authentication("not_found"))


def test_access_key_is_no_token(api, home):
    assert api.as_key(home.full_access.access_key).get("/secrets").status == 401


def test_revoked_key(home, operator):
    key = home.key("SecretManagerFullAccess")
    client = home.client(key=key)
    assert client.get("/secrets").status == 200
    operator("SELECT operator.api_key_revoke(%s)", key.access_key)
    assert_answer(client.get("/secrets"), *denied_authentication("not_found"))


def test_expired_key(service, home):
    expires_at = datetime.now(UTC) + timedelta(days=1)
    key = home.key("SecretManagerFullAccess", expires_at=expires_at.isoformat())
    client = home.client(key=key)
    assert client.get("/secrets").status == 200
    service.database.query(
        "UPDATE store.api_key SET expires_at = clock_timestamp() WHERE access_key = %s",
        key.access_key,
    )
    assert_answer(client.get("/secrets"), *denied_authentication("expired"))


def test_token_in_capitals_is_the_same_token(api):
    assert api.as_key(api.secret_key.upper()).get("/secrets").status == 200


def test_token_is_checked_before_anything_about_the_request(api):
    """Who is not known learns nothing: neither what exists nor what would be malformed."""
    stranger = api.as_key(str(uuid.uuid4()))
    for answer in (
        stranger.get("/secrets/x"),
        stranger.post("/secrets", {"name": 1}),
        stranger.get(f"/secrets/{UNKNOWN}"),
    ):
        assert_answer(answer, *denied_authentication("not_found"))


# Which refusal comes first ----------------------------------------------------------------------


def test_malformed_arguments_come_before_what_is_not_found(api):
    for method, suffix, body, name in (
        ("PATCH", "", {"name": "a b"}, "name"),
        ("POST", "/add-owner", {"product": "none"}, "product"),
        ("POST", "/versions", {"data": "?"}, "data"),
        ("POST", "/versions", {}, "data"),
        ("GET", "/versions?page=0", None, "page"),
        ("PATCH", "/versions/1", {"description": 1}, "description"),
    ):
        answer = api.call(method, f"/secrets/{UNKNOWN}{suffix}", body)
        assert answer.status == 400, (method, suffix)
        assert [detail["argument_name"] for detail in answer.body["details"]] == [name]


def test_locked_comes_before_not_usable(api, new_secret, operator):
    secret_id = new_secret()["id"]
    assert api.delete(f"/secrets/{secret_id}").status == 204
    operator("SELECT operator.secret_lock(%s)", secret_id)
    for method, suffix in (
        ("PATCH", ""),
        ("DELETE", ""),
        ("POST", "/protect"),
        ("POST", "/restore"),
    ):
        assert api.call(method, f"/secrets/{secret_id}{suffix}", {}).status == 423


def test_state_comes_before_a_taken_name_and_a_quota(api, new_secret):
    taken = new_secret()
    scheduled = new_secret()
    path = f"/secrets/{scheduled['id']}"
    for _ in range(20):
        api.create_version(scheduled["id"], b"data")
    refused = quotas_exceeded("secret_version", 20, 20)
    assert_answer(api.post(f"{path}/versions", {"data": "AA=="}), *refused)
    assert api.delete(path).status == 204
    assert_answer(api.patch(path, {"name": taken["name"]}), *NOT_USABLE)
    assert_answer(api.post(f"{path}/versions", {"data": "AA=="}), *NOT_USABLE)


def test_refusal_quotes_no_payload(api, new_secret):
    canary = "Y2FuYXJ5LWQ3YjI="
    path = f"/secrets/{new_secret()['id']}/versions"
    for body in (
        {"data": canary + "!"},
        {"data": canary, "data_crc32": 1},
        {"data": canary, "description": 1},
        {"data": [canary]},
        {"data": {"canary-d7b2": canary}},
    ):
        answer = api.post(path, body)
        assert answer.status == 400
        assert canary.encode() not in answer.raw
        assert b"canary-d7b2" not in answer.raw


def test_help_of_a_refusal_is_a_sentence(api, new_secret):
    """Wherever the contract leaves the words open, there are some."""
    answer = api.patch(f"/secrets/{new_secret()['id']}", {"name": "a b", "tags": 1})
    for detail in answer.body["details"]:
        assert detail["help_message"] == ANY_TEXT
