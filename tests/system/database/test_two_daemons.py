"""Two daemons on one database, and many clients at once on both."""

import base64
import threading

import pytest

from support.daemon import Daemon
from support.load import together
from support.tenant import Tenant

CLIENTS = 64


@pytest.fixture(scope="module")
def daemons(numbered, new_database, root_key_file):
    """Started at the same time on a fresh database: each would make the pepper."""
    database = new_database()
    daemons = together(
        [lambda: Daemon(numbered("daemon"), database, root_key_file, pool_size=8) for _ in range(2)]
    )
    yield daemons
    for daemon in daemons:
        daemon.stop()


@pytest.fixture(scope="module")
def database(daemons):
    return daemons[0].database


@pytest.fixture(scope="module")
def tenant(daemons):
    return Tenant(daemons[0])


@pytest.fixture(scope="module")
def clients(daemons, tenant):
    """Half of them on each daemon."""
    return [tenant.client(daemons[number % 2]) for number in range(CLIENTS)]


@pytest.fixture
def new_name(request):
    return request.node.name.replace("[", "-").replace("]", "")


def until_served(call):
    """What a client does about 503: try again."""
    answer = call()
    while answer.status == 503:
        threading.Event().wait(float(answer.headers["Retry-After"]) / 10)
        answer = call()
    return answer


def at_once(clients, call):
    return together(
        [lambda client=client: until_served(lambda: call(client)) for client in clients]
    )


def test_one_pepper(daemons, database, tenant, clients):
    assert database.query("SELECT count(*) FROM store.pepper") == [(1,)]
    assert {
        answer.status for answer in at_once(clients[:2], lambda client: client.get("/secrets"))
    } == {200}


@pytest.mark.parametrize("attempt", range(5))
def test_one_key_for_a_fresh_project(daemons, database, tenant, clients, new_name, attempt):
    project_id = tenant.project()
    secrets = [
        clients[0].create_secret(name=f"{new_name}-{number}", project_id=project_id)["id"]
        for number in range(16)
    ]
    some = clients[: len(secrets)]
    answers = together(
        [
            lambda client=client, secret_id=secret_id: until_served(
                lambda: client.post(
                    f"/secrets/{secret_id}/versions",
                    {"data": base64.b64encode(secret_id.encode()).decode()},
                )
            )
            for client, secret_id in zip(some, secrets)
        ]
    )
    assert {answer.status for answer in answers} == {200}
    assert database.query("SELECT count(*) FROM store.kek WHERE project_id = %s", project_id) == [
        (1,)
    ]
    for secret_id in secrets:
        for client in clients[:2]:
            assert client.access(secret_id) == secret_id.encode()


def test_revisions_have_no_gaps(database, tenant, clients, new_name):
    database.query(
        "SELECT operator.quota_set(%s, 'secret_version', 1000)",
        tenant.organization_id,
        role="coffer_operator",
    )
    secret_id = clients[0].create_secret(name=new_name)["id"]

    def create(client):
        payload = base64.b64encode(str(clients.index(client)).encode()).decode()
        return client.post(f"/secrets/{secret_id}/versions", {"data": payload})

    answers = at_once(clients, create) + at_once(clients, create)
    assert {answer.status for answer in answers} == {200}
    rows = database.query(
        "SELECT revision FROM store.version WHERE secret_id = %s ORDER BY revision", secret_id
    )
    revisions = [revision for (revision,) in rows]
    assert revisions == list(range(1, len(revisions) + 1))
    given = [answer.body["revision"] for answer in answers]
    assert len(set(given)) == len(given) and set(given) <= set(revisions)
    secret = clients[1].get(f"/secrets/{secret_id}").body
    assert secret["version_count"] == len(revisions)
    for client, answer in zip(clients, answers):
        assert (
            client.access(secret_id, answer.body["revision"]) == str(clients.index(client)).encode()
        )


@pytest.mark.parametrize("action, status", [("disable", 412), ("delete", 404)])
@pytest.mark.parametrize("revision", ["1", "latest", "latest_enabled"])
def test_one_reader_of_what_is_for_one(clients, tenant, new_name, action, status, revision):
    policy = {"expires_once_accessed": True, "action": action}
    secret_id = clients[0].create_secret(name=new_name, ephemeral_policy=policy)["id"]
    clients[0].create_version(secret_id, b"once")
    answers = at_once(
        clients, lambda client: client.get(f"/secrets/{secret_id}/versions/{revision}/access")
    )
    statuses = [answer.status for answer in answers]
    if revision == "latest_enabled":
        status = 404
    assert (statuses.count(200), statuses.count(status)) == (1, CLIENTS - 1)
    (reader,) = [answer for answer in answers if answer.status == 200]
    assert base64.b64decode(reader.body["data"]) == b"once"


def test_one_secret_of_a_name(clients, tenant, new_name):
    answers = at_once(clients, lambda client: client.post("/secrets", {"name": new_name}))
    statuses = [answer.status for answer in answers]
    assert (statuses.count(200), statuses.count(400)) == (1, CLIENTS - 1)
    assert clients[1].get("/secrets", query={"name": new_name}).body["total_count"] == 1


def test_quota_is_exact(daemons, database):
    tenant = Tenant(daemons[0])
    database.query(
        "SELECT operator.quota_set(%s, 'secret', 10)",
        tenant.organization_id,
        role="coffer_operator",
    )
    clients = [tenant.client(daemons[number % 2]) for number in range(32)]
    answers = at_once(
        clients, lambda client: client.post("/secrets", {"name": f"name-{clients.index(client)}"})
    )
    statuses = [answer.status for answer in answers]
    assert (statuses.count(200), statuses.count(403)) == (10, 22)


def test_what_one_daemon_changes_the_other_sees(clients, tenant, new_name):
    """A daemon remembers where things were, and never answers from memory."""
    one, two = clients[:2]
    secret = one.create_secret(name=new_name, path="/a")
    one.create_version(secret["id"], b"old")
    by_path = "/secrets-by-path/versions/latest/access"
    query = {"project_id": tenant.project_id, "secret_path": "/a", "secret_name": new_name}
    assert [client.get(by_path, query=query).status for client in (one, two)] == [200, 200]
    assert two.patch(f"/secrets/{secret['id']}", {"path": "/b"}).status == 200
    assert [client.get(by_path, query=query).status for client in (one, two)] == [404, 404]
    another = two.create_secret(name=new_name, path="/a")
    two.create_version(another["id"], b"new")
    for client in (one, two):
        assert client.get(by_path, query=query).body["secret_id"] == another["id"]
    assert one.delete(f"/secrets/{another['id']}").status == 204
    assert [client.get(by_path, query=query).status for client in (one, two)] == [404, 404]


def test_jobs_are_done_once(daemons, database, tenant, clients, new_name):
    secret_ids = [
        clients[0].create_secret(name=f"{new_name}-{number}")["id"] for number in range(20)
    ]
    for secret_id in secret_ids:
        assert clients[0].delete(f"/secrets/{secret_id}").status == 204
    database.query(
        "UPDATE store.secret SET deletion_requested_at = deletion_requested_at - interval '8 days'"
        " WHERE id = ANY (%s::uuid[])",
        secret_ids,
    )
    together(
        [
            lambda: database.query(
                "SELECT job.run(name) FROM job.list() AS name", role="coffer_operator"
            )
            for _ in range(4)
        ]
    )
    database.query("SELECT job.run(name) FROM job.list() AS name", role="coffer_operator")
    rows = database.query(
        "SELECT secret_id::text FROM audit.event"
        " WHERE method = 'job.secret_purge' AND secret_id = ANY (%s::uuid[])",
        secret_ids,
    )
    assert sorted(secret_id for (secret_id,) in rows) == sorted(secret_ids)
