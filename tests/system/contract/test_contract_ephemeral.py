"""Versions that expire: by time, from the very instant, and by being read."""

import time
from datetime import UTC, datetime, timedelta

import pytest
from expected import ANY_TIME, NOT_USABLE, assert_answer, not_found

ONCE = {"expires_once_accessed": True, "action": "disable"}
HOUR = {"time_to_live": "3600s", "action": "disable"}


def parsed(text):
    return datetime.fromisoformat(text)


def wait_until(text):
    while datetime.now(UTC) <= parsed(text):
        time.sleep(0.01)


@pytest.fixture
def unswept(new_database, start_daemon, new_tenant):
    """An organization of a service in which no job comes by."""
    return new_tenant(start_daemon(new_database(), job_interval=3600))


# Where the properties of a version come from -------------------------------------------------


@pytest.mark.parametrize("seconds", [1, 60.5, 31536000])
@pytest.mark.parametrize("once", [False, True])
@pytest.mark.parametrize("action", ["disable", "delete"])
def test_new_version_follows_the_policy(api, new_secret, seconds, once, action):
    policy = {"time_to_live": f"{seconds}s", "expires_once_accessed": once, "action": action}
    secret_id = new_secret(ephemeral_policy=policy)["id"]
    version = api.create_version(secret_id, b"data")
    expires_at = version["ephemeral_properties"]["expires_at"]
    assert version["ephemeral_properties"] == {
        "expires_at": ANY_TIME,
        "expires_once_accessed": once,
        "action": action,
    }
    assert parsed(expires_at) - parsed(version["created_at"]) == timedelta(seconds=seconds)


def test_policy_without_time(api, new_secret):
    secret_id = new_secret(ephemeral_policy=ONCE)["id"]
    version = api.create_version(secret_id, b"data")
    assert version["ephemeral_properties"] == {
        "expires_at": None,
        "expires_once_accessed": True,
        "action": "disable",
    }


def test_later_policy_leaves_existing_versions_alone(api, new_secret):
    secret_id = new_secret()["id"]
    first = api.create_version(secret_id, b"one")
    api.patch(f"/secrets/{secret_id}", {"ephemeral_policy": HOUR})
    second = api.create_version(secret_id, b"two")
    api.patch(f"/secrets/{secret_id}", {"ephemeral_policy": ONCE})
    third = api.create_version(secret_id, b"three")
    listed = api.get(f"/secrets/{secret_id}/versions").body["versions"]
    assert [version["ephemeral_properties"] for version in listed] == [
        third["ephemeral_properties"],
        second["ephemeral_properties"],
        first["ephemeral_properties"],
    ]
    assert first["ephemeral_properties"] is None
    assert second["ephemeral_properties"]["expires_once_accessed"] is False


def test_version_is_given_properties_of_its_own(api, new_secret):
    secret_id = new_secret(ephemeral_policy=HOUR)["id"]
    before = api.create_version(secret_id, b"data")
    for given, kept in (
        (ONCE, {"expires_at": None, **ONCE}),
        (
            {"expires_at": "2999-01-01T00:00:00Z", "action": "delete"},
            {
                "expires_at": "2999-01-01T00:00:00.000000Z",
                "expires_once_accessed": False,
                "action": "delete",
            },
        ),
    ):
        answer = api.patch(f"/secrets/{secret_id}/versions/1", {"ephemeral_properties": given})
        after = {**before, "ephemeral_properties": kept, "updated_at": ANY_TIME}
        assert_answer(answer, 200, after)
    assert api.get(f"/secrets/{secret_id}").body["ephemeral_policy"]["time_to_live"] == "3600s"


# Time -----------------------------------------------------------------------------------------


def test_version_expires_at_the_instant_without_a_job(unswept):
    """From then on it is refused, shown and counted as its action says."""
    client = unswept.client()
    paths = {}
    for action in ("disable", "delete"):
        policy = {"time_to_live": "1s", "action": action}
        secret = client.create_secret(name=action, ephemeral_policy=policy)
        version = client.create_version(secret["id"], b"data")
        paths[action] = f"/secrets/{secret['id']}"
    expires_at = version["ephemeral_properties"]["expires_at"]
    wait_until(expires_at)

    path = paths["disable"]
    shown = client.get(f"{path}/versions/1").body
    assert shown["status"] == "disabled"
    assert_answer(client.get(f"{path}/versions/1/access"), *NOT_USABLE)
    assert client.get(f"{path}/versions").body == {"versions": [shown], "total_count": 1}
    enabled = client.get(f"{path}/versions", query={"status": "enabled"}).body
    assert enabled == {"versions": [], "total_count": 0}
    latest_enabled = client.get(f"{path}/versions/latest_enabled")
    assert_answer(latest_enabled, *not_found("secret_version"))
    assert client.get(path).body["version_count"] == 1

    path = paths["delete"]
    for suffix in ("", "/access"):
        for revision in ("1", "latest", "latest_enabled"):
            answer = client.get(f"{path}/versions/{revision}{suffix}")
            assert_answer(answer, *not_found("secret_version"))
    for change in ("enable", "disable", "restore"):
        assert client.post(f"{path}/versions/1/{change}").status == 404
    assert client.delete(f"{path}/versions/1").status == 404
    assert client.get(f"{path}/versions").body == {"versions": [], "total_count": 0}
    assert client.get(path).body["version_count"] == 0
    (item,) = client.get("/secrets", query={"name": "delete"}).body["secrets"]
    assert item["version_count"] == 0
    assert client.create_version(path.rpartition("/")[2], b"data")["revision"] == 2


def test_job_changes_nothing_that_can_be_seen(unswept):
    client = unswept.client()
    paths = []
    for action in ("disable", "delete"):
        policy = {"time_to_live": "1s", "action": action}
        secret = client.create_secret(name=action, ephemeral_policy=policy)
        paths.append(f"/secrets/{secret['id']}")
        first = client.create_version(secret["id"], b"one")
        assert (
            client.patch(paths[-1], {"ephemeral_policy": {**HOUR, "action": action}}).status == 200
        )
        client.create_version(secret["id"], b"two")
    wait_until(first["ephemeral_properties"]["expires_at"])

    def everything():
        return [client.get(path + suffix).body for path in paths for suffix in ("", "/versions")]

    before = everything()
    assert [secret["version_count"] for secret in before[::2]] == [2, 1]
    unswept.daemon.database.query(
        "SELECT job.run(name, 1000) FROM job.list() AS name", role="coffer_operator"
    )
    assert everything() == before


def test_expired_version_is_enabled_again_with_fresh_properties(api, new_secret):
    secret_id = new_secret(ephemeral_policy={"time_to_live": "1s", "action": "disable"})["id"]
    path = f"/secrets/{secret_id}/versions/1"
    version = api.create_version(secret_id, b"data")
    wait_until(version["ephemeral_properties"]["expires_at"])
    api.patch(f"/secrets/{secret_id}", {"ephemeral_policy": HOUR})
    assert_answer(api.get(f"{path}/access"), *NOT_USABLE)
    enabled = api.post(f"{path}/enable").body
    assert enabled["status"] == "enabled"
    fresh = parsed(enabled["ephemeral_properties"]["expires_at"]) - parsed(enabled["updated_at"])
    assert fresh == timedelta(hours=1)
    assert api.access(secret_id) == b"data"


@pytest.mark.parametrize(
    "policy, properties",
    [
        (None, None),
        (ONCE, {"expires_at": None, **ONCE}),
        (HOUR, {"expires_at": ANY_TIME, "expires_once_accessed": False, "action": "disable"}),
    ],
    ids=["none", "once", "hour"],
)
def test_enabling_takes_the_present_policy(api, new_secret, policy, properties):
    secret_id = new_secret()["id"]
    path = f"/secrets/{secret_id}/versions/1"
    api.create_version(secret_id, b"data")
    own = {"ephemeral_properties": {"expires_at": "2999-01-01T00:00:00Z", "action": "delete"}}
    assert api.patch(path, own).status == 200
    assert api.post(f"{path}/disable").body["ephemeral_properties"]["action"] == "delete"
    if policy is not None:
        assert api.patch(f"/secrets/{secret_id}", {"ephemeral_policy": policy}).status == 200
    assert api.post(f"{path}/enable").body["ephemeral_properties"] == properties


# Reading --------------------------------------------------------------------------------------


def test_read_once_then_disabled(api, new_secret):
    secret_id = new_secret(ephemeral_policy=ONCE)["id"]
    path = f"/secrets/{secret_id}/versions/1"
    api.create_version(secret_id, b"once")
    assert api.access(secret_id, "1") == b"once"
    assert api.get(path).body["status"] == "disabled"
    assert_answer(api.get(f"{path}/access"), *NOT_USABLE)
    assert api.post(f"{path}/enable").body["ephemeral_properties"]["expires_once_accessed"] is True
    assert api.access(secret_id, "1") == b"once"
    assert_answer(api.get(f"{path}/access"), *NOT_USABLE)


def test_read_once_then_deleted(api, new_secret):
    secret_id = new_secret(ephemeral_policy={**ONCE, "action": "delete"})["id"]
    api.create_version(secret_id, b"once")
    assert api.access(secret_id, "1") == b"once"
    for suffix in ("", "/access"):
        answer = api.get(f"/secrets/{secret_id}/versions/1{suffix}")
        assert_answer(answer, *not_found("secret_version"))
    assert api.get(f"/secrets/{secret_id}").body["version_count"] == 0


@pytest.mark.parametrize("revision", ["latest", "latest_enabled"])
def test_read_once_by_another_name(api, new_secret, revision):
    secret_id = new_secret(ephemeral_policy={**ONCE, "action": "delete"})["id"]
    for data in (b"one", b"two"):
        api.create_version(secret_id, data)
    assert [api.access(secret_id, revision) for _ in range(2)] == [b"two", b"one"]
    answer = api.get(f"/secrets/{secret_id}/versions/{revision}/access")
    assert_answer(answer, *not_found("secret_version"))


def test_read_once_by_path(api, home, new_secret):
    secret = new_secret(path="/once", ephemeral_policy=ONCE)
    api.create_version(secret["id"], b"once")
    query = {"project_id": home.project_id, "secret_path": "/once", "secret_name": secret["name"]}
    path = "/secrets-by-path/versions/1/access"
    assert api.get(path, query=query).status == 200
    assert_answer(api.get(path, query=query), *NOT_USABLE)


def test_looking_at_a_read_once_version_does_not_read_it(api, new_secret):
    secret_id = new_secret(ephemeral_policy=ONCE)["id"]
    path = f"/secrets/{secret_id}/versions"
    version = api.create_version(secret_id, b"once")
    assert api.get(f"{path}/1").body == version
    assert api.get(path).body["versions"] == [version]
    assert api.access(secret_id) == b"once"


# Deletion ---------------------------------------------------------------------------------------


def test_ephemeral_secret_is_gone_as_soon_as_it_is_deleted(api, new_secret):
    secret = new_secret(ephemeral_policy=HOUR, path="/gone")
    path = f"/secrets/{secret['id']}"
    api.create_version(secret["id"], b"data")
    assert_answer(api.delete(path), 204)
    assert_answer(api.get(path), *not_found("secret", secret["id"]))
    assert_answer(api.post(f"{path}/restore"), *not_found("secret", secret["id"]))
    for scheduled in (False, True):
        query = {"name": secret["name"], "scheduled_for_deletion": scheduled}
        assert api.get("/secrets", query=query).body["total_count"] == 0
    new_secret(name=secret["name"], path="/gone")


def test_version_of_an_ephemeral_secret_is_scheduled_like_any_other(api, new_secret):
    secret_id = new_secret(ephemeral_policy=HOUR)["id"]
    path = f"/secrets/{secret_id}/versions/1"
    version = api.create_version(secret_id, b"data")
    assert_answer(api.delete(path), 204)
    assert api.get(path).body["status"] == "scheduled_for_deletion"
    restored = api.post(f"{path}/restore").body
    assert restored == {**version, "updated_at": ANY_TIME}


def test_protection_holds_for_an_ephemeral_secret(api, new_secret):
    secret_id = new_secret(ephemeral_policy=HOUR, protected=True)["id"]
    assert api.delete(f"/secrets/{secret_id}").status == 412
    assert api.get(f"/secrets/{secret_id}").status == 200
