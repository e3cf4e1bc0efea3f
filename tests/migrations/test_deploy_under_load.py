"""A deploy while the service is busy: the daemons go on, and no caller notices."""

from itertools import count

import pytest

from support import eventually
from support.load import Load

DEPLOYS = 10
LOCK = "hashtextextended('coffer migrate', 0)"
WAITING = "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"


@pytest.fixture
def busy(database, start_daemon, new_tenant):
    """Clients of two daemons that read, list and write; at once, again and again."""
    daemons = [start_daemon(database), start_daemon(database)]
    tenant = new_tenant(daemons[0])
    client = tenant.client()
    secret_id = client.create_secret(name="read")["id"]
    client.create_version(secret_id, b"value")
    numbers = count()

    def call(client):
        number = next(numbers)
        if number % 4 == 0:
            return client.post("/secrets", {"project_id": tenant.project_id, "name": f"n-{number}"})
        if number % 4 == 1:
            return client.get("/secrets", query={"project_id": tenant.project_id})
        return client.get(f"/secrets/{secret_id}/versions/latest/access")

    database.query(
        "SELECT operator.quota_set(%s, 'secret', 1000000)",
        tenant.organization_id,
        role="coffer_operator",
    )
    return Load([tenant.client(daemon) for daemon in daemons for _ in range(4)], call)


def test_no_call_fails(database, busy):
    with busy:
        for _ in range(DEPLOYS):
            before = len(busy.answers)
            database.migrate()
            eventually(lambda: len(busy.answers) > before)
    assert busy.statuses() == {200}


def test_a_greeting_does_not_look_while_a_deploy_is_under_way(database, start_daemon):
    with database.connect() as connection:
        connection.execute(f"SELECT pg_advisory_lock({LOCK})")
        connection.execute("ALTER FUNCTION fail.integrity() RENAME TO half_done")
        daemon = start_daemon(database, ready=False)
        eventually(lambda: database.query(WAITING))
        assert not daemon.ready()
        connection.execute("ALTER FUNCTION fail.half_done() RENAME TO integrity")
    eventually(daemon.ready)
    assert "fail." not in daemon.log
