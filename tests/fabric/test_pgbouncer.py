"""Behind the real PgBouncer: the modes that Coffer works in, and what one that it does not work in says."""

import time
from functools import partial

import pytest

from support import eventually
from support.load import together
from support.pooler import Pooler
from support.tenant import Tenant

CALLS = 100


@pytest.fixture(scope="module")
def pooled(new_database):
    return new_database()


def reads(client, secret):
    return {client.get(f"/secrets/{secret}/versions/latest/access").status for _ in range(CALLS)}


@pytest.mark.parametrize(
    "settings",
    [
        {"pool_mode": "session", "default_pool_size": 12, "ignore_startup_parameters": ""},
        {"pool_mode": "transaction", "default_pool_size": 4, "ignore_startup_parameters": ""},
        {
            "pool_mode": "transaction",
            "default_pool_size": 2,
            "server_reset_query": "DISCARD ALL",
            "server_reset_query_always": 1,
        },
    ],
    ids=["session", "transaction", "transaction, reset"],
)
def test_mode(settings, numbered, pooled, start_daemon, figure, request):
    """Every call is answered, and each read has its row in the audit."""
    with Pooler(numbered("pooler"), pooled, **settings) as pooler:
        daemon = start_daemon(pooled, dsn=pooler.dsn("coffer_api"), check_interval=1)
        tenant = Tenant(daemon)
        clients = [tenant.client() for _ in range(4)]
        secret = clients[0].create_secret(name="s")["id"]
        clients[0].create_version(secret, b"value")
        began = time.monotonic()
        got = together(partial(reads, client, secret) for client in clients)
        seconds = time.monotonic() - began
        assert set.union(*got) == {200}, daemon.log
        ((rows,),) = pooled.query("SELECT count(*) FROM auditor.secret_reads(%s)", secret)
        assert rows == len(clients) * CALLS
        figure(request.node.callspec.id, len(clients) * CALLS / seconds, "reads/s")
        daemon.stop()


def test_statement_mode(numbered, pooled, start_daemon):
    """The log names the setting to change."""
    settings = {"pool_mode": "statement", "default_pool_size": 2}
    with Pooler(numbered("pooler"), pooled, **settings) as pooler:
        daemon = start_daemon(pooled, dsn=pooler.dsn("coffer_api"), ready=False)
        eventually(lambda: "set pool_mode of PgBouncer to session or transaction" in daemon.log)
        daemon.stop()
