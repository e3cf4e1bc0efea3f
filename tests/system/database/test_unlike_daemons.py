"""Two daemons on one database that are not alike: other root keys, another release, other clocks."""

import json
import subprocess

import pytest

from support import eventually
from support.audit import is_anchored, verify
from support.daemon import BINARY, coffer

# The clock of one daemon, apart by so many seconds.
CLOCK = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>

int clock_gettime(clockid_t clock, struct timespec *now)
{
	static int (*get)(clockid_t, struct timespec *);
	int status;

	if (get == NULL)
		get = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
	status = get(clock, now);
	if (status == 0 && clock == CLOCK_REALTIME)
		now->tv_sec += (APART);
	return (status);
}

time_t time(time_t *now)
{
	struct timespec there;

	clock_gettime(CLOCK_REALTIME, &there);
	if (now != NULL)
		*now = there.tv_sec;
	return (there.tv_sec);
}
"""
MINUTES = {"ahead": 11 * 60, "behind": -7 * 60}


def warnings(daemon):
    return json.loads(daemon.readiness()[1]).get("warnings", {})


@pytest.fixture
def apart(numbered):
    """A daemon's program whose clock is apart by so many seconds."""

    def make(seconds):
        directory = numbered("clock")
        directory.mkdir()
        library, binary = directory / "clock.so", directory / "coffer"
        command = ["cc", "-shared", "-fPIC", f"-DAPART={seconds}", "-x", "c", "-o", library, "-"]
        subprocess.run([*command, "-ldl"], input=CLOCK, text=True, check=True)
        binary.write_text(
            f"#!/bin/sh\nASAN_OPTIONS=verify_asan_link_order=0 LD_PRELOAD={library}"
            f' exec {BINARY} "$@"\n'
        )
        binary.chmod(0o755)
        return binary

    return make


def test_clocks_apart_by_minutes(database, start_daemon, new_tenant, apart):
    """Each warns, and what expires does so by the clock of PostgreSQL, on both."""
    daemons = [start_daemon(database, binary=apart(MINUTES[way])) for way in ("ahead", "behind")]
    tenant = new_tenant(daemons[0])
    clients = [tenant.client(daemon) for daemon in daemons]
    secret = clients[0].create_secret(name="clocks")["id"]
    for number, client in enumerate(clients, start=1):
        client.create_version(secret, b"value %d" % number)
    for client in clients:
        assert [client.access(secret, number) for number in (1, 2)] == [b"value 1", b"value 2"]
    # Later than PostgreSQL's now, and earlier than that of the daemon ahead.
    ((soon,),) = database.query(
        "SELECT to_char((now() + interval '5 minutes') AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')"
    )
    policy = {"ephemeral_properties": {"expires_at": soon, "action": "disable"}}
    assert clients[1].patch(f"/secrets/{secret}/versions/1", policy).status == 200
    assert [client.access(secret, 1) for client in clients] == [b"value 1"] * 2
    # Earlier than PostgreSQL's now, and later than that of the daemon behind.
    database.query(
        "UPDATE store.version SET expires_at = now() - interval '3 minutes' WHERE revision = 1"
    )
    path = f"/secrets/{secret}/versions/1/access"
    assert [client.get(path).status for client in clients] == [412] * 2
    for daemon, ahead in zip(daemons, ("behind", "ahead of")):
        text = eventually(lambda daemon=daemon: warnings(daemon).get("clock"))
        assert f"s {ahead} the daemon's: set both by NTP" in text
    eventually(lambda: is_anchored(database))
    logs = [argument for daemon in daemons for argument in ("--anchors", daemon.log_file)]
    assert verify(database, *logs) == (0, [])


def test_other_root_keys(database, start_daemon, new_tenant, root_key_file, numbered):
    """One without a key that is needed does not start; one with a key more serves, and both go on."""
    first = start_daemon(database)
    client = new_tenant(first).client()
    secret = client.create_secret(name="keys")["id"]
    client.create_version(secret, b"value")
    other = numbered("root-key")
    coffer("root-key", "generate", other)
    wrong = start_daemon(database, root_key_file=other, ready=False)
    assert wrong.wait() == 2
    needed, new = (file.read_text().split()[0] for file in (root_key_file, other))
    assert f"root key {needed} is needed and not loaded" in wrong.log
    both = numbered("root-key")
    both.touch(mode=0o600)
    both.write_text(root_key_file.read_text() + other.read_text())
    second = start_daemon(database, root_key_file=both)
    for daemon in (first, second):
        assert client.to(daemon).access(secret) == b"value"
    # No key becomes active that a daemon lacks.
    with pytest.raises(Exception, match="daemon"):
        database.query("SELECT operator.root_key_activate(%s)", new, role="coffer_operator")
    for daemon in (first, second):
        client.to(daemon).create_version(secret, b"again")
        assert daemon.ready()


def test_another_release(database, start_daemon):
    """Every daemon warns of one that is older than the database, with both releases."""
    daemon = start_daemon(database)
    assert "release" not in warnings(daemon)
    database.query(
        "INSERT INTO store.instance (id, build, root_ids)"
        " SELECT gen_random_uuid(), '0.1.0', root_ids FROM store.instance LIMIT 1"
    )
    text = eventually(lambda: warnings(daemon).get("release"))
    release = coffer("--version").split()[1]
    assert f"the database is of release {release}, " in text
    assert f"daemons of 0.1.0 have connected: replace these by the daemon of {release}" in text
    assert daemon.ready()
