"""The counters of secrets are what a count would give, at any instant and whatever happens at once."""

import random

import pytest

from support.load import together

OPERATIONS = 25


@pytest.fixture(scope="module")
def projects(home):
    return [home.project() for _ in range(2)]


def wrong_counters(database):
    """Counters that differ from a count of the same instant."""
    return database.query("""
        SELECT * FROM (SELECT project_id, region, live, scheduled FROM store.secret_count WHERE live + scheduled > 0) AS kept
          FULL JOIN (SELECT project_id, region, count(*) FILTER (WHERE deletion_requested_at IS NULL) AS live,
                            count(deletion_requested_at) AS scheduled
                       FROM store.secret GROUP BY project_id, region) AS counted
         USING (project_id, region, live, scheduled)
         WHERE kept IS NULL OR counted IS NULL""")


def work(client, projects, new_name, seed):
    """Create, delete, restore and rename at random; some of it is refused."""
    choose = random.Random(seed)
    ids = []
    for _ in range(OPERATIONS):
        kind = choose.choice(["create", "create", "ephemeral", "delete", "restore", "rename"])
        if kind in ("create", "ephemeral") or not ids:
            members = {"name": new_name(), "project_id": choose.choice(projects)}
            if kind == "ephemeral":
                members["ephemeral_policy"] = {"expires_once_accessed": True, "action": "delete"}
            ids.append(client.create_secret(**members)["id"])
        elif kind == "delete":
            assert client.delete(f"/secrets/{choose.choice(ids)}").status in (204, 404, 412)
        elif kind == "restore":
            assert client.post(f"/secrets/{choose.choice(ids)}/restore").status in (200, 404, 412)
        else:
            assert client.patch(f"/secrets/{choose.choice(ids)}", {"name": new_name()}).status in (
                200,
                404,
                412,
            )


def test_counters_at_any_instant(home, service, projects, new_name):
    def watch():
        for _ in range(40):
            assert wrong_counters(service.database) == []

    together(
        [
            watch,
            *(lambda seed=seed: work(home.client(), projects, new_name, seed) for seed in range(8)),
        ]
    )
    assert wrong_counters(service.database) == []
    client = home.client()
    for project in projects:
        for scheduled in (False, True):
            listed = client.get(
                "/secrets",
                query={
                    "project_id": project,
                    "page_size": 100,
                    "scheduled_for_deletion": str(scheduled).lower(),
                },
            ).body
            assert listed["total_count"] == len(listed["secrets"])


def test_the_quota_counts_what_is_scheduled(service, new_tenant):
    tenant = new_tenant(service)
    client = tenant.client()
    service.database.query(
        "SELECT operator.quota_set(%s, 'secret', 2)", tenant.organization_id, role="coffer_operator"
    )
    first = client.create_secret(name="first")["id"]
    client.create_secret(name="second")
    assert client.delete(f"/secrets/{first}").status == 204
    refused = client.post("/secrets", {"name": "third"})
    assert (refused.status, refused.body["details"]) == (
        403,
        [{"current": 2, "quota": 2, "resource": "secret"}],
    )


def test_what_is_purged_or_goes_with_its_project_is_counted(service, new_tenant):
    tenant = new_tenant(service)
    client = tenant.client()
    gone = tenant.project()
    for number in range(3):
        client.create_secret(name=f"s{number}", project_id=gone)
        client.delete(f"/secrets/{client.create_secret(name=f's{number}')['id']}")
    service.database.query(
        "UPDATE store.secret SET deletion_requested_at = '2001-01-01' WHERE project_id = %s AND deletion_requested_at IS NOT NULL",
        tenant.project_id,
    )
    service.database.query("SELECT operator.project_delete(%s)", gone, role="coffer_operator")
    service.database.query("SELECT job.secret_purge(1000)", role="coffer_operator")
    assert wrong_counters(service.database) == []
    assert client.get("/secrets").body == {"secrets": [], "total_count": 0}
