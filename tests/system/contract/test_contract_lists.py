"""Lists: pages, filters and all their combinations, orders, folders, tags and types."""

from itertools import combinations
from types import SimpleNamespace

import pytest
from expected import NO_ROUTE, assert_answer

POLICY = {"time_to_live": "60s", "expires_once_accessed": False, "action": "disable"}
ORDERS = (
    "name_asc",
    "name_desc",
    "created_at_asc",
    "created_at_desc",
    "updated_at_asc",
    "updated_at_desc",
)


@pytest.fixture(scope="module")
def shelf(api, home):
    """A project of many secrets, which are in another order by name, creation and update."""
    project_id = home.project("shelf")

    def create(name, path="/", **members):
        return api.create_secret(name=name, path=path, project_id=project_id, **members)

    secrets = [
        create("e", tags=["x", "y"]),
        create("a", tags=["x"], type="key_value"),
        create("C", path="/a", tags=["y", "x", "z"]),
        create("a", path="/a", ephemeral_policy=POLICY),
        create("b-1", path="/a/b", tags=["X"]),
        create("b.1", path="/ab", type="ssh_key", ephemeral_policy=POLICY, tags=["x"]),
        create("deleted", path="/a/c", tags=["x", "gone"], type="certificate"),
        create("a", path="/a/c", tags=["x"]),
    ]
    for secret in (secrets[3], secrets[0]):
        assert api.patch(f"/secrets/{secret['id']}", {"description": "updated"}).status == 200
    assert api.delete(f"/secrets/{secrets[6]['id']}").status == 204
    secrets = [api.get(f"/secrets/{secret['id']}").body for secret in secrets]
    return SimpleNamespace(project_id=project_id, secrets=secrets)


FILTERS = {
    "name": {"a": lambda secret: secret["name"] == "a"},
    "path": {
        "/a": lambda secret: secret["path"] == "/a",
        "/": lambda secret: secret["path"] == "/",
    },
    "tags": {
        "x": lambda secret: "x" in secret["tags"],
        ("x", "y"): lambda secret: {"x", "y"} <= set(secret["tags"]),
        "none": lambda secret: False,
    },
    "ephemeral": {
        "true": lambda secret: secret["ephemeral_policy"] is not None,
        "false": lambda secret: secret["ephemeral_policy"] is None,
    },
    "type": {
        "opaque": lambda secret: secret["type"] == "opaque",
        "unknown_type": lambda secret: True,
    },
    "scheduled_for_deletion": {
        "true": lambda secret: secret["deletion_requested_at"] is not None,
        "false": lambda secret: secret["deletion_requested_at"] is None,
    },
}


def all_filters():
    for size in range(len(FILTERS) + 1):
        for names in combinations(FILTERS, size):
            yield from choices(names)


def choices(names):
    if not names:
        yield {}
        return
    for rest in choices(names[1:]):
        for value in FILTERS[names[0]]:
            yield {names[0]: value, **rest}


def matches(secret, query):
    tests = [FILTERS[name][value] for name, value in query.items()]
    if "scheduled_for_deletion" not in query:
        tests.append(FILTERS["scheduled_for_deletion"]["false"])
    return all(test(secret) for test in tests)


def test_every_combination_of_filters(api, shelf):
    for filters in all_filters():
        query = {"project_id": shelf.project_id, **filters}
        body = api.get("/secrets", query=query).body
        expected = [secret for secret in shelf.secrets if matches(secret, filters)]
        expected.sort(key=lambda secret: (secret["name"], secret["id"]))
        assert body == {"secrets": expected, "total_count": len(expected)}, filters


@pytest.mark.parametrize("path, member", [("/secrets", "secrets"), ("/secrets/browse", "items")])
@pytest.mark.parametrize("by", ORDERS)
def test_orders(api, shelf, path, member, by):
    """Names are ordered by their bytes, whatever the locale of the database."""
    query = {"project_id": shelf.project_id, "order_by": by}
    items = api.get(path, query=query).body[member]
    key, _, way = by.rpartition("_")
    values = [item[key] for item in items]
    assert len(set(values)) >= 3
    assert values == sorted(values, reverse=way == "desc")


def test_order_is_by_name_unless_it_is_given(api, shelf):
    for path in ("/secrets", "/secrets/browse"):
        query = {"project_id": shelf.project_id}
        by_name = api.get(path, query={**query, "order_by": "name_asc"}).body
        assert api.get(path, query=query).body == by_name


@pytest.mark.parametrize("by", ORDERS)
@pytest.mark.parametrize("page_size", [1, 2, 3, 7, 100])
def test_pages_never_overlap(api, shelf, by, page_size):
    """Not even where names are the same."""
    query = {"project_id": shelf.project_id, "order_by": by}
    all_of_them = api.get("/secrets", query=query).body
    assert all_of_them["total_count"] == len(all_of_them["secrets"]) == 7
    collected, page = [], 1
    while len(collected) < 7:
        answer = api.get("/secrets", query={**query, "page": page, "page_size": page_size})
        secrets = answer.body["secrets"]
        assert answer.body["total_count"] == 7
        assert len(secrets) == min(page_size, 7 - len(collected))
        collected += secrets
        page += 1
    assert collected == all_of_them["secrets"]
    past = api.get("/secrets", query={**query, "page": page, "page_size": page_size})
    assert_answer(past, 200, {"secrets": [], "total_count": 7})


@pytest.mark.parametrize("page", [100000000, 2**31 - 1, 10**30])
def test_page_far_past_the_end(api, shelf, page):
    query = {"project_id": shelf.project_id, "page": page, "page_size": 100}
    for path, member in (("/secrets", "secrets"), ("/tags", "tags"), ("/secret-types", "types")):
        body = api.get(path, query=query).body
        assert body[member] == []
        assert body["total_count"] > 0


def test_default_page_has_fifty(api, home):
    project_id = home.project("fifty")
    for number in range(51):
        api.create_secret(
            name=f"secret-{number:02}", project_id=project_id, tags=[f"tag-{number:02}"]
        )
    query = {"project_id": project_id}
    for path, member in (("/secrets", "secrets"), ("/secrets/browse", "items"), ("/tags", "tags")):
        for size in ({}, {"page_size": 0}, {"page_size": 50}):
            body = api.get(path, query={**query, **size}).body
            assert (len(body[member]), body["total_count"]) == (50, 51)
        assert len(api.get(path, query={**query, "page": 2}).body[member]) == 1
        assert len(api.get(path, query={**query, "page_size": 100}).body[member]) == 51


# Browse ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "query, folders, secrets",
    [
        ({}, ["a", "ab"], ["a", "e"]),
        ({"prefix": "/a"}, ["b", "c"], ["C", "a"]),
        ({"prefix": "a/"}, ["b", "c"], ["C", "a"]),
        ({"prefix": "/a/c"}, [], ["a"]),
        ({"prefix": "/ab"}, [], ["b.1"]),
        ({"prefix": "/none"}, [], []),
        ({"tags": ["x"]}, ["a", "ab"], ["a", "e"]),
        ({"tags": ["x", "y"]}, ["a"], ["e"]),
        ({"tags": ["X"]}, ["a"], []),
        ({"tags": ["gone"]}, [], []),
        ({"type": "ssh_key"}, ["ab"], []),
        ({"type": "certificate"}, [], []),
        ({"type": "unknown_type"}, ["a", "ab"], ["a", "e"]),
        ({"prefix": "/a", "tags": ["X"]}, ["b"], []),
        ({"prefix": "/a", "tags": ["x"], "type": "opaque"}, ["c"], ["C"]),
    ],
)
def test_browse(api, shelf, query, folders, secrets):
    body = api.get("/secrets/browse", query={"project_id": shelf.project_id, **query}).body
    found = sorted([(name, "folder") for name in folders] + [(name, "secret") for name in secrets])
    items = [(item["name"], "folder" if "folder" in item else "secret") for item in body["items"]]
    assert sorted(items) == found
    assert [name for name, _ in items] == [name for name, _ in found]
    assert body["total_count"] == len(found)


def test_browse_by_page(api, shelf):
    query = {"project_id": shelf.project_id, "page_size": 3}
    everything = api.get("/secrets/browse", query={"project_id": shelf.project_id}).body
    pages = [api.get("/secrets/browse", query={**query, "page": page}).body for page in (1, 2, 3)]
    assert [item for page in pages for item in page["items"]] == everything["items"]
    assert [page["total_count"] for page in pages] == [4, 4, 4]
    assert pages[2]["items"] == []


# Tags and types ---------------------------------------------------------------------------------


def test_tags_and_types_of_live_secrets(api, shelf):
    for path, member, values in (
        ("/tags", "tags", {"x", "y", "z", "X"}),
        ("/secret-types", "types", {"opaque", "key_value", "ssh_key"}),
    ):
        query = {"project_id": shelf.project_id}
        body = api.get(path, query=query).body
        assert set(body[member]) == values
        assert len(body[member]) == body["total_count"] == len(values)
        pages = [
            api.get(path, query={**query, "page": page, "page_size": 2}).body for page in (1, 2, 3)
        ]
        assert [value for page in pages for value in page[member]] == body[member]
        assert {page["total_count"] for page in pages} == {len(values)}


# Versions ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def versions(api, new_secret):
    secret_id = new_secret()["id"]
    path = f"/secrets/{secret_id}/versions"
    for data in (b"1", b"2", b"3", b"4", b"5"):
        api.create_version(secret_id, data)
    assert api.post(f"{path}/2/disable").status == 200
    assert api.post(f"{path}/4/disable").status == 200
    assert api.delete(f"{path}/3").status == 204
    return path


@pytest.mark.parametrize(
    "statuses, revisions",
    [
        ([], [5, 4, 3, 2, 1]),
        (["enabled"], [5, 1]),
        (["disabled"], [4, 2]),
        (["scheduled_for_deletion"], [3]),
        (["enabled", "scheduled_for_deletion"], [5, 3, 1]),
        (["disabled", "enabled"], [5, 4, 2, 1]),
        (["enabled", "enabled"], [5, 1]),
        (["deleted"], []),
        (["unknown_status"], [5, 4, 3, 2, 1]),
    ],
)
def test_versions_by_status(api, versions, statuses, revisions):
    body = api.get(versions, query={"status": statuses}).body
    assert [version["revision"] for version in body["versions"]] == revisions
    assert body["total_count"] == len(revisions)
    for version in body["versions"]:
        assert version == api.get(f"{versions}/{version['revision']}").body


def test_versions_by_page(api, versions):
    for page, revisions in ((1, [5, 4]), (2, [3, 2]), (3, [1]), (4, [])):
        body = api.get(versions, query={"page": page, "page_size": 2}).body
        assert [version["revision"] for version in body["versions"]] == revisions
        assert body["total_count"] == 5
    body = api.get(versions, query={"page": 2, "page_size": 1, "status": ["disabled"]}).body
    assert [version["revision"] for version in body["versions"]] == [2]
    assert body["total_count"] == 2


def test_versions_by_unknown_status(api, versions):
    answer = api.get(versions, query={"status": ["enabled", "sealed"]})
    assert (answer.status, answer.body["details"][0]["argument_name"]) == (400, "status")


# Regions ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path, body",
    [
        ("secret-manager/v1beta1/regions/{}/secrets?page=3", {"secrets": [], "total_count": 0}),
        (
            "secret-manager/v1beta1/regions/{}/secrets/browse?prefix=a/",
            {"items": [], "total_count": 0, "current_path": "/a"},
        ),
        ("secret-manager/v1beta1/regions/{}/tags", {"tags": [], "total_count": 0}),
        ("secret-manager/v1beta1/regions/{}/secret-types", {"types": [], "total_count": 0}),
        ("key-manager/v1alpha1/regions/{}/keys", {"keys": [], "total_count": 0}),
        ("key-manager/v1alpha1/regions/{}/algorithms", {"algorithms": []}),
        ("audit-trail/v1alpha1/regions/{}/events", {"events": [], "next_page_token": None}),
    ],
)
def test_lists_of_known_regions_are_empty(home, path, body):
    """For each caller with an API key, with a receipt; nothing else is there."""
    nobody = home.client(key=home.key())
    for region in ("nl-ams", "pl-waw", "it-mil"):
        answer = nobody.get(f"/{path.format(region)}", absolute=True)
        assert_answer(answer, 200, body)
        assert answer.headers["X-Audit-Id"]
    assert nobody.as_key(None).get(f"/{path.format('nl-ams')}", absolute=True).status == 401
    for method, region in (("GET", "us-est"), ("POST", "nl-ams"), ("GET", "nl%2Dams")):
        assert_answer(nobody.call(method, f"/{path.format(region)}", absolute=True), *NO_ROUTE)


def test_regions_that_are_listed_empty_are_a_setting(new_database, start_daemon, new_tenant):
    daemon = start_daemon(
        new_database(), regions="fr-paris", regions_listed_empty="us-east", domain="example.org"
    )
    client = new_tenant(daemon).client()
    client.region = "fr-paris"
    secret = client.create_secret(name="here")
    assert (
        secret["srn"] == f"srn://secret-manager.example.org/regions/fr-paris/secrets/{secret['id']}"
    )
    for region, status in (("fr-paris", 200), ("us-east", 200), ("nl-ams", 404), ("fr-par", 404)):
        client.region = region
        assert client.get("/secrets").status == status


def test_regions_are_apart(new_database, start_daemon, new_tenant):
    """A secret is there in its own region only; names and lists too are of one region."""
    daemon = start_daemon(new_database(), regions="fr-par,nl-ams")
    paris = new_tenant(daemon).client()
    amsterdam = paris.as_key(paris.secret_key)
    amsterdam.region = "nl-ams"
    secrets = {client.region: client.create_secret(name="same") for client in (paris, amsterdam)}
    for client, other in ((paris, amsterdam), (amsterdam, paris)):
        secret = secrets[client.region]
        assert secret["region"] == client.region
        assert_answer(client.get("/secrets"), 200, {"secrets": [secret], "total_count": 1})
        assert other.get(f"/secrets/{secret['id']}").status == 404
        assert client.create_version(secret["id"], b"data")["region"] == client.region
        assert client.access(secret["id"]) == b"data"
