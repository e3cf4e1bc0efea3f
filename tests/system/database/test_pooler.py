"""Behind PgBouncer, in each of its modes: every call is answered as without it."""

import shutil
from functools import partial

import pytest

from support import eventually
from support.load import together
from support.pooler import BINARY, Pooler, version
from support.tenant import Tenant

pytestmark = pytest.mark.skipif(not shutil.which(BINARY), reason="there is no PgBouncer")

MODES = {
    "session": {"pool_mode": "session", "default_pool_size": 12},
    "transaction": {"pool_mode": "transaction"},
    "transaction, 10": {"pool_mode": "transaction", "max_prepared_statements": 10},
    "transaction, 200": {"pool_mode": "transaction", "max_prepared_statements": 200},
}


@pytest.fixture(scope="module")
def database(new_database):
    return new_database()


@pytest.fixture(params=MODES)
def pooler(request, numbered, database):
    settings = MODES[request.param]
    if "max_prepared_statements" in settings and version() < (1, 21):
        pytest.skip("this PgBouncer keeps no count of prepared statements")
    with Pooler(numbered("pooler"), database, **settings) as pooler:
        yield pooler


@pytest.fixture
def daemon(pooler, database, start_daemon):
    return start_daemon(
        database, dsn=pooler.dsn("coffer_api"), pool_size=8, job_interval=1, check_interval=1
    )


def end_connections(database):
    """Those of PostgreSQL that nobody uses now, as a pooler does when they are old."""
    database.query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'coffer_api' AND state = 'idle'"
        " AND datname = current_database()"
    )


def work(client, number):
    """Status of each of some calls: reads that share a commit, and changes."""
    secret = client.create_secret(name=f"s{number}")
    client.create_version(secret["id"], b"data")
    answers = [client.get(f"/secrets/{secret['id']}/versions/latest/access") for _ in range(20)]
    answers.append(client.patch(f"/secrets/{secret['id']}", {"description": "d"}))
    answers.append(client.get("/secrets"))
    return {answer.status for answer in answers}


def test_every_call_is_answered(daemon, database):
    tenant = Tenant(daemon)
    clients = [tenant.client() for _ in range(8)]
    assert set.union(*together(partial(work, client, n) for n, client in enumerate(clients))) == {
        200
    }


def test_other_connections_of_postgresql(pooler, daemon, database, request):
    """The pooler ends those it has and makes others, on which nothing is prepared."""
    if "session" in request.node.name:
        pytest.skip("in session mode the daemon loses its connections with them")
    tenant = Tenant(daemon)
    clients = [tenant.client() for _ in range(4)]
    for turn in range(3):
        end_connections(database)
        got = together(partial(work, client, f"{turn}-{n}") for n, client in enumerate(clients))
        assert set.union(*got) == {200}, daemon.log


def test_no_statement_is_forgotten_after_it_was_prepared(daemon):
    """It would be, by a pooler that keeps count, if it heard of DEALLOCATE ALL later than of the statement."""
    tenant = Tenant(daemon)
    client = tenant.client()
    assert {client.get("/secrets").status for _ in range(50)} == {200}
    eventually(daemon.ready)
    assert "connection lost" not in daemon.log
