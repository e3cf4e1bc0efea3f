"""What has to be right before a daemon starts, and before it serves; each fault is named."""

import base64
import os
import re
import secrets
import shutil
import subprocess
from pathlib import Path

import pytest

from support import SOURCE, eventually
from support.client import Client
from support.daemon import BINARY, coffer, environment, free_port


@pytest.fixture
def settings(service, root_key_file):
    """Settings with which a daemon would start."""
    return {
        "listen": f"127.0.0.1:{free_port()}",
        "dsn": service.database.dsn("coffer_api"),
        "root_key_file": root_key_file,
    }


@pytest.fixture
def refused(numbered):
    """Start a daemon that must refuse to; return what it says."""

    def refused(settings, variables=None):
        config = numbered("coffer.conf")
        config.write_text("".join(f"{name} = {value}\n" for name, value in settings.items()))
        ended = subprocess.run(
            [BINARY, "--config", config],
            env=environment(variables or {}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=10,
        )
        assert ended.returncode not in (0, -6, -11), ended.stdout
        assert "password" not in ended.stdout
        return ended.stdout

    return refused


# Settings -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name, value",
    [
        ("pool_size", "0"),
        ("pool_size", "257"),
        ("pool_size", "eight"),
        ("pool_size", "8 connections"),
        ("pool_size", ""),
        ("pool_size", "99999999999999999999"),
        ("max_body", "-1"),
        ("request_deadline", "1.5"),
        ("drain_timeout", "1m"),
        ("drain_timeout", "1500ms"),
        ("max_body", "2MB"),
        ("regions", ""),
        ("regions", "paris"),
        ("regions", "fr-par,"),
        ("regions", "fr-par, nl-ams;"),
        ("regions", "FR-PAR"),
        ("log_level", "loud"),
        ("listen", ""),
        ("listen", "nowhere"),
        ("listen", "127.0.0.1"),
        ("listen", "127.0.0.1:port"),
        ("listen", "127.0.0.1:65536"),
        ("listen", "192.0.2.1:8080"),
        ("dsn", ""),
        ("dsn", "host=127.0.0.1 no_such_keyword=1"),
        ("dsn", "host"),
        ("root_key_file", ""),
        ("root_key_file", "/nonexistent/root.key"),
    ],
)
def test_wrong_setting_is_named(settings, refused, name, value):
    assert name in refused({**settings, name: value})


@pytest.mark.parametrize("name", ["dsn", "root_key_file"])
def test_missing_setting_is_named(settings, refused, name):
    del settings[name]
    assert name in refused(settings)


def test_unknown_setting_is_named(settings, refused):
    assert "poolsize (did you mean pool_size?)" in refused({**settings, "poolsize": 8})


def test_former_name_of_a_setting(settings, refused):
    assert "operator_dsn is now named dsn_operator" in refused({**settings, "operator_dsn": "x"})
    assert "is now named COFFER_DSN_OWNER" in refused(settings, {"recover_dsn": "x"})


def test_unknown_keyword_of_a_dsn_is_named(settings, refused):
    dsn = "host=127.0.0.1 sslmod=require"
    assert "unknown keyword sslmod" in refused({**settings, "dsn": dsn})
    ended = subprocess.run(
        [BINARY, "root-key", "list"],
        env=environment({"dsn_operator": dsn}),
        capture_output=True,
        text=True,
    )
    assert (ended.returncode, ended.stderr) == (
        1,
        "coffer: setting dsn_operator: it has the unknown keyword sslmod\n",
    )


def test_wrong_setting_of_the_environment_is_named(settings, refused):
    assert "pool_size" in refused(settings, {"pool_size": "many"})
    assert "POOLSIZE" in refused(settings, {"poolsize": "8"})


def test_value_of_a_wrong_dsn_is_not_told(settings, refused):
    word = secrets.token_hex(8)
    assert word not in refused({**settings, "dsn": f"host=127.0.0.1 user=x pass word={word}"})
    assert word not in refused({**settings, "dsn": f"postgresql://user:{word}@[127.0.0.1"})


def test_line_that_is_no_setting(settings, refused, numbered):
    assert "name = value" in refused({**settings, "\npool_size 8\n#": ""})


def test_file_of_settings_that_is_not_there():
    ended = subprocess.run(
        [BINARY, "--config", "/nonexistent/coffer.conf"],
        env=environment({}),
        capture_output=True,
        text=True,
    )
    assert ended.returncode != 0 and "/nonexistent/coffer.conf" in ended.stderr


def test_port_that_is_taken(settings, refused, service):
    assert "listen" in refused({**settings, "listen": f"127.0.0.1:{service.port}"})


@pytest.mark.parametrize(
    "arguments", [["--unknown"], ["serve"], ["root-key"], ["api-key"], ["--config"]]
)
def test_wrong_arguments(arguments):
    ended = subprocess.run(
        [BINARY, *arguments], env=environment({}), capture_output=True, text=True
    )
    assert ended.returncode == 2 and "usage" in ended.stderr


USAGES = {
    "root-key generate": "usage: coffer root-key generate FILE\n",
    "root-key list": "usage: coffer [--config FILE] root-key list\n",
    "root-key activate": "usage: coffer [--config FILE] root-key activate ID\n",
    "root-key retire": "usage: coffer [--config FILE] root-key retire ID\n",
    "api-key create": "usage: coffer [--config FILE] api-key create --principal UUID",
    "audit verify": "usage: coffer [--config FILE] audit verify [--anchors FILE]...",
    "doctor": "usage: coffer [--config FILE] doctor\n",
    "health": "usage: coffer [--config FILE] health\n",
    "recover": "usage: coffer [--config FILE] recover {--secret UUID [--revision N] | --project",
    "restore": "usage: coffer [--config FILE] restore --reason TEXT [--older]\n",
}


def run(*arguments, **settings):
    return subprocess.run(
        [BINARY, *arguments], env=environment(settings), capture_output=True, text=True
    )


@pytest.mark.parametrize("command", USAGES)
def test_help_of_a_command(command):
    """It needs no settings, and takes wrong ones for none of its business."""
    words = command.split()
    ended = run(*words, "--help", pool_size="many")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.startswith(USAGES[command])
    assert run("help", *words).stdout == ended.stdout
    assert run(*words, "more", "--help").stdout == ended.stdout
    assert f"  {command} " in run("--help").stdout


@pytest.mark.parametrize("command", USAGES)
@pytest.mark.parametrize("wrong", [["--unknown"], ["one", "more"]])
def test_wrong_usage_of_a_command(command, wrong):
    ended = run(*command.split(), *wrong)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert USAGES[command] in ended.stderr


def test_help_of_all_commands():
    ended = run("--help")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert run("help").stdout == ended.stdout
    assert re.findall(r"^  ([a-z][a-z-]*(?: [a-z-]+)?)  ", ended.stdout, re.MULTILINE) == list(
        USAGES
    )


def test_help_of_a_group_of_commands():
    ended = run("root-key", "--help")
    assert (ended.returncode, ended.stdout.count("usage: ")) == (0, 4)
    assert run("help", "root-key").stdout == ended.stdout
    assert run("help", "audit").stdout == run("audit", "verify", "--help").stdout


def test_group_of_commands_without_a_command():
    ended = run("root-key")
    assert (ended.returncode, ended.stderr.count("usage: coffer"), ended.stdout) == (2, 4, "")


@pytest.mark.parametrize("words", [["doctr"], ["help", "doctr"], ["help", "doctr", "now"]])
def test_unknown_command(words):
    ended = run(*words)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "unknown command doctr (did you mean doctor?)\nusage: coffer [--config" in ended.stderr


def test_manual_page_that_there_is_not():
    ended = run("--man", "coffer.8")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "coffer.conf.5" in ended.stderr


def fails_to_print(*arguments, **settings):
    """Run a command whose words are lost, which says so and fails."""
    with open("/dev/full", "w") as full:
        ended = subprocess.run(
            [BINARY, *arguments],
            env=environment(settings),
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
        )
    return ended.returncode == 1 and ended.stderr.endswith(
        "coffer: unable to write to standard output\n"
    )


@pytest.mark.parametrize("option", ["--endpoints", "--errors", "--settings", "--version", "--help"])
def test_words_that_are_lost(option):
    assert fails_to_print(option)
    assert fails_to_print("--man", "coffer.1")


def test_closed_standard_output(service):
    """No connection takes its place, and what is printed."""
    settings = {"dsn_operator": service.database.dsn("coffer_operator")}
    ended = subprocess.run(
        ["sh", "-c", 'exec "$@" >&-', "sh", BINARY, "root-key", "list"],
        env=environment(settings),
        stderr=subprocess.PIPE,
        text=True,
    )
    assert (ended.returncode, ended.stderr) == (1, "coffer: unable to write to standard output\n")


def test_words_of_commands_that_are_lost(settings, service, numbered):
    assert fails_to_print("doctor", **settings)
    assert fails_to_print("root-key", "list", dsn_operator=service.database.dsn("coffer_operator"))
    assert fails_to_print("root-key", "generate", numbered("key"))


@pytest.fixture
def create_key(database, root_key_file):
    """The command that mints a key, on a database of its own."""
    organization = database.query("SELECT operator.organization_create('one')")[0][0]
    principal = database.query(
        "SELECT operator.principal_create(%s, 'application', 'one')", organization
    )[0][0]
    settings = {"dsn_operator": database.dsn("coffer_operator"), "root_key_file": root_key_file}
    return ["api-key", "create", "--principal", str(principal)], settings


def test_no_key_is_made_that_nobody_is_told(database, create_key):
    arguments, settings = create_key
    assert fails_to_print(*arguments, **settings)
    assert database.query("SELECT count(*) FROM store.api_key") == [(0,)]
    coffer(*arguments, **settings)
    assert database.query("SELECT count(*) FROM store.api_key") == [(1,)]


def test_key_that_is_told_and_not_made(database, create_key):
    arguments, settings = create_key
    database.query(
        "CREATE FUNCTION public.refuse() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION 'no'; END$$"
    )
    database.query(
        "CREATE CONSTRAINT TRIGGER refuse AFTER INSERT ON store.api_key DEFERRABLE INITIALLY DEFERRED"
        " FOR EACH ROW EXECUTE FUNCTION public.refuse()"
    )
    ended = subprocess.run(
        [BINARY, *arguments], env=environment(settings), capture_output=True, text=True
    )
    assert ended.returncode == 1 and "secret_key=" in ended.stdout
    assert ended.stderr.endswith("coffer: the printed key may be invalid: its commit failed\n")


@pytest.mark.parametrize(
    "given, lives",
    [
        ("2999-01-31T12:00:00Z", "'2999-01-31 12:00:00+00' - now()"),
        ("2999-01-31t12:00:00.5+02:30", "'2999-01-31 09:30:00.5+00' - now()"),
        ("45s", "'45 s'"),
        ("90m", "'90 min'"),
        ("36h", "'36 h'"),
        ("90d", "'2160 h'"),
        ("99999w", "interval '168 h' * 99999"),
    ],
)
def test_expiry_of_a_key(database, create_key, given, lives):
    """It means the same wherever the server thinks it is."""
    database.query("ALTER ROLE coffer_operator SET timezone = 'Asia/Tokyo'")
    arguments, settings = create_key
    coffer(*arguments, "--expires-at", given, **settings)
    difference = f"SELECT abs(extract(epoch FROM expires_at - now() - ({lives})::interval)) < 60 FROM store.api_key"
    assert database.query(difference) == [(True,)]


@pytest.mark.parametrize(
    "given",
    "infinity|-infinity|0000-01-31T12:00:00Z|yesterday|tomorrow|now|today|2999-01-31|2999-01-31T12:00:00|2999-02-29T12:00:00Z|2999-01-31T24:00:00Z"
    "|2999-01-31T12:00:00 Europe/Paris|2999-01-31T12:00Z|90|0d|-1d|1.5d|90 days|P90D|100000d|".split(
        "|"
    ),
)
def test_expiry_that_is_no_time(database, create_key, given):
    arguments, settings = create_key
    ended = subprocess.run(
        [BINARY, *arguments, "--expires-at", given],
        env=environment(settings),
        capture_output=True,
        text=True,
    )
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith(f"coffer: --expires-at is not a time: {given}\nusage: ")
    assert database.query("SELECT count(*) FROM store.api_key") == [(0,)]


def test_expiry_that_is_past(database, create_key):
    arguments, settings = create_key
    ended = subprocess.run(
        [BINARY, *arguments, "--expires-at", "2001-02-03T04:05:06Z"],
        env=environment(settings),
        capture_output=True,
        text=True,
    )
    assert (ended.returncode, ended.stdout) == (1, "")
    assert "expires_at is in the past: 2001-02-03T04:05:06.000000Z" in ended.stderr
    assert database.query("SELECT count(*) FROM store.api_key") == [(0,)]


def test_environment_is_seen_no_more(settings):
    """The environment and the arguments of a process can be read by others of its user."""
    process = subprocess.Popen([BINARY], env=environment(settings), stderr=subprocess.DEVNULL)
    try:
        client = Client(int(settings["listen"].split(":")[1]))
        eventually(lambda: answers_ready(client))
        about = Path(f"/proc/{process.pid}")
        password = re.search(r"password=(\S+)", settings["dsn"])[1].strip("'").encode()
        assert password not in about.joinpath("environ").read_bytes()
        assert password not in about.joinpath("cmdline").read_bytes()
    finally:
        process.terminate()
        assert process.wait(60) == 0


def answers_ready(client):
    try:
        return client.get("/ready", absolute=True).status == 200
    except ConnectionError:
        return False


def test_settings_of_the_answers(new_database, start_daemon, new_tenant):
    daemon = start_daemon(
        new_database(), partition="own", domain="example.org", regions="nl-ams,pl-waw"
    )
    client = new_tenant(daemon).client()
    assert client.get("/metadata", absolute=True).body == {
        "platform": "external",
        "partition": "own",
        "domain": "example.org",
    }
    assert client.post("/secrets", {"name": "s"}).status == 404
    for client.region in ("nl-ams", "pl-waw"):
        assert client.create_secret(name="s")["region"] == client.region


# Tables that the binary prints --------------------------------------------------------------------


def test_tables_need_no_settings():
    settings = coffer("--settings")
    for name in (
        "listen",
        "dsn",
        "dsn_operator",
        "root_key_file",
        "pool_size",
        "request_deadline",
        "log_level",
    ):
        assert re.search(rf"^.*\b{name}\b", settings, re.MULTILINE), name
    endpoints = coffer("--endpoints")
    assert len(re.findall(r"/secret-manager/v1beta1/regions/\{region\}/", endpoints)) == 22
    assert "/metadata" in endpoints
    errors = coffer("--errors")
    for status in (400, 401, 404, 405, 413, 431, 500, 503):
        assert re.search(rf"\b{status}\b", errors), status


def test_version_is_that_of_the_project():
    (version,) = re.findall(
        r"AC_INIT\(\[[^]]*\],\s*\[([^]]*)\]", (SOURCE / "configure.ac").read_text()
    )
    assert coffer("--version") == f"coffer {version}\n"


# The root key -------------------------------------------------------------------------------------


@pytest.fixture
def root_key(root_key_file, numbered):
    """A copy of the root key file, to be spoilt."""
    copy = numbered("root-key")
    shutil.copy(root_key_file, copy)
    copy.chmod(0o400)
    return copy


@pytest.mark.parametrize(
    "mode", [0o440, 0o404, 0o444, 0o460, 0o401, 0o410, 0o402, 0o420, 0o640, 0o777]
)
def test_root_key_that_others_can_reach(settings, refused, root_key, mode):
    root_key.chmod(mode)
    assert "root_key_file" in refused({**settings, "root_key_file": root_key})


def line(root_id, key):
    return f"{root_id} {base64.b64encode(key).decode()}\n"


@pytest.mark.parametrize(
    "content",
    [
        "",
        "\n\n",
        "# nothing\n",
        "x",
        "0123456789abcdef\n",
        line("0123456789abcdef", bytes(32)),
        line("0123456789abcde", bytes(32)),
        line("0123456789abcdef", bytes(31)),
        line("0123456789abcdef", bytes(33)),
        "0123456789abcdef not/base64!\n",
        "\0" * 100,
        "x" * 100_000,
    ],
    ids=[
        "empty", "blank", "comment", "word", "id alone", "id of another", "short id", "short key",
        "long key", "no base64", "NUL", "long",
    ],
)  # fmt: skip
def test_root_key_file_that_holds_none(settings, refused, numbered, content):
    file = numbered("root-key")
    file.write_text(content)
    file.chmod(0o400)
    said = refused({**settings, "root_key_file": file})
    assert "root_key_file" in said or "root key" in said
    assert content.strip() == "" or len(content) < 40 or content[17:40] not in said


def test_root_key_that_is_a_directory(settings, refused, directory):
    assert "root" in refused({**settings, "root_key_file": directory})


def test_root_key_file_is_never_overwritten(root_key):
    before = root_key.read_bytes()
    ended = subprocess.run(
        [BINARY, "root-key", "generate", root_key], env=environment({}), capture_output=True
    )
    assert ended.returncode != 0
    assert root_key.read_bytes() == before


def test_root_key_file_is_made_for_its_owner_alone(numbered):
    file = numbered("root-key")
    old = os.umask(0)
    try:
        printed = coffer("root-key", "generate", file)
    finally:
        os.umask(old)
    assert file.stat().st_mode & 0o7777 == 0o400
    root_id, key = file.read_text().split()
    assert root_id in printed and key not in printed
    assert len(base64.b64decode(key, validate=True)) == 32


def test_another_root_key_than_the_database_knows(database, start_daemon, root_key_file, numbered):
    """It could open nothing: it says which it lacks, and ends."""
    start_daemon(database).stop()
    other = numbered("root-key")
    coffer("root-key", "generate", other)
    daemon = start_daemon(database, ready=False, root_key_file=other)
    assert daemon.wait() == 2
    last = [line for line in daemon.log_lines() if line["level"] == "error"][-1]
    assert (last["event"], last["setting"]) == ("unable to start", "root key")
    needed = root_key_file.read_text().split()[0]
    assert last["cause"].startswith(f"root key {needed} is needed and not loaded")
    assert "load it, then" in last["cause"]
    assert database.query("SELECT count(*) FROM store.pepper") == [(1,)]


def test_another_root_key_than_a_database_knows_that_is_away(own_cluster, start_daemon, numbered):
    """That it is the wrong one shows when the database is there, for which the daemon waits."""
    database = own_cluster.database()
    start_daemon(database).stop()
    other = numbered("root-key")
    coffer("root-key", "generate", other)
    own_cluster.stop()
    daemon = start_daemon(database, ready=False, root_key_file=other)
    eventually(lambda: "no connection to the database" in faults(daemon))
    assert daemon.process.poll() is None
    own_cluster.start()
    assert daemon.wait() == 2
    assert "is needed and not loaded" in daemon.log


def test_further_root_keys_open_what_they_wrapped(
    database, start_daemon, new_tenant, root_key, numbered
):
    """A new key goes before the old one, which stays for what it has wrapped."""
    daemon = start_daemon(database, root_key_file=root_key)
    client = new_tenant(daemon).client()
    secret_id = client.create_secret(name="s")["id"]
    client.create_version(secret_id, b"data")
    daemon.stop()

    new = numbered("root-key")
    coffer("root-key", "generate", new)
    both = numbered("root-key")
    both.write_text(new.read_text() + root_key.read_text())
    both.chmod(0o400)
    daemon = start_daemon(database, root_key_file=both)
    client = client.to(daemon)
    assert client.access(secret_id) == b"data"


# The database -------------------------------------------------------------------------------------


def faults(daemon):
    """What its log says in warnings and errors."""
    if not daemon.listens():
        return ""
    return "\n".join(
        str(line) for line in daemon.log_lines() if line["level"] in ("warning", "error")
    )


WITHOUT_WHICH_SECRETS_LEAK = {
    "log_parameter_max_length": "-1",
    "log_parameter_max_length_on_error": "1024",
    "plan_cache_mode": "auto",
    "pgaudit.log_parameter": "on",
    "work_mem": "64kB",
    "synchronous_commit": "off",
}


def test_role_settings_without_which_secrets_would_leak(database, start_daemon):
    """The daemon lives, names each with its remedy, and serves as soon as all are right."""
    role = f"ALTER ROLE coffer_api IN DATABASE {database.name}"
    for name, value in WITHOUT_WHICH_SECRETS_LEAK.items():
        database.query(f"{role} SET {name} = '{value}'")
    daemon = start_daemon(database, ready=False)
    for name in WITHOUT_WHICH_SECRETS_LEAK:
        eventually(lambda: f"SET {name} =" in faults(daemon))
    client = Client(daemon.port, "00000000-0000-4000-8000-000000000000")
    assert client.get("/live", absolute=True).status == 200
    assert client.get("/ready", absolute=True).status == 503
    assert client.get("/secrets").status == 503
    database.query(f"{role} RESET ALL")
    eventually(daemon.ready)
    assert client.get("/secrets").status == 401


@pytest.mark.parametrize("name", WITHOUT_WHICH_SECRETS_LEAK)
def test_one_wrong_role_setting_is_enough(database, start_daemon, name):
    role = f"ALTER ROLE coffer_api IN DATABASE {database.name}"
    database.query(f"{role} SET {name} = '{WITHOUT_WHICH_SECRETS_LEAK[name]}'")
    daemon = start_daemon(database, ready=False)
    eventually(lambda: f"SET {name} =" in faults(daemon))
    assert not daemon.ready()


def test_database_without_a_deploy(new_database, start_daemon):
    """It waits for one, and serves then."""
    database = new_database(migrated=False)
    database.install()
    daemon = start_daemon(database, ready=False)
    eventually(lambda: faults(daemon))
    assert not daemon.ready()
    database.migrate()
    eventually(daemon.ready)


def test_wrong_password(service, settings, start_daemon):
    word = secrets.token_hex(8)
    dsn = re.sub(r"password=\S+", f"password={word}", settings["dsn"])
    daemon = start_daemon(service.database, ready=False, dsn=dsn)
    eventually(lambda: faults(daemon))
    assert not daemon.ready()
    assert word not in daemon.log


def test_wrong_role(service, start_daemon):
    """The settings are those of coffer_api: no other role will do, even one that may do all."""
    daemon = start_daemon(service.database, ready=False, dsn=service.database.dsn("postgres"))
    eventually(lambda: "log_parameter_max_length" in faults(daemon))
    assert not daemon.ready()
