"""A private PostgreSQL, and databases in it."""

import os
import secrets
import shutil
import signal
import subprocess
from pathlib import Path

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from support import SOURCE, eventually

LOGINS = ("coffer_api", "coffer_operator", "coffer_auditor", "coffer_migrate")

# A copy is as old as its template, which is held up in the eyes of those that look at seals. So
# its chain begins now, and with a root of its own, as migrations/0004_audit_seal.sql begins it.
GENESIS = """
UPDATE audit.seal s
   SET (month, xid_from, xid_to, root, sealed_at, hash) =
       (SELECT month, xid, xid, root, at,
               sha256('coffer-se1'::bytea || int8send(s.no) || int4send(s.epoch) || date_send(month)
                      || int8send(xid) || int8send(xid) || int8send(s.n) || root || s.prev
                      || timestamptz_send(at))
          FROM (SELECT date_trunc('month', now() AT TIME ZONE 'UTC')::date AS month,
                       pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS xid,
                       sha256(uuid_send(gen_random_uuid())) AS root, clock_timestamp() AS at) AS g)
"""


class Cluster:
    """PostgreSQL in a directory; `bootstrap` looks after the user it runs as."""

    def __init__(self, directory, passwords=None):
        self.directory = Path(directory)
        self.data = self.directory / "postgres" / "data"
        self.logs = self.directory / "postgres" / "log"
        self._passwords = passwords if passwords is not None else {}
        self._databases = 0
        self._template = None
        self.start()

    def start(self):
        self._bootstrap("start")
        self._killed = False
        (line,) = (self.directory / "postgres.env").read_text().splitlines()
        owner = line.removeprefix("COFFER_DSN_OWNER=").strip("'")
        self._connection = conninfo_to_dict(owner)
        self._passwords["postgres"] = self._connection["password"]

    def stop(self):
        self._bootstrap("stop")

    def restart(self):
        self.stop()
        self.start()

    def kill(self):
        """End the postmaster as a power cut would; start() recovers."""
        self._signal(signal.SIGKILL)
        self._killed = True  # its file stays

    def discard(self):
        """End it for good: it writes down nothing that nobody will read."""
        if self._pid_file.exists() and not self._killed:
            self._signal(signal.SIGQUIT)
            eventually(lambda: not self._pid_file.exists())

    @property
    def _pid_file(self):
        return self.data / "postmaster.pid"

    def _signal(self, number):
        os.kill(int(self._pid_file.read_text().split()[0]), number)

    def _bootstrap(self, action):
        subprocess.run([SOURCE / "bootstrap", "postgres", action, self.directory], check=True)

    def dsn(self, name="postgres", role="postgres"):
        return make_conninfo(
            **{**self._connection, "dbname": name, "user": role, "password": self._passwords[role]}
        )

    def environment(self, name, role="postgres"):
        """The variables by which a libpq program reaches a database as a role."""
        return {
            **{key: value for key, value in os.environ.items() if not key.startswith("PG")},
            "PGHOST": self._connection["host"],
            "PGPORT": self._connection["port"],
            "PGDATABASE": name,
            "PGUSER": role,
            "PGPASSWORD": self._passwords[role],
        }

    def connect(self, name="postgres", role="postgres"):
        return psycopg.connect(self.dsn(name, role), autocommit=True)

    @property
    def port(self):
        return self._connection["port"]

    def standby(self, directory, name):
        """Make a cluster that follows this one, which knows it by that name."""
        made = Path(directory) / "postgres"
        made.mkdir(parents=True)
        shutil.copytree(self.data.parent / "password", made / "password")
        (made / "log").mkdir()
        subprocess.run(
            [
                "pg_basebackup",
                "--pgdata",
                made / "data",
                "--checkpoint=fast",
                "--write-recovery-conf",
            ]
            + ["--dbname", make_conninfo(self.dsn(), application_name=name)],
            check=True,
        )
        subprocess.run(["chown", "--recursive", "--reference", self.data, made], check=True)
        return Cluster(directory, self._passwords)

    def set(self, **settings):
        """Change settings of the server that it takes without a restart."""
        with self.connect() as connection:
            for name, value in settings.items():
                change = sql.SQL("ALTER SYSTEM SET {} = {}").format(sql.Identifier(name), value)
                connection.execute(change)
            connection.execute("SELECT pg_reload_conf()")
        eventually(lambda: self._are_set(settings))

    def _are_set(self, settings):
        with self.connect() as connection:
            return all(
                connection.execute("SELECT current_setting(%s)", [name]).fetchone() == (value,)
                for name, value in settings.items()
            )

    def database(self, migrated=True):
        """Make a database, installed and migrated, or else empty."""
        if not migrated:
            return self._create()
        if not self._template:
            self._template = self._create()
            self._template.install()
            self._template.migrate()
        # A copy takes a fifth of the time of a deploy.
        database = self._create(template=self._template.name)
        database.install()  # rights on a database are not copied
        database.query(GENESIS)
        return database

    def _create(self, template="template0"):
        self._databases += 1
        database = Database(self, f"coffer_{self._databases}")
        with self.connect() as connection:
            connection.execute(f"CREATE DATABASE {database.name} TEMPLATE {template}")
        return database

    def set_passwords(self):
        with self.connect() as connection:
            for role in LOGINS:
                password = self._passwords.setdefault(role, secrets.token_hex(16))
                connection.execute(
                    sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(role), password)
                )


def unless_deadlocked(work):
    """Do the work, which is one transaction, until a deadlock does not undo it.

    A call may lock a partition before its table, and work on the table locks them the other way round.
    """
    while True:
        try:
            return work()
        except psycopg.errors.DeadlockDetected:
            continue


class Database:
    def __init__(self, cluster, name):
        self.cluster = cluster
        self.name = name

    def install(self, tree=SOURCE):
        """Run install.sql, as a superuser does once."""
        subprocess.run(
            ["psql", "-X", "-f", tree / "migrations" / "install.sql"],
            env=self.cluster.environment(self.name),
            check=True,
        )
        self.cluster.set_passwords()

    def migrate(self, *arguments, runner=SOURCE / "migrations" / "migrate", check=True):
        """Run the runner as coffer_migrate; return the finished process with its output."""
        return subprocess.run(
            [runner, *arguments],
            env=self.cluster.environment(self.name, "coffer_migrate"),
            check=check,
            text=True,
            capture_output=True,
        )

    def deploy(self, statement):
        """Change what daemons otherwise refuse to find changed: it is recorded, as a deploy does.

        A deadlock with a call that runs undoes it, and it is tried again.
        """
        unless_deadlocked(lambda: self._deploy(statement))

    def _deploy(self, statement):
        with self.connect() as connection, connection.transaction():
            connection.execute(statement)
            connection.execute("SET LOCAL search_path = pg_catalog, pg_temp")
            connection.execute("DELETE FROM store.manifest")
            connection.execute(
                "INSERT INTO store.manifest SELECT object, sha256 FROM rule.manifest()"
            )

    def dsn(self, role="postgres"):
        return self.cluster.dsn(self.name, role)

    def environment(self, role="postgres"):
        return self.cluster.environment(self.name, role)

    def connect(self, role="postgres"):
        return self.cluster.connect(self.name, role)

    def query(self, statement, *arguments, role="postgres"):
        """Run one statement on a connection of its own; return its rows.

        A deadlock with a call that runs undoes it, and it is tried again.
        """
        return unless_deadlocked(lambda: self._query(statement, arguments, role))

    def _query(self, statement, arguments, role):
        with self.connect(role) as connection:
            cursor = connection.execute(statement, arguments or None)
            return cursor.fetchall() if cursor.description else []
