"""/ready says what is true: not ready while calls fail, and warnings of what makes them fail later."""

import contextlib
import json
import os
import re
import signal
import subprocess
import tempfile
import threading
from pathlib import Path

import pytest
from psycopg.conninfo import make_conninfo
from test_stop import refuses_connections

from support import eventually
from support.client import Client
from support.daemon import BINARY, environment, free_port
from support.metrics import values


def reason(daemon):
    """Why a daemon is not ready; None: it is."""
    status, text = daemon.readiness()
    body = json.loads(text)
    assert (status == 503) == ("reason" in body)
    return body.get("reason")


def warnings(daemon):
    return json.loads(daemon.readiness()[1]).get("warnings")


# Commits that do not end --------------------------------------------------------------------------


@contextlib.contextmanager
def receiver(cluster, directory):
    """A standby as light as there is, which the cluster knows as `still`."""
    directory.mkdir()
    process = subprocess.Popen(
        ["pg_receivewal", "--synchronous", "--directory", directory]
        + ["--dbname", make_conninfo(cluster.dsn(), application_name="still")],
    )
    try:
        eventually(
            lambda: cluster.connect().execute("SELECT FROM pg_stat_replication").rowcount == 1
        )
        yield process
    finally:
        process.send_signal(signal.SIGCONT)
        process.kill()
        process.wait()


def test_standbys_stand_still(own_cluster, start_daemon, new_tenant, numbered):
    """Every call fails, and so does /ready; when they go on, so does all."""
    port = free_port()
    daemon = start_daemon(
        own_cluster.database(),
        check_interval=1,
        request_deadline=2000,
        metrics_listen=f"127.0.0.1:{port}",
    )
    client = new_tenant(daemon).client()
    with receiver(own_cluster, numbered("wal")) as standby:
        own_cluster.set(synchronous_standby_names="still")
        assert client.get("/secrets").status == 200
        standby.send_signal(signal.SIGSTOP)
        assert client.get("/secrets").status == 503
        eventually(lambda: reason(daemon) is not None)
        assert reason(daemon).startswith(
            ("commits wait for a synchronous standby", "check: ", "calls fail: ", "no fit")
        )
        assert values(port)["coffer_ready"] == 0
        standby.send_signal(signal.SIGCONT)
        eventually(daemon.ready)
        eventually(lambda: client.get("/secrets").status == 200)
        own_cluster.set(synchronous_standby_names="")
    eventually(lambda: warnings(daemon) == {})


def test_standbys_stand_still_while_nobody_calls(own_cluster, start_daemon, numbered):
    """What the daemon asks of its own accord has a deadline, and is no proof that calls are served."""
    daemon = start_daemon(own_cluster.database(), check_interval=1, connect_timeout=1000)
    with receiver(own_cluster, numbered("wal")) as standby:
        own_cluster.set(synchronous_standby_names="still")
        standby.send_signal(signal.SIGSTOP)
        eventually(lambda: reason(daemon) is not None)
        own_cluster.set(synchronous_standby_names="")
    eventually(daemon.ready)


def test_no_synchronous_standby_is_left(own_cluster, start_daemon):
    port = free_port()
    daemon = start_daemon(
        own_cluster.database(), check_interval=60, metrics_listen=f"127.0.0.1:{port}"
    )
    eventually(lambda: warnings(daemon) == {})
    own_cluster.set(synchronous_standby_names="nobody")
    eventually(lambda: "no standby is connected" in (warnings(daemon) or {}).get("standby", ""))
    assert values(port)['coffer_warning{name="standby"}'] == 1
    own_cluster.set(synchronous_standby_names="")
    eventually(lambda: warnings(daemon) == {})


# Calls that fail ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ["trouble", "end"],
    [
        # As PostgreSQL says it when it cannot extend a file.
        (
            "CREATE FUNCTION public.disk_full() RETURNS trigger LANGUAGE plpgsql AS"
            " $$ BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = '53100'; END $$;"
            " CREATE TRIGGER disk_full BEFORE INSERT ON audit.event FOR EACH ROW EXECUTE FUNCTION public.disk_full()",
            "DROP TRIGGER disk_full ON audit.event; DROP FUNCTION public.disk_full()",
        ),
        (
            "REVOKE INSERT ON audit.event FROM coffer_exec",
            "GRANT INSERT ON audit.event TO coffer_exec",
        ),
    ],
    ids=["disk full", "right taken away"],
)
def test_calls_fail(database, start_daemon, new_tenant, trouble, end):
    """Not ready as long as none can be carried out, whether or not anybody calls, and ready by itself."""
    port = free_port()
    daemon = start_daemon(database, check_interval=60, metrics_listen=f"127.0.0.1:{port}")
    client = new_tenant(daemon).client()
    database.query(trouble)
    assert client.get("/tags").status == 503
    eventually(
        lambda: (
            reason(daemon) == "calls fail: the audit cannot be written, see the log of PostgreSQL"
        )
    )
    assert values(port)["coffer_ready"] == 0
    database.query(end)
    eventually(daemon.ready)
    assert client.get("/tags").status == 200


@pytest.fixture
def small_disk():
    """A file system of 1 MB, where PostgreSQL's user can go, too."""
    directory = Path(tempfile.mkdtemp(prefix="coffer-disk-"))
    directory.chmod(0o755)
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", directory], capture_output=True
    ).returncode:
        directory.rmdir()
        pytest.skip("no file system can be mounted")
    yield directory
    subprocess.run(["umount", "--lazy", directory], check=True)
    directory.rmdir()


def test_disk_is_full(own_cluster, start_daemon, new_tenant, small_disk):
    """Calls get a clear answer, /ready says that they fail, and all goes on when there is room again."""
    owner = own_cluster.data.stat()
    os.chown(small_disk, owner.st_uid, owner.st_gid)
    (small_disk / "space").mkdir()
    os.chown(small_disk / "space", owner.st_uid, owner.st_gid)
    database = own_cluster.database()
    database.query(f"CREATE TABLESPACE small LOCATION '{small_disk / 'space'}'")
    ((partition,),) = database.query(
        "SELECT to_char(now() AT TIME ZONE 'UTC', '\"event_\"YYYY_MM')"
    )
    database.query(f"ALTER TABLE audit.{partition} SET TABLESPACE small")
    daemon = start_daemon(database, check_interval=60)
    client = new_tenant(daemon).client()
    with open(small_disk / "filler", "wb", buffering=0) as filler, contextlib.suppress(OSError):
        while True:
            filler.write(bytes(4096))
    answers = []
    eventually(lambda: answers.append(client.get("/tags")) or answers[-1].status == 503)
    assert answers[-1].body == {"message": "service is unavailable", "type": "unavailable"}
    eventually(lambda: (reason(daemon) or "").startswith("calls fail: "))
    (small_disk / "filler").unlink()
    eventually(daemon.ready)
    assert client.get("/tags").status == 200


def test_one_client_whose_calls_fail(database, start_daemon, new_tenant):
    """It makes nobody else wait: the database can carry out the calls of others."""
    daemon = start_daemon(database, check_interval=60)
    client = new_tenant(daemon).client()
    database.query("REVOKE SELECT ON store.secret_count FROM coffer_exec")
    assert client.get("/secrets").status == 503
    eventually(lambda: client.get("/tags").status == 200)
    assert daemon.ready()


# Settings of the server ---------------------------------------------------------------------------


def test_settings_that_lose_what_was_acknowledged(own_cluster, start_daemon):
    daemon = start_daemon(own_cluster.database())
    eventually(lambda: warnings(daemon) == {})
    own_cluster.set(fsync="off", full_page_writes="off")
    eventually(lambda: set(warnings(daemon)) == {"fsync", "full_page_writes"})
    assert daemon.ready()
    own_cluster.set(fsync="on", full_page_writes="on")
    eventually(lambda: warnings(daemon) == {})


# A minor upgrade without a restart ----------------------------------------------------------------


@pytest.mark.parametrize(
    ["library", "sqlstate"],
    [("$libdir/not_there", "58P01"), ("/etc/hostname", None)],
    ids=["missing", "unfit"],
)
def test_libraries_that_no_new_session_can_load(database, start_daemon, library, sqlstate):
    """The server runs on, and so do its sessions; new ones meet the files of another version."""
    sound = start_daemon(database)
    sound.stop()
    database.query("UPDATE pg_proc SET probin = %s WHERE probin = '$libdir/plpgsql'", library)
    daemon = start_daemon(database, ready=False)
    eventually(lambda: daemon.listens() and daemon.readiness()[0] == 503)
    said = eventually(lambda: "SQLSTATE" in (reason(daemon) or "") and reason(daemon))
    assert sqlstate is None or sqlstate in said
    assert "restart it" in said and "migrations/migrate" not in said


# Start and stop -----------------------------------------------------------------------------------


def test_first_answer_is_no_503(database, start_daemon, new_tenant):
    """Who comes before the pool serves waits for it."""
    daemon = start_daemon(database)
    secret_key = new_tenant(daemon).full_access.secret_key
    for _ in range(5):
        daemon.stop()
        daemon.start(ready=False)
        eventually(daemon.listens)
        assert Client(daemon.port, secret_key=secret_key).get("/secrets").status == 200


def test_says_not_ready_and_serves_on(database, start_daemon, new_tenant):
    daemon = start_daemon(database, drain_delay=300)
    tenant = new_tenant(daemon)
    client = tenant.client()
    assert client.get("/secrets").status == 200
    daemon.terminate()
    eventually(lambda: reason(daemon) == "stopping")
    # A new connection, too, and long polls end at once.
    answer = tenant.client().get("/secrets")
    assert (answer.status, answer.headers["Connection"]) == (200, "close")
    assert not refuses_connections(daemon)
    daemon.terminate()
    assert daemon.wait() == 0


def test_closes_after_the_delay(database, start_daemon, new_tenant):
    """The delay first, then drain_timeout; each call that was taken is answered."""
    daemon = start_daemon(database, drain_delay=4)
    tenant = new_tenant(daemon)
    statuses = []

    def call():
        with contextlib.suppress(ConnectionError):
            while True:
                statuses.append(tenant.client().get("/secrets").status)

    caller = threading.Thread(target=call)
    caller.start()
    eventually(lambda: len(statuses) > 5)
    daemon.terminate()
    eventually(lambda: reason(daemon) == "stopping")
    before = len(statuses)
    eventually(lambda: len(statuses) > before)
    assert daemon.wait() == 0
    caller.join()
    assert set(statuses) == {200}


def test_stops_at_once_before_it_has_listened(own_cluster, start_daemon):
    database = own_cluster.database()
    own_cluster.stop()
    daemon = start_daemon(database, ready=False, drain_delay=300, connect_timeout=60000)
    eventually(lambda: "no connection to the database" in daemon.log)
    daemon.terminate()
    assert daemon.wait() == 0


# Clocks -------------------------------------------------------------------------------------------

SLOW_CLOCK = """
#define _GNU_SOURCE
#include <time.h>
time_t time(time_t *now)
{
	struct timespec right;
	clock_gettime(CLOCK_REALTIME, &right);
	right.tv_sec -= 3600;
	if (now != NULL)
		*now = right.tv_sec;
	return (right.tv_sec);
}
"""


def test_clock_of_the_database_is_ahead(database, start_daemon, numbered):
    """Versions expire by it, so /ready warns, as doctor does; it serves all the same."""
    directory = numbered("clock")
    directory.mkdir()
    library, binary = directory / "clock.so", directory / "coffer"
    command = ["cc", "-shared", "-fPIC", "-x", "c", "-o", library, "-"]
    subprocess.run(command, input=SLOW_CLOCK, text=True, check=True)
    binary.write_text(
        f'#!/bin/sh\nASAN_OPTIONS=verify_asan_link_order=0 LD_PRELOAD={library} exec {BINARY} "$@"\n'
    )
    binary.chmod(0o755)
    daemon = start_daemon(database, binary=binary)
    text = eventually(lambda: warnings(daemon).get("clock"))
    assert re.fullmatch(
        "the database's clock is 3[56][0-9]{2} s ahead of the daemon's: set both by NTP", text
    )
    command = [binary, "--config", daemon.config, "doctor"]
    said = subprocess.run(command, env=environment({}), capture_output=True, text=True).stdout
    assert re.search("^FAULT +clock", said, re.MULTILINE), said


def test_clocks_that_agree(service):
    assert "clock" not in warnings(service)
