"""Who may do what, a call of each kind over HTTP. tests/sql/permission_test.sql has the whole table."""

import uuid

import pytest
from expected import assert_answer, not_found, permissions_denied

# A call for each action, on a secret with an enabled version. The set allows it.
CALLS = {
    "SecretManagerReadOnly": ("GET", "/secrets?project_id={project}", None),
    "SecretManagerSecretAccess": ("GET", "/secrets/{id}/versions/1/access", None),
    "SecretManagerSecretCreate": (
        "POST",
        "/secrets",
        {"name": "new-{name}", "project_id": "{project}"},
    ),
    "SecretManagerSecretWrite": ("PATCH", "/secrets/{id}", {"description": "updated"}),
    "SecretManagerSecretDelete": ("DELETE", "/secrets/{id}", None),
    "SecretManagerSecretRestore": ("POST", "/secrets/{id}/restore", {}),
}


@pytest.fixture
def call(api, new_name):
    """Make the call of a permission set as a client, for a secret that was made for it."""

    def call(client, permission_set, project_id):
        secret = api.create_secret(name=new_name(), project_id=project_id)
        api.create_version(secret["id"], b"value")
        method, path, body = CALLS[permission_set]
        if path.endswith("/restore"):
            assert api.delete(f"/secrets/{secret['id']}").status == 204
        values = {"id": secret["id"], "name": secret["name"], "project": project_id}
        if body is not None:
            body = {name: value.format(**values) for name, value in body.items()}
        return client.call(method, path.format(**values), body), secret

    return call


@pytest.mark.parametrize("permission_set", CALLS)
def test_permission_set(home, call, permission_set):
    answer, _ = call(home.client(key=home.key(permission_set)), permission_set, home.project_id)
    assert answer.status in (200, 204)
    others = home.key(*(other for other in CALLS if other != permission_set))
    answer, _ = call(home.client(key=others), permission_set, home.project_id)
    assert_answer(answer, *permissions_denied())


@pytest.mark.parametrize("permission_set", CALLS)
def test_policy_on_one_project(home, call, permission_set):
    project_id = home.project("policy")
    client = home.client(key=home.key(permission_set, project_id=project_id))
    allowed, _ = call(client, permission_set, project_id)
    assert allowed.status in (200, 204)
    refused, _ = call(client, permission_set, home.project_id)
    assert_answer(refused, *permissions_denied())


@pytest.mark.parametrize("permission_set", CALLS)
def test_organizations_never_see_each_other(service, home, new_tenant, call, permission_set):
    """What is of another organization is not there; a project of it is one without rights."""
    answer, secret = call(new_tenant(service).client(), permission_set, home.project_id)
    if "{id}" in CALLS[permission_set][1]:
        assert_answer(answer, *not_found("secret", secret["id"]))
    else:
        assert_answer(answer, *permissions_denied())


def test_events_show_nothing_of_other_organizations(service, home, new_tenant):
    """What was asked for and not found is shown as it was sent, whatever it is to others."""
    stranger = new_tenant(service)
    theirs = stranger.client()
    key = theirs.key_manager().create_key(name="their-key")
    secret = theirs.create_secret(name="their-secret", path="/their/path", key_id=key["id"])
    theirs.create_version(secret["id"], b"x")
    client = home.client(
        key=home.key("AuditTrailReadOnly", "SecretManagerFullAccess", "KeyManagerFullAccess")
    )
    assert client.get(f"/secrets/{secret['id']}").status == 404
    assert client.get(f"/secrets/{secret['id']}/versions/1").status == 404
    assert client.key_manager().get(f"/keys/{key['id']}").status == 404
    for asked in secret["id"], key["id"]:
        events = client.get(
            f"/audit-trail/v1alpha1/regions/{client.region}/events"
            f"?organization_id={home.organization_id}&resource_id={asked}",
            absolute=True,
        )
        assert {event["status_code"] for event in events.body["events"]} == {404}
        for event in events.body["events"]:
            (resource,) = event["resources"]
            assert (resource["id"], resource["name"]) == (asked, None)
            assert (resource["created_at"], resource["updated_at"]) == (None, None)
        assert b"their" not in events.raw
        assert asked == key["id"] or key["id"].encode() not in events.raw


def test_unknown_project_looks_like_one_of_another_organization(api, home, new_tenant, service):
    of_another = new_tenant(service).project_id
    answers = [
        api.get("/secrets", query={"project_id": project_id})
        for project_id in (of_another, str(uuid.uuid4()))
    ]
    for answer in answers:
        assert_answer(answer, *permissions_denied())
    assert answers[0].body == answers[1].body


# Lists show what the caller may list -----------------------------------------------------------


@pytest.fixture(scope="module")
def two_projects(service, new_tenant):
    """An organization with a secret and a tag in each of two projects."""
    tenant = new_tenant(service)
    tenant.projects = [tenant.project_id, tenant.project("second")]
    for number, project_id in enumerate(tenant.projects):
        tenant.client().create_secret(
            name=f"secret-{number}",
            project_id=project_id,
            tags=[f"tag-{number}"],
            type=("opaque", "ssh_key")[number],
        )
    return tenant


LISTS = [
    ("/secrets", lambda body: [secret["name"] for secret in body["secrets"]], "secret-{}"),
    ("/secrets/browse", lambda body: [item["name"] for item in body["items"]], "secret-{}"),
    ("/tags", lambda body: body["tags"], "tag-{}"),
]


@pytest.mark.parametrize("path, values, form", LISTS)
def test_list_without_a_project(two_projects, path, values, form):
    everything = [form.format(0), form.format(1)]
    whole = two_projects.client().get(path)
    assert (values(whole.body), whole.body["total_count"]) == (everything, 2)
    for number, project_id in enumerate(two_projects.projects):
        key = two_projects.key("SecretManagerReadOnly", project_id=project_id)
        part = two_projects.client(key=key).get(path)
        assert (values(part.body), part.body["total_count"]) == ([everything[number]], 1)


def test_types_without_a_project(two_projects):
    assert set(two_projects.client().get("/secret-types").body["types"]) == {"opaque", "ssh_key"}
    key = two_projects.key("SecretManagerReadOnly", project_id=two_projects.projects[1])
    assert two_projects.client(key=key).get("/secret-types").body["types"] == ["ssh_key"]


@pytest.mark.parametrize("path", ["/secrets", "/secrets/browse", "/tags", "/secret-types"])
@pytest.mark.parametrize("permission_set", ["SecretManagerReadOnly", "SecretManagerSecretAccess"])
def test_list_of_a_project_that_may_not_be_listed(two_projects, path, permission_set):
    first, second = two_projects.projects
    key = two_projects.key(permission_set, project_id=first)
    answer = two_projects.client(key=key).get(path, query={"project_id": second})
    assert_answer(answer, *permissions_denied())


def test_create_goes_into_the_default_project_of_the_key(home, new_name):
    """Or is refused, when the caller may not create there."""
    other = home.project("other")
    client = home.client(key=home.key("SecretManagerFullAccess", project_id=other))
    assert_answer(client.post("/secrets", {"name": new_name()}), *permissions_denied())
    assert client.post("/secrets", {"name": new_name(), "project_id": other}).status == 200
    client = home.client(key=home.key("SecretManagerSecretCreate"))
    created = client.post("/secrets", {"name": new_name()})
    assert created.body["project_id"] == home.project_id


# Policies --------------------------------------------------------------------------------------


def test_permissions_of_all_policies_add_up(home, operator, call):
    key = home.key("SecretManagerSecretAccess", "SecretManagerSecretWrite")
    sets = ["SecretManagerReadOnly"]
    operator("SELECT operator.policy_create(%s::uuid, 'more', %s::text[])", key.principal_id, sets)
    client = home.client(key=key)
    for permission_set in CALLS:
        answer, _ = call(client, permission_set, home.project_id)
        allowed = permission_set.endswith(("ReadOnly", "Access", "Write"))
        assert answer.status in ((200, 204) if allowed else (403,)), permission_set


def test_policy_is_deleted_at_once(home, operator):
    key = home.key()
    client = home.client(key=key)
    assert client.get("/secrets").status == 403
    ((policy_id,),) = operator(
        "SELECT operator.policy_create(%s::uuid, 'for now', %s::text[])",
        key.principal_id,
        ["SecretManagerReadOnly"],
    )
    assert client.get("/secrets").status == 200
    operator("SELECT operator.policy_delete(%s)", policy_id)
    assert client.get("/secrets").status == 403


def test_two_keys_of_one_principal_may_do_the_same(home):
    first = home.key("SecretManagerReadOnly")
    for key in (first, home.key_of(first.principal_id)):
        client = home.client(key=key)
        assert client.get("/secrets").status == 200
        assert client.post("/secrets", {"name": "refused"}).status == 403
