"""States of secrets and versions over HTTP. tests/sql/secret_state_test.sql has the whole tables."""

import base64

import pytest
from expected import NOT_USABLE, PROTECTED, assert_answer, locked

DATA = base64.b64encode(b"data").decode()
LATER = {"description": "later"}

# Versions 1, 2 and 3 of every secret: enabled, disabled and scheduled for deletion.
OPERATIONS = {
    "update": ("PATCH", "", LATER),
    "delete": ("DELETE", "", None),
    "restore": ("POST", "/restore", {}),
}

STATES = ("ready", "protected", "scheduled", "locked")
CELLS = {
    "update": (200, 200, NOT_USABLE, "locked"),
    "delete": (204, PROTECTED, NOT_USABLE, "locked"),
    "restore": (NOT_USABLE, NOT_USABLE, 200, "locked"),
}

VERSION_OPERATIONS = {
    "access": ("GET", "/access", None),
    "restore": ("POST", "/restore", {}),
}

VERSION_STATES = ("enabled", "disabled", "scheduled_for_deletion")
VERSION_CELLS = {
    "access": (200, NOT_USABLE, NOT_USABLE),
    "restore": (NOT_USABLE, NOT_USABLE, 200),
}


def table(cells, states):
    return [
        pytest.param(operation, state, cell, id=f"{operation}-{state}")
        for operation, row in cells.items()
        for state, cell in zip(states, row, strict=True)
    ]


@pytest.fixture
def secret_in(api, new_secret, operator):
    def make(state):
        secret_id = new_secret()["id"]
        for data in (b"one", b"two", b"three"):
            api.create_version(secret_id, data)
        assert api.post(f"/secrets/{secret_id}/versions/2/disable").status == 200
        assert api.delete(f"/secrets/{secret_id}/versions/3").status == 204
        if state == "protected":
            assert api.post(f"/secrets/{secret_id}/protect").status == 200
        elif state == "scheduled":
            assert api.delete(f"/secrets/{secret_id}").status == 204
        elif state == "locked":
            operator("SELECT operator.secret_lock(%s)", secret_id)
        return secret_id

    return make


def everything(api, secret_id):
    """All that can be seen of a secret."""
    path = f"/secrets/{secret_id}"
    return api.get(path).body, api.get(f"{path}/versions").body


def assert_cell(api, secret_id, path, operation, cell):
    method, suffix, body = operation
    before = everything(api, secret_id)
    answer = api.call(method, path + suffix, body)
    if isinstance(cell, int):
        assert answer.status == cell
        assert (answer.body is None) == (cell == 204)
    else:
        assert_answer(answer, *(locked(secret_id) if cell == "locked" else cell))
        assert everything(api, secret_id) == before


@pytest.mark.parametrize("operation, state, cell", table(CELLS, STATES))
def test_secret(api, secret_in, operation, state, cell):
    secret_id = secret_in(state)
    assert_cell(api, secret_id, f"/secrets/{secret_id}", OPERATIONS[operation], cell)


@pytest.mark.parametrize("operation, state, cell", table(VERSION_CELLS, VERSION_STATES))
def test_version(api, secret_in, operation, state, cell):
    secret_id = secret_in("ready")
    revision = 1 + VERSION_STATES.index(state)
    path = f"/secrets/{secret_id}/versions/{revision}"
    assert api.get(path).body["status"] == state
    assert_cell(api, secret_id, path, VERSION_OPERATIONS[operation], cell)


@pytest.mark.parametrize("state", STATES)
def test_list(api, secret_in, state):
    secret_id = secret_in(state)
    secret = api.get(f"/secrets/{secret_id}").body
    for scheduled in (False, True):
        query = {"name": secret["name"], "scheduled_for_deletion": scheduled}
        listed = api.get("/secrets", query=query)
        found = [secret] if scheduled == (state == "scheduled") else []
        assert_answer(listed, 200, {"secrets": found, "total_count": len(found)})


@pytest.mark.parametrize(
    "state, status", [("ready", 200), ("protected", 200), ("scheduled", 404), ("locked", 423)]
)
def test_access_by_path(api, home, secret_in, state, status):
    """A path leads to live secrets only: the name of a scheduled one is free."""
    secret = api.get(f"/secrets/{secret_in(state)}").body
    query = {"project_id": home.project_id, "secret_name": secret["name"]}
    answer = api.get("/secrets-by-path/versions/1/access", query=query)
    assert answer.status == status


@pytest.mark.parametrize("verb, protected", [("protect", True), ("unprotect", False)])
def test_protection_changes_one_member(api, new_secret, verb, protected):
    secret = new_secret(protected=not protected)
    for _ in range(2):
        answer = api.post(f"/secrets/{secret['id']}/{verb}")
        assert_answer(answer, 200, {**secret, "protected": protected})


def test_unlocked_secret_can_be_changed_again(api, secret_in, operator):
    secret_id = secret_in("locked")
    assert api.get(f"/secrets/{secret_id}").body["status"] == "locked"
    operator("SELECT operator.secret_unlock(%s)", secret_id)
    assert api.get(f"/secrets/{secret_id}").body["status"] == "ready"
    assert api.patch(f"/secrets/{secret_id}", LATER).status == 200


def test_owners_are_kept_once_in_the_order_of_their_coming(api, new_secret):
    secret = new_secret()
    path = f"/secrets/{secret['id']}"
    for product in ("s2s_vpn", "edge_services", "s2s_vpn"):
        answer = api.post(f"{path}/add-owner", {"product": product})
        assert_answer(answer, 204)
    assert_answer(api.get(path), 200, {**secret, "used_by": ["s2s_vpn", "edge_services"]})


@pytest.mark.parametrize("operation", OPERATIONS)
def test_managed_secret_is_changed_by_its_product_only(api, secret_in, operator, operation):
    secret_id = secret_in("scheduled" if operation == "restore" else "ready")
    operator("SELECT operator.secret_manage(%s, 'edge_services')", secret_id)
    before = everything(api, secret_id)
    assert before[0]["managed"] is True
    method, suffix, body = OPERATIONS[operation]
    answer = api.call(method, f"/secrets/{secret_id}{suffix}", body)
    assert (answer.status, answer.body["type"]) == (403, "permissions_denied")
    assert everything(api, secret_id) == before

    operator("SELECT operator.secret_unmanage(%s)", secret_id)
    assert api.get(f"/secrets/{secret_id}").body["managed"] is False
    assert api.call(method, f"/secrets/{secret_id}{suffix}", body).status in (200, 204)


def test_managed_secret_is_read_by_everybody(api, secret_in, operator):
    secret_id = secret_in("ready")
    operator("SELECT operator.secret_manage(%s, 'edge_services')", secret_id)
    assert api.access(secret_id, "1") == b"one"


# What deleting and restoring does to a secret, its versions and its name -----------------------


def test_deleted_secret_is_scheduled_with_its_versions(api, secret_in):
    secret_id = secret_in("ready")
    path = f"/secrets/{secret_id}"
    before, versions = everything(api, secret_id)
    assert_answer(api.delete(path), 204)
    after, scheduled = everything(api, secret_id)
    at = after["deletion_requested_at"]
    assert at > before["updated_at"]
    assert after == {**before, "deletion_requested_at": at, "updated_at": at}
    for version, old in zip(scheduled["versions"], versions["versions"], strict=True):
        assert version == {
            **old,
            "status": "scheduled_for_deletion",
            "deletion_requested_at": old["deletion_requested_at"] or at,
        }


def test_restored_secret_has_all_its_versions_back(api, secret_in):
    secret_id = secret_in("scheduled")
    scheduled, _ = everything(api, secret_id)
    answer = api.post(f"/secrets/{secret_id}/restore")
    restored, versions = everything(api, secret_id)
    assert restored["updated_at"] > scheduled["updated_at"]
    expected = {**scheduled, "deletion_requested_at": None, "updated_at": restored["updated_at"]}
    assert_answer(answer, 200, expected)
    assert restored == expected
    # The third had been deleted singly before.
    statuses = [(version["revision"], version["status"]) for version in versions["versions"]]
    assert statuses == [(3, "enabled"), (2, "disabled"), (1, "enabled")]
    assert [version["deletion_requested_at"] for version in versions["versions"]] == [None] * 3


def test_name_of_a_scheduled_secret_is_free(api, new_secret):
    first = new_secret(path="/names")
    assert api.delete(f"/secrets/{first['id']}").status == 204
    second = new_secret(path="/names", name=first["name"])
    refused = api.post(f"/secrets/{first['id']}/restore")
    assert (refused.status, refused.body["details"][0]["argument_name"]) == (400, "name")
    assert api.get(f"/secrets/{first['id']}").body["deletion_requested_at"] is not None
    assert api.delete(f"/secrets/{second['id']}").status == 204
    assert api.post(f"/secrets/{first['id']}/restore").status == 200


def test_updated_at_of_a_secret(api, new_secret):
    """PATCH, delete and restore change it; protection, owners and versions do not."""
    secret_id = new_secret()["id"]
    path = f"/secrets/{secret_id}"

    def updated_at_after(method, suffix="", body=None):
        assert api.call(method, path + suffix, body).status in (200, 204)
        return api.get(path).body["updated_at"]

    now = api.get(path).body["updated_at"]
    for call in (
        ("POST", "/protect"),
        ("POST", "/unprotect"),
        ("POST", "/add-owner", {"product": "s2s_vpn"}),
        ("POST", "/versions", {"data": DATA}),
        ("PATCH", "/versions/1", LATER),
        ("POST", "/versions/1/disable"),
        ("POST", "/versions/1/enable"),
        ("GET", "/versions/1/access"),
        ("DELETE", "/versions/1"),
        ("POST", "/versions/1/restore"),
    ):
        assert updated_at_after(*call) == now, call
    for call in (("PATCH", "", LATER), ("DELETE",), ("POST", "/restore")):
        later = updated_at_after(*call)
        assert later > now, call
        now = later


def test_updated_at_of_a_version(api, new_secret):
    """PATCH, enable, disable and restore change it; delete and what changes nothing do not."""
    secret_id = new_secret()["id"]
    api.create_version(secret_id, b"data")
    path = f"/secrets/{secret_id}/versions/1"
    now = api.get(path).body["updated_at"]
    for changes, method, suffix, body in (
        (False, "POST", "/enable", {}),
        (True, "PATCH", "", LATER),
        (True, "POST", "/disable", {}),
        (False, "POST", "/disable", {}),
        (True, "POST", "/enable", {}),
        (False, "GET", "/access", None),
        (False, "DELETE", "", None),
        (True, "POST", "/restore", {}),
    ):
        assert api.call(method, path + suffix, body).status in (200, 204)
        later = api.get(path).body["updated_at"]
        assert (later > now) == changes, (method, suffix)
        now = later


# Revisions ----------------------------------------------------------------------------------------


def test_revisions_leave_no_gap_where_a_create_was_refused(api, new_secret):
    secret_id = new_secret()["id"]
    path = f"/secrets/{secret_id}/versions"
    assert api.create_version(secret_id, b"one")["revision"] == 1
    assert api.post(path, {"data": "no base64"}).status == 400
    assert api.post(path, {"data": DATA, "data_crc32": 1}).status == 400
    assert api.create_version(secret_id, b"two")["revision"] == 2


def test_latest_is_the_highest_whatever_its_status(api, secret_in):
    secret_id = secret_in("ready")
    path = f"/secrets/{secret_id}/versions"
    latest = {version["revision"]: version["latest"] for version in api.get(path).body["versions"]}
    assert latest == {1: False, 2: False, 3: True}
    assert api.get(f"{path}/latest").body["revision"] == 3
    assert api.get(f"{path}/latest_enabled").body["revision"] == 1
    assert_answer(api.get(f"{path}/latest/access"), *NOT_USABLE)
    assert api.get(f"/secrets/{secret_id}").body["version_count"] == 3


@pytest.mark.parametrize("status", ["enabled", "disabled", "scheduled_for_deletion"])
def test_disable_previous_is_about_the_highest_revision_only(api, secret_in, status):
    secret_id = secret_in("ready")
    path = f"/secrets/{secret_id}/versions"
    if status == "enabled":
        assert api.post(f"{path}/3/restore").status == 200
    elif status == "disabled":
        assert api.post(f"{path}/3/restore").status == 200
        assert api.post(f"{path}/3/disable").status == 200
    before = api.get(path).body["versions"]
    created = api.create_version(secret_id, b"four", disable_previous=True)
    four, third, second, first = api.get(path).body["versions"]
    assert (four, [second, first]) == (created, before[1:])
    assert third["status"] == ("disabled" if status == "enabled" else status)
    assert (third["updated_at"] > before[0]["updated_at"]) == (status == "enabled")
    assert (third["latest"], four["latest"]) == (False, True)


# The purge --------------------------------------------------------------------------------------


@pytest.fixture
def purge(operator):
    """Purge all that is scheduled for deletion, as if the time for it had come."""

    def run():
        operator("SELECT operator.setting_set('purge_after', '0 seconds')")
        operator("SELECT job.run(name, 1000) FROM job.list() AS name")

    yield run
    operator("SELECT operator.setting_set('purge_after', '7 days')")


def test_purged_secret_is_gone(api, secret_in, purge):
    secret_id = secret_in("scheduled")
    purge()
    for path in ("", "/versions", "/versions/1"):
        answer = api.get(f"/secrets/{secret_id}{path}")
        assert (answer.status, answer.body["resource"]) == (404, "secret")
    assert api.post(f"/secrets/{secret_id}/restore").status == 404


def test_purged_version_is_gone_and_its_revision_never_comes_back(api, secret_in, purge):
    secret_id = secret_in("ready")
    path = f"/secrets/{secret_id}/versions"
    purge()
    answer = api.get(f"{path}/3")
    assert (answer.status, answer.body["resource"]) == (404, "secret_version")
    assert api.get(f"/secrets/{secret_id}").body["version_count"] == 2
    latest = api.get(f"{path}/latest").body
    assert (latest["revision"], latest["latest"]) == (2, True)
    assert api.create_version(secret_id, b"four")["revision"] == 4


def test_nothing_is_purged_before_its_time(api, secret_in, operator):
    secret_id = secret_in("scheduled")
    operator("SELECT job.run(name, 1000) FROM job.list() AS name")
    assert api.get(f"/secrets/{secret_id}").body["version_count"] == 3
    assert api.post(f"/secrets/{secret_id}/restore").status == 200


def test_deleted_project_takes_its_secrets_with_it(api, home, operator, new_name):
    project_id = home.project("doomed")
    live, scheduled = (
        api.create_secret(name=new_name(), project_id=project_id)["id"] for _ in range(2)
    )
    api.create_version(live, b"data")
    assert api.delete(f"/secrets/{scheduled}").status == 204
    operator("SELECT operator.project_delete(%s)", project_id)
    for secret_id in (live, scheduled):
        assert api.get(f"/secrets/{secret_id}").status == 404
