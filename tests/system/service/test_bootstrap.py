"""`bootstrap run`: the operator of its PostgreSQL cannot read the root key, nor the other files of the daemon."""

import os
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path

import psycopg
import pytest

from support import SOURCE, eventually
from support.client import Client
from support.daemon import free_port

ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root has two users")
# Those of the make that runs the tests, and of the tests, are for neither make nor daemon here.
ENVIRONMENT = {
    name: value
    for name, value in os.environ.items()
    if not name.startswith(("COFFER_", "MAKE", "MFLAGS", "SUDO_"))
}


class Run:
    """`bootstrap run` in a directory, until stop()."""

    def __init__(self, directory):
        self.directory = directory
        self.port = free_port()
        self.start()

    def start(self):
        with (self.directory.parent / f"{self.directory.name}.log").open("ab") as log:
            self.process = subprocess.Popen(
                [SOURCE / "bootstrap", "run", "--port", str(self.port), "--var", self.directory],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=ENVIRONMENT,
            )
        eventually(
            lambda: (self.directory / "client.env").exists() or self.process.poll() is not None, 300
        )
        assert self.process.poll() is None, Path(log.name).read_text()
        lines = (self.directory / "client.env").read_text().splitlines()
        self.variables = {
            name: value.strip("'") for name, value in (line.split("=", 1) for line in lines)
        }

    def stop(self):
        self.process.terminate()
        assert self.process.wait(60) == 0

    def kill(self):
        """Its daemon ends with it; its PostgreSQL does not."""
        daemon = self.daemon_pid
        self.process.kill()
        self.process.wait()
        (self.directory / "client.env").unlink()
        eventually(lambda: not Path(f"/proc/{daemon}/cwd").is_symlink())

    @property
    def daemon_pid(self):
        """The daemon runs the copy of its binary that is in the directory."""
        for process in Path("/proc").glob("[0-9]*"):
            try:
                if (process / "exe").samefile(self.directory / "coffer"):
                    return int(process.name)
            except OSError:
                pass
        raise AssertionError("no daemon")

    @property
    def postgres_pid(self):
        return int((self.directory / "postgres" / "data" / "postmaster.pid").read_text().split()[0])

    def superuser(self):
        return psycopg.connect(self.variables["COFFER_DSN_OWNER"], autocommit=True)

    def client(self):
        return Client(self.port, self.variables["SCW_SECRET_KEY"])


def user_of(path):
    return Path(path).stat().st_uid


def outcome(connection, statement):
    """The SQLSTATE with which a statement fails, or what it returns."""
    try:
        return connection.execute(statement).fetchall()
    except psycopg.Error as error:
        return error.sqlstate


def assert_superuser_cannot_read(run):
    """Each way of PostgreSQL to a file or a process, as its superuser."""
    daemon = f"/proc/{run.daemon_pid}"
    assert user_of(daemon) != user_of(f"/proc/{run.postgres_pid}")
    # From its data directory, as it need not be able to go where the checkout is.
    files = [f"../../{name}" for name in ("root.key", "coffer.conf", "seed.env", "client.env")]
    files += [f"{daemon}/environ", f"{daemon}/mem", f"{daemon}/maps"]
    with run.superuser() as connection:
        connection.execute("CREATE TEMPORARY TABLE line (line text)")
        # It may read what is its own, so that a refusal means something.
        for own in ("PG_VERSION", "../../coffer"):
            assert len(outcome(connection, f"SELECT pg_read_binary_file('{own}', 0, 1)")) == 1
        for file in files:
            for statement in (
                f"SELECT pg_read_file('{file}', 0, 1)",
                f"SELECT pg_read_binary_file('{file}', 0, 1)",
                f"SELECT lo_import('{file}')",
                f"COPY line FROM '{file}'",
            ):
                assert outcome(connection, statement) == "42501", statement
            assert outcome(connection, f"COPY line FROM PROGRAM 'cat {file}'") == "38000", file
        assert outcome(connection, f"SELECT pg_ls_dir('{daemon}/fd')") == "42501"
        assert outcome(connection, f"COPY line FROM PROGRAM 'cat {daemon}/fd/*'") == "38000"
        assert connection.execute("SELECT * FROM line").fetchall() == []


@pytest.fixture(scope="module")
def public_directory():
    """One that each user may go to, which the checkout may not be."""
    directory = Path(tempfile.mkdtemp(prefix="coffer-bootstrap-"))
    directory.chmod(0o755)
    yield directory
    shutil.rmtree(directory)


@pytest.fixture(scope="module")
def run(public_directory):
    """One that serves; a test may end it, and starts it again."""
    run = Run(public_directory / "run")
    yield run
    if run.process.poll() is None:
        run.stop()


@ROOT
def test_superuser_of_its_postgresql_cannot_read_the_root_key(run):
    assert_superuser_cannot_read(run)


def test_client_env_is_all_that_a_command_needs(run):
    def coffer(*arguments):
        return subprocess.run(
            [run.directory / "coffer", *arguments],
            env={**ENVIRONMENT, **run.variables},
            user=user_of(run.directory / "root.key"),
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        ).stdout

    principal = "SELECT id FROM store.principal"
    with run.superuser() as connection:
        ((principal,),) = connection.execute(principal).fetchall()
    assert "active" in coffer("root-key", "list")
    assert "access_key=" in coffer("api-key", "create", "--principal", str(principal))
    coffer("audit", "verify")
    project = run.variables["SCW_DEFAULT_PROJECT_ID"]
    secret_id = run.client().post("/secrets", {"name": "env", "project_id": project}).body["id"]
    run.client().create_version(secret_id, b"value")
    assert '"name":"env"' in coffer("recover", "--secret", secret_id, "--yes")


@ROOT
@pytest.mark.parametrize("left", ["stopped", "running"])
def test_directory_of_one_user_is_taken_over(run, left):
    """Earlier, PostgreSQL ran as the user of the daemon."""
    secret = run.client().create_secret(
        name=left, project_id=run.variables["SCW_DEFAULT_PROJECT_ID"]
    )
    run.client().create_version(secret["id"], b"hunter2")
    run.stop()
    postgres = run.directory / "postgres"
    daemon = user_of(run.directory / "root.key")
    for name in ("data", "log"):
        subprocess.run(["chown", "-R", f"{daemon}:{daemon}", postgres / name], check=True)
    for name in ("", "password", "password/postgres", "settings.conf"):
        os.chown(postgres / name, daemon, daemon)
    if left == "running":
        version = (postgres / "data" / "PG_VERSION").read_text().strip()
        subprocess.run(
            ["setpriv", f"--reuid={daemon}", f"--regid={daemon}", "--clear-groups"]
            + [f"/usr/lib/postgresql/{version}/bin/pg_ctl", "start", "--wait", "--silent"]
            + [f"--pgdata={postgres / 'data'}", f"--log={postgres / 'log' / 'start.log'}"],
            check=True,
        )
    run.start()
    assert_superuser_cannot_read(run)
    answer = run.client().get(f"/secrets/{secret['id']}/versions/latest/access")
    assert (answer.status, answer.body["data"]) == (200, "aHVudGVyMg==")


@ROOT
def test_run_after_one_that_was_killed(run):
    before = run.variables["SCW_SECRET_KEY"]
    run.kill()
    run.start()
    assert run.variables["SCW_SECRET_KEY"] == before
    assert_superuser_cannot_read(run)


def test_one_who_cannot_become_root_is_told(public_directory):
    """One user then runs both. A port that is taken ends this run before it makes anything."""
    directory = public_directory / "var"
    directory.mkdir()
    # sudo, where there is one, refuses.
    programs = public_directory / "programs"
    programs.mkdir()
    sudo = programs / "sudo"
    sudo.write_text("#!/bin/sh\nexit 1\n")
    sudo.chmod(0o755)
    shutil.copy(SOURCE / "bootstrap", programs)
    command = [programs / "bootstrap", "run", "--var", directory]
    if os.geteuid() == 0:
        directory.chmod(0o777)
        command = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", *command]
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = subprocess.run(
            [*command, "--port", str(port)],
            env={**ENVIRONMENT, "PATH": f"{programs}:{os.environ['PATH']}"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )
    assert ended.returncode == 1 and f"port {port} is taken" in ended.stderr
    assert "a superuser of\nbootstrap: PostgreSQL can read the root key" in ended.stderr
