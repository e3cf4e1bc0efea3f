"""What a call that succeeds answers: members, their order, headers, and what an update does."""

import base64
import uuid

import pytest
from expected import (
    ANY_ID,
    ANY_TEXT,
    ANY_TIME,
    access,
    assert_answer,
    assert_headers,
    secret,
    version,
)

POLICY = {"time_to_live": "1800s", "expires_once_accessed": False, "action": "disable"}


def test_secret_from_a_name_alone(api, home, new_name):
    """It goes into the default project of the key."""
    name = new_name()
    answer = api.post("/secrets", {"name": name})
    assert_answer(answer, 200, secret(name=name, project_id=home.project_id))
    assert answer.body["created_at"] == answer.body["updated_at"]
    assert_answer(api.get(f"/secrets/{answer.body['id']}"), 200, answer.body)


def test_secret_from_all_it_can_be_given(api, home, new_name):
    given = {
        "project_id": home.project("another"),
        "name": new_name(),
        "tags": ["z", "a", "é", "z"],
        "description": 'a "description" \\ é \U0001f511 \n',
        "type": "key_value",
        "path": "/a/b",
        "ephemeral_policy": POLICY,
        "protected": True,
    }
    answer = api.post("/secrets", given)
    assert_answer(answer, 200, secret(**given))
    assert_answer(api.get(f"/secrets/{answer.body['id']}"), 200, answer.body)
    query = {"project_id": given["project_id"]}
    assert_answer(
        api.get("/secrets", query=query), 200, {"secrets": [answer.body], "total_count": 1}
    )


@pytest.mark.parametrize(
    "secret_type",
    [
        "opaque",
        "certificate",
        "key_value",
        "basic_credentials",
        "database_credentials",
        "ssh_key",
    ],
)
def test_secret_of_each_type(api, new_name, secret_type):
    name = new_name()
    answer = api.post("/secrets", {"name": name, "type": secret_type})
    assert_answer(answer, 200, secret(name=name, type=secret_type))


@pytest.mark.parametrize(
    "sent, kept",
    [
        ("1s", "1s"),
        ("1800s", "1800s"),
        ("1800.000000000s", "1800s"),
        ("2.5s", "2.500s"),
        ("2.500s", "2.500s"),
        ("2.0001s", "2.000100s"),
        ("2.000000001s", "2.000000001s"),
        ("31536000s", "31536000s"),
    ],
)
def test_durations(new_secret, sent, kept):
    policy = {**POLICY, "time_to_live": sent}
    assert new_secret(ephemeral_policy=policy)["ephemeral_policy"] == {
        **policy,
        "time_to_live": kept,
    }


@pytest.mark.parametrize(
    "given, kept",
    [
        (
            {"action": "delete", "expires_once_accessed": True},
            {"time_to_live": None, "expires_once_accessed": True, "action": "delete"},
        ),
        (
            {"action": "disable", "time_to_live": "60s"},
            {"time_to_live": "60s", "expires_once_accessed": False, "action": "disable"},
        ),
        (
            {"action": "disable", "time_to_live": "60s", "expires_once_accessed": None},
            {"time_to_live": "60s", "expires_once_accessed": False, "action": "disable"},
        ),
    ],
)
def test_policies(api, new_name, given, kept):
    answer = api.post("/secrets", {"name": new_name(), "ephemeral_policy": given})
    assert_answer(answer, 200, secret(ephemeral_policy=kept))


@pytest.mark.parametrize(
    "sent, kept",
    [
        ("/", "/"),
        ("", "/"),
        ("//", "/"),
        ("a/b", "/a/b"),
        ("/a/b/", "/a/b"),
        ("///a//b///", "/a/b"),
        ("/.hidden/A-Z_9", "/.hidden/A-Z_9"),
    ],
)
def test_paths(api, home, new_secret, sent, kept):
    """A path is normalised the same way wherever it is an argument."""
    created = new_secret(path=sent)
    assert created["path"] == kept
    api.create_version(created["id"], b"data")
    name = created["name"]
    assert api.patch(f"/secrets/{created['id']}", {"path": sent}).body["path"] == kept
    listed = api.get("/secrets", query={"path": sent, "name": name}).body["secrets"]
    assert [found["id"] for found in listed] == [created["id"]]
    browsed = api.get("/secrets/browse", query={"prefix": sent, "page_size": 100}).body
    assert browsed["current_path"] == kept
    assert name in [item["name"] for item in browsed["items"]]
    query = {"project_id": home.project_id, "secret_path": sent, "secret_name": name}
    read = api.get("/secrets-by-path/versions/1/access", query=query)
    assert_answer(read, 200, access(secret_id=created["id"]))


# Updates ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        {"name": "updated"},
        {"path": "/updated"},
        {"tags": ["b", "a"]},
        {"tags": []},
        {"description": "updated"},
        {"description": ""},
        {"ephemeral_policy": POLICY},
        {"name": "updated-too", "path": "/updated", "tags": ["a"], "description": "updated"},
        {},
    ],
)
def test_update_changes_what_it_names(api, new_secret, change):
    before = new_secret(tags=["old"], description="old", path="/old", type="key_value")
    answer = api.patch(f"/secrets/{before['id']}", change)
    assert_answer(answer, 200, {**before, **change, "updated_at": ANY_TIME})
    assert answer.body["updated_at"] > before["updated_at"]
    assert_answer(api.get(f"/secrets/{before['id']}"), 200, answer.body)


def test_policy_is_replaced_whole(api, new_secret):
    created = new_secret(ephemeral_policy={**POLICY, "expires_once_accessed": True})
    change = {"ephemeral_policy": {"action": "delete", "time_to_live": "1s"}}
    answer = api.patch(f"/secrets/{created['id']}", change)
    assert answer.body["ephemeral_policy"] == {
        "time_to_live": "1s",
        "expires_once_accessed": False,
        "action": "delete",
    }


def test_null_is_absent(api, new_secret, new_name):
    members = ("project_id", "tags", "description", "type", "path", "protected", "key_id")
    name = new_name()
    answer = api.post(
        "/secrets", {"name": name, **dict.fromkeys(members), "ephemeral_policy": None}
    )
    assert_answer(answer, 200, secret(name=name))

    before = new_secret(tags=["kept"], description="kept", ephemeral_policy=POLICY)
    nulls = dict.fromkeys(["name", "tags", "description", "path", "ephemeral_policy"])
    answer = api.patch(f"/secrets/{before['id']}", nulls)
    assert_answer(answer, 200, {**before, "updated_at": ANY_TIME})


def test_type_never_changes(api, new_secret):
    created = new_secret(type="ssh_key")
    answer = api.patch(f"/secrets/{created['id']}", {"type": "opaque"})
    assert (answer.status, answer.body["type"]) == (200, "ssh_key")


# Versions ---------------------------------------------------------------------------------


def test_version(api, new_secret):
    secret_id = new_secret()["id"]
    path = f"/secrets/{secret_id}/versions"
    answer = api.post(path, {"data": base64.b64encode(b"one").decode()})
    first = version(secret_id=secret_id)
    assert_answer(answer, 200, first)
    assert answer.body["created_at"] == answer.body["updated_at"]
    second = api.post(path, {"data": "AA==", "description": "é", "disable_previous": False})
    assert_answer(second, 200, version(secret_id=secret_id, revision=2, description="é"))
    assert_answer(api.get(f"{path}/1"), 200, {**answer.body, "latest": False})
    assert_answer(
        api.get(path),
        200,
        {"versions": [second.body, {**answer.body, "latest": False}], "total_count": 2},
    )
    assert api.get(f"/secrets/{secret_id}").body["version_count"] == 2


def test_version_with_ephemeral_properties(api, new_secret):
    secret_id = new_secret(ephemeral_policy=POLICY)["id"]
    answer = api.post(f"/secrets/{secret_id}/versions", {"data": "AA=="})
    properties = {"expires_at": ANY_TIME, "expires_once_accessed": False, "action": "disable"}
    assert_answer(answer, 200, version(ephemeral_properties=properties))


@pytest.mark.parametrize("change", [{"description": "updated"}, {"description": ""}, {}])
def test_version_update_changes_what_it_names(api, new_secret, change):
    secret_id = new_secret(ephemeral_policy=POLICY)["id"]
    before = api.create_version(secret_id, b"data", description="old")
    answer = api.patch(f"/secrets/{secret_id}/versions/1", change)
    assert_answer(answer, 200, {**before, **change, "updated_at": ANY_TIME})
    assert answer.body["updated_at"] > before["updated_at"]


@pytest.mark.parametrize(
    "sent, kept",
    [
        ("2999-12-31T23:59:59Z", "2999-12-31T23:59:59.000000Z"),
        ("2999-12-31T23:59:59.5Z", "2999-12-31T23:59:59.500000Z"),
        ("2999-12-31T23:59:59.123456Z", "2999-12-31T23:59:59.123456Z"),
        ("2999-12-31T23:59:59.123Z", "2999-12-31T23:59:59.123000Z"),
        ("2999-12-31T23:59:59+00:00", "2999-12-31T23:59:59.000000Z"),
        ("2999-12-31T23:59:59.25+02:00", "2999-12-31T21:59:59.250000Z"),
        ("2999-12-31T23:59:59-05:30", "3000-01-01T05:29:59.000000Z"),
    ],
)
def test_times(api, new_secret, sent, kept):
    secret_id = new_secret()["id"]
    api.create_version(secret_id, b"data")
    change = {"ephemeral_properties": {"expires_at": sent, "action": "delete"}}
    answer = api.patch(f"/secrets/{secret_id}/versions/1", change)
    assert answer.status == 200
    assert answer.body["ephemeral_properties"]["expires_at"] == kept


@pytest.mark.parametrize(
    "payload",
    [b"\x00", b"text", bytes(range(256)), b"\xff" * 3, b"n" * 100, "é\U0001f511".encode()],
    ids=["nul", "text", "all bytes", "no utf-8", "longer than a line of base64", "utf-8"],
)
def test_payload_comes_back_byte_by_byte(api, new_secret, payload):
    secret_id = new_secret()["id"]
    api.create_version(secret_id, payload)
    answer = api.get(f"/secrets/{secret_id}/versions/1/access")
    data = base64.b64encode(payload).decode()
    assert_answer(answer, 200, access(secret_id=secret_id, data=data))


def test_checksum_comes_back_as_it_was_given(api, new_secret):
    secret_id = new_secret()["id"]
    api.create_version(secret_id, b"123456789", data_crc32=0xCBF43926)
    answer = api.get(f"/secrets/{secret_id}/versions/latest/access")
    data = base64.b64encode(b"123456789").decode()
    expected = access(secret_id=secret_id, data=data, data_crc32=0xCBF43926)
    assert_answer(answer, 200, expected)


# The other shapes -----------------------------------------------------------------------------


def test_browse(api, home):
    project_id = home.project("browse")
    here = api.create_secret(
        name="here", project_id=project_id, tags=["t"], ephemeral_policy=POLICY, protected=True
    )
    api.create_secret(name="deep", project_id=project_id, path="/below/deep")
    answer = api.get("/secrets/browse", query={"project_id": project_id})
    folder = {"name": "below", "created_at": ANY_TIME, "updated_at": ANY_TIME, "folder": {}}
    item = {
        "name": "here",
        "created_at": here["created_at"],
        "updated_at": here["updated_at"],
        "secret": {
            "id": here["id"],
            "tags": ["t"],
            "version_count": 0,
            "protected": True,
            "ephemeral_policy": POLICY,
            "type": "opaque",
        },
    }
    expected = {"items": [folder, item], "total_count": 2, "current_path": "/"}
    assert_answer(answer, 200, expected)


def test_lists_of_an_empty_project(api, home):
    query = {"project_id": home.project("empty")}
    for path, member in (("/secrets", "secrets"), ("/tags", "tags"), ("/secret-types", "types")):
        assert_answer(api.get(path, query=query), 200, {member: [], "total_count": 0})
    browsed = {"items": [], "total_count": 0, "current_path": "/"}
    assert_answer(api.get("/secrets/browse", query=query), 200, browsed)


def test_metadata_needs_no_token(api):
    answer = api.as_key(None).get("/metadata", absolute=True)
    assert_answer(answer, 200, {"platform": "external", "partition": "scw", "domain": "scw.eu"})


def test_every_answer_has_an_id_of_its_own(api):
    answers = [api.get("/secrets"), api.get("/secrets"), api.get("/unknown"), api.get("/secrets/x")]
    for answer in answers:
        assert_headers(answer)
        assert answer.headers["X-Request-Id"] == ANY_ID
    assert len({answer.headers["X-Request-Id"] for answer in answers}) == len(answers)


def test_every_answer_of_the_database_has_a_receipt(api, new_secret):
    path = f"/secrets/{new_secret()['id']}"
    receipts = [
        answer.headers["X-Audit-Id"]
        for answer in (
            api.get(path),
            api.post(f"{path}/protect"),
            api.delete(path),
            api.get(f"/secrets/{uuid.uuid4()}"),
            api.get("/secrets/x"),
            api.as_key(str(uuid.uuid4())).get(path),
        )
    ]
    assert all(receipt == ANY_TEXT for receipt in receipts)
    assert len(set(receipts)) == len(receipts)


def test_answer_without_a_body(api, new_secret):
    answer = api.delete(f"/secrets/{new_secret()['id']}")
    assert (answer.status, answer.raw) == (204, b"")
    assert answer.headers["Content-Type"] is None
    assert_headers(answer)


# What clients send and must be accepted -------------------------------------------------------


@pytest.mark.parametrize(
    "members",
    [
        {"tags": None},
        {"type": "unknown_type"},
        {"protected": False},
        {"unknown_member": {"deep": [1, None]}},
        {"description": None},
    ],
)
def test_create_accepts(api, new_name, members):
    name = new_name()
    assert_answer(api.post("/secrets", {"name": name, **members}), 200, secret(name=name))


@pytest.mark.parametrize(
    "headers",
    [{}, {"Content-Type": "text/plain"}, {"Content-Type": "application/json; charset=utf-8"}],
)
def test_body_is_json_whatever_its_content_type_says(api, new_name, headers):
    name = new_name()
    answer = api.post("/secrets", b'{"name": "%s"}' % name.encode(), headers=headers)
    assert_answer(answer, 200, secret(name=name))


@pytest.mark.parametrize("body", [None, {}], ids=["no body", "empty object"])
@pytest.mark.parametrize(
    "method, suffix",
    [
        ("GET", ""),
        ("GET", "/versions"),
        ("GET", "/versions/1"),
        ("GET", "/versions/1/access"),
        ("POST", "/protect"),
        ("POST", "/unprotect"),
        ("POST", "/versions/1/disable"),
        ("POST", "/versions/1/enable"),
        ("DELETE", "/versions/1"),
        ("POST", "/versions/1/restore"),
        ("DELETE", ""),
    ],
)
def test_body_that_says_nothing(api, new_secret, method, suffix, body):
    secret_id = new_secret()["id"]
    api.create_version(secret_id, b"data")
    if suffix.endswith("restore"):
        assert api.delete(f"/secrets/{secret_id}/versions/1").status == 204
    answer = api.call(method, f"/secrets/{secret_id}{suffix}", body)
    assert answer.status == (204 if method == "DELETE" else 200)


@pytest.mark.parametrize(
    "query",
    [
        "type=unknown_type",
        "page_size=0",
        "page=1",
        "page=1&page_size=100",
        "ephemeral=False",
        "ephemeral=false",
        "scheduled_for_deletion=False&ephemeral=False",
        "unknown=argument&unknown=again",
        "name=",
        "order_by=name_asc",
    ],
)
def test_list_accepts(api, home, query):
    project_id = home.project("accepts")
    created = api.create_secret(name="found", project_id=project_id)
    answer = api.get(f"/secrets?project_id={project_id}&{query}")
    assert_answer(answer, 200, {"secrets": [created], "total_count": 1})


def test_organization_and_project_intersect(api, home, new_tenant, service):
    project_id = home.project("intersect")
    created = api.create_secret(name="found", project_id=project_id)
    other = new_tenant(service)
    for query, expected in (
        ({"organization_id": home.organization_id, "project_id": project_id}, [created]),
        ({"organization_id": other.organization_id, "project_id": project_id}, []),
        ({"organization_id": other.organization_id}, []),
    ):
        answer = api.get("/secrets", query=query)
        assert_answer(answer, 200, {"secrets": expected, "total_count": len(expected)})
