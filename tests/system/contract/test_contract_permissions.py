"""Who may do what: each permission set against each endpoint, projects, organizations."""

import uuid

import pytest
from expected import assert_answer, not_found, permissions_denied

# What each endpoint needs. Of the secret {id}, version 1 is enabled, 2 disabled, 3 scheduled for
# deletion.
ENDPOINTS = {
    "list": ("read", "GET", "/secrets?project_id={project}", None),
    "browse": ("read", "GET", "/secrets/browse?project_id={project}", None),
    "tags": ("read", "GET", "/tags?project_id={project}", None),
    "types": ("read", "GET", "/secret-types?project_id={project}", None),
    "get": ("read", "GET", "/secrets/{id}", None),
    "list versions": ("read", "GET", "/secrets/{id}/versions", None),
    "get version": ("read", "GET", "/secrets/{id}/versions/1", None),
    "access": ("access", "GET", "/secrets/{id}/versions/1/access", None),
    "access by path": (
        "access",
        "GET",
        "/secrets-by-path/versions/1/access?project_id={project}&secret_name={name}",
        None,
    ),
    "create": ("create", "POST", "/secrets", {"name": "new-{name}", "project_id": "{project}"}),
    "create version": (
        "create",
        "POST",
        "/secrets/{id}/versions",
        {"data": "AA==", "disable_previous": True},
    ),
    "update": ("write", "PATCH", "/secrets/{id}", {"description": "updated"}),
    "protect": ("write", "POST", "/secrets/{id}/protect", {}),
    "unprotect": ("write", "POST", "/secrets/{id}/unprotect", {}),
    "add-owner": ("write", "POST", "/secrets/{id}/add-owner", {"product": "s2s_vpn"}),
    "update version": ("write", "PATCH", "/secrets/{id}/versions/1", {"description": "updated"}),
    "enable": ("write", "POST", "/secrets/{id}/versions/2/enable", {}),
    "disable": ("write", "POST", "/secrets/{id}/versions/1/disable", {}),
    "delete": ("delete", "DELETE", "/secrets/{id}", None),
    "delete version": ("delete", "DELETE", "/secrets/{id}/versions/1", None),
    "restore": ("restore", "POST", "/secrets/{id}/restore", {}),
    "restore version": ("restore", "POST", "/secrets/{id}/versions/3/restore", {}),
}

EVERYTHING = {"read", "access", "create", "write", "delete", "restore"}
SETS = {
    "SecretManagerReadOnly": {"read"},
    "SecretManagerSecretAccess": {"access"},
    "SecretManagerSecretCreate": {"create"},
    "SecretManagerSecretWrite": {"write"},
    "SecretManagerSecretDelete": {"delete"},
    "SecretManagerSecretRestore": {"restore"},
    "SecretManagerFullAccess": EVERYTHING,
    "AllProductsReadOnly": {"read"},
    "AllProductsFullAccess": EVERYTHING,
}


@pytest.fixture
def call(api, new_name):
    """Call an endpoint as a client, for a secret that was made for it."""

    def call(client, endpoint, project_id):
        secret = api.create_secret(name=new_name(), project_id=project_id)
        path = f"/secrets/{secret['id']}"
        for data in (b"one", b"two", b"three"):
            api.create_version(secret["id"], data)
        assert api.post(f"{path}/versions/2/disable").status == 200
        assert api.delete(f"{path}/versions/3").status == 204
        if endpoint == "restore":
            assert api.delete(path).status == 204
        values = {"id": secret["id"], "name": secret["name"], "project": project_id}
        _, method, path, body = ENDPOINTS[endpoint]
        if body is not None:
            body = {
                name: value.format(**values) if isinstance(value, str) else value
                for name, value in body.items()
            }
        return client.call(method, path.format(**values), body), secret

    return call


@pytest.fixture(scope="module")
def keys(home):
    """A key of an application that has one permission set on the whole organization."""
    return {name: home.key(name) for name in SETS}


@pytest.mark.parametrize("endpoint", ENDPOINTS)
@pytest.mark.parametrize("permission_set", SETS)
def test_permission_set(home, keys, call, permission_set, endpoint):
    client = home.client(key=keys[permission_set])
    answer, _ = call(client, endpoint, home.project_id)
    if ENDPOINTS[endpoint][0] in SETS[permission_set]:
        assert answer.status in (200, 204)
    else:
        assert_answer(answer, *permissions_denied())


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_principal_without_a_policy_may_do_nothing(home, call, endpoint):
    client = home.client(key=home.key())
    answer, _ = call(client, endpoint, home.project_id)
    assert_answer(answer, *permissions_denied())


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_policy_on_one_project(home, call, endpoint):
    project_id = home.project("policy")
    key = home.key("SecretManagerFullAccess", project_id=project_id)
    client = home.client(key=key)
    allowed, _ = call(client, endpoint, project_id)
    assert allowed.status in (200, 204)
    refused, _ = call(client, endpoint, home.project_id)
    assert_answer(refused, *permissions_denied())


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_organizations_never_see_each_other(service, home, new_tenant, call, endpoint):
    """What is of another organization is not there; a project of it is one without rights."""
    answer, secret = call(new_tenant(service).client(), endpoint, home.project_id)
    if "{id}" in ENDPOINTS[endpoint][2]:
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


def test_refused_change_changes_nothing(api, home, keys, call):
    client = home.client(key=keys["SecretManagerReadOnly"])
    for endpoint, (needs, _, path, _) in ENDPOINTS.items():
        if needs == "read" or "{id}" not in path or endpoint == "restore":
            continue
        answer, secret = call(client, endpoint, home.project_id)
        assert answer.status == 403
        after = api.get(f"/secrets/{secret['id']}").body
        assert after == {**secret, "version_count": 3}
        versions = api.get(f"/secrets/{secret['id']}/versions").body["versions"]
        statuses = [version["status"] for version in versions]
        assert statuses == ["scheduled_for_deletion", "disabled", "enabled"]


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
    for endpoint, (needs, *_) in ENDPOINTS.items():
        answer, _ = call(client, endpoint, home.project_id)
        allowed = needs in ("read", "access", "write")
        assert answer.status in ((200, 204) if allowed else (403,)), endpoint


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


def test_two_keys_of_one_principal_may_do_the_same(home, keys):
    second = home.key_of(keys["SecretManagerReadOnly"].principal_id)
    for key in (keys["SecretManagerReadOnly"], second):
        client = home.client(key=key)
        assert client.get("/secrets").status == 200
        assert client.post("/secrets", {"name": "refused"}).status == 403
