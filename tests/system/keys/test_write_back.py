"""What `coffer recover` prints goes back into the live database by `coffer restore`, as it was; what that refuses is held by tests/sql/operator/secret_restore_test.sql."""

import base64
import json
import os
import subprocess
import uuid

import pytest

from support.daemon import BINARY, environment
from support.load import together

POLICY = {"time_to_live": "31536000s", "expires_once_accessed": True, "action": "disable"}
VALUES = [b'{"a":1}', b'{"a":"' + b"x" * 65000 + b'"}', b'{"a":3}']


@pytest.fixture
def run(service):
    """Run a command with the settings of one who recovers and restores."""

    def run(*arguments, input=b"", check=True, **settings):
        ended = subprocess.run(
            [BINARY, *arguments],
            env=environment(
                {
                    "dsn_owner": service.database.dsn(),
                    "dsn_operator": service.database.dsn("coffer_operator"),
                    "root_key_file": service.settings["root_key_file"],
                    **settings,
                }
            ),
            input=input,
            capture_output=True,
        )
        assert not check or ended.returncode == 0, ended.stderr
        return ended

    return run


@pytest.fixture
def recover(run):
    return lambda *arguments, **more: run("recover", *arguments, "--yes", **more).stdout


@pytest.fixture
def restore(run):
    return lambda input, *arguments, **more: run(
        "restore", "--reason", "lost", *arguments, input=input, **more
    )


@pytest.fixture
def purge(service):
    """Remove a secret for ever, as the purge does."""
    return lambda secret: service.database.query(
        "SELECT rule.secret_delete(%s)", uuid.UUID(secret["id"])
    )


@pytest.fixture
def full(client):
    """A secret that has all that one may have, and three versions."""
    key = client.key_manager().create_key(name="key", unprotected=True)
    secret = client.create_secret(
        name="full",
        path="/pa/th",
        type="key_value",
        description="dé",
        tags=["b", "a"],
        protected=True,
        key_id=key["id"],
        ephemeral_policy=POLICY,
    )
    for number, value in enumerate(VALUES):
        client.create_version(secret["id"], value, description=f"number {number}")
    client.post(f"/secrets/{secret['id']}/versions/1/disable")
    return secret


def test_from_a_copy_through_a_pipe(client, service, new_database, numbered, full, purge):
    before = client.shape(full["id"])
    dump, copy = numbered("dump"), service.database.cluster.database(migrated=False)
    subprocess.run(
        ["pg_dump", "--format=custom", f"--file={dump}"],
        env=service.database.environment(),
        check=True,
    )
    # Rights on the database and extensions are not what this is about.
    subprocess.run(
        ["pg_restore", f"--dbname={copy.name}", dump],
        env=copy.environment(),
        check=False,
        capture_output=True,
    )
    purge(full)
    assert client.get(f"/secrets/{full['id']}").status == 404

    pipe = '"$0" recover --secret "$1" --yes | "$0" restore --reason "lost on Monday"'
    ended = subprocess.run(
        ["bash", "-o", "pipefail", "-c", pipe, BINARY, full["id"]],
        env=environment(
            {
                "dsn_owner": copy.dsn("coffer_migrate"),
                "dsn_operator": service.database.dsn("coffer_operator"),
                "root_key_file": service.settings["root_key_file"],
            }
        ),
        capture_output=True,
        text=True,
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout == f"restored {full['id']}, /pa/th/full, revisions: 1, 2, 3\n"
    assert client.shape(full["id"]) == before
    assert client.access(full["id"], 3) == VALUES[2]
    [[role, reason]] = service.database.query(
        "SELECT database_role, request ->> 'reason' FROM audit.event"
        " WHERE method = 'operator.secret_restore' AND secret_id = %s",
        full["id"],
    )
    assert (role, reason) == ("coffer_operator", "lost on Monday")
    # No revision is given twice, and the checks of the API hold.
    assert client.create_version(full["id"], b'{"a":4}')["revision"] == 4


def test_some_of_a_project(client, tenant, service, recover, restore, purge):
    """Each secret is restored whole or not at all, and one that is refused does not keep the next."""
    secrets = [client.create_secret(name=name) for name in ("a", "b", "c")]
    for secret in secrets:
        client.create_version(secret["id"], b"123456789", data_crc32=0xCBF43926)
        client.create_version(secret["id"], bytes(range(256)))
    document = recover("--project", tenant.project_id)
    for secret in secrets[0], secrets[2]:
        purge(secret)
    ended = restore(document, check=False)
    assert ended.returncode == 1
    assert [line.split(b",")[0] for line in ended.stdout.splitlines()] == [
        f"restored {secret['id']}".encode() for secret in (secrets[0], secrets[2])
    ]
    assert ended.stderr.decode().splitlines() == [
        f"coffer: secret {secrets[1]['id']} is here, and live (SQLSTATE SM900)",
        "HINT: write an older value to it as a new version",
    ]
    assert [
        json.loads(line)["data"] for line in recover("--project", tenant.project_id).splitlines()
    ] == [json.loads(line)["data"] for line in document.splitlines()]
    assert client.access(secrets[2]["id"], 1) == b"123456789"
    assert client.access(secrets[2]["id"], 2) == bytes(range(256))

    # A document that is cut off restores what is whole in it, and nothing of the rest.
    for secret in secrets:
        purge(secret)
    lines = document.splitlines(keepends=True)
    ended = restore(b"".join(lines[:3]), check=False)
    assert b"it has 1 of 2 versions of its secret" in ended.stderr
    assert ended.stdout.count(b"restored") == 1
    ended = restore(lines[2] + lines[3][:50], check=False)
    assert b"line 2 is not one JSON object" in ended.stderr
    assert client.get(f"/secrets/{secrets[1]['id']}").status == 404


def test_an_older_value(client, recover, restore, purge):
    secret = client.create_secret(name="secret")
    client.create_version(secret["id"], b"old")
    client.create_version(secret["id"], b"new")
    document = recover("--secret", secret["id"], "--revision", "1")
    assert [json.loads(line)["revision"] for line in document.splitlines()] == [1]
    purge(secret)
    ended = restore(document, check=False)
    assert ended.returncode == 1 and b"the audit knows revision 2" in ended.stderr
    restore(document, "--older")
    assert client.access(secret["id"]) == b"old"
    assert client.create_version(secret["id"], b"newest")["revision"] == 3


def test_two_at_once(client, recover, restore, purge):
    """One restores, and the other finds the secret there."""
    secret = client.create_secret(name="secret")
    client.create_version(secret["id"], b"value")
    document = recover("--secret", secret["id"])
    purge(secret)
    ended = together([lambda: restore(document, check=False) for _ in range(2)])
    assert sorted(one.returncode for one in ended) == [0, 1]
    assert sum(b"is here, and live" in one.stderr for one in ended) == 1
    assert client.access(secret["id"], 1) == b"value"


def test_into_a_project_without_a_key(client, tenant, recover, restore, purge):
    """The command makes the KEK of a project as a daemon does."""
    secret = client.create_secret(name="secret")
    client.create_version(secret["id"], b"value")
    document = recover("--secret", secret["id"])
    purge(secret)
    other = tenant.project()
    restore(document.replace(tenant.project_id.encode(), other.encode()))
    assert client.get(f"/secrets/{secret['id']}").body["project_id"] == other
    assert client.access(secret["id"]) == b"value"


def test_refusals(client, tenant, recover, restore, run, service, numbered, purge):
    secret = client.create_secret(name="secret")
    client.create_version(secret["id"], b"value")
    document = recover("--secret", secret["id"])
    purge(secret)

    def refused(expected, input=document, code=1, **settings):
        ended = restore(input, check=False, **settings)
        assert (ended.returncode, ended.stdout) == (code, b"")
        assert expected in ended.stderr.decode()
        assert client.get(f"/secrets/{secret['id']}").status == 404

    refused("standard input has no secret", b"")
    refused("standard input is malformed: line 1 is not one JSON object", b"value\n")
    refused("SM900", document.replace(tenant.project_id.encode(), str(uuid.uuid4()).encode()))
    refused("42501", dsn_operator=service.database.dsn("coffer_auditor"))
    refused("42501", dsn_operator=service.database.dsn("coffer_api"))
    other = numbered("other-key")
    subprocess.run([BINARY, "root-key", "generate", other], check=True, capture_output=True)
    refused("no loaded root key unwraps the pepper", root_key_file=other)
    refused("root_key_file", code=2, root_key_file="/nowhere")
    # A superuser has not the settings without which PostgreSQL may log the payload.
    refused("log_parameter_max_length is", dsn_operator=service.database.dsn())
    restore(document)


def test_who_can_recover(client, service, run, recover):
    """Those who can read the tables: a superuser, and coffer_owner and its members."""
    secret = client.create_secret(name="secret")
    client.create_version(secret["id"], b"value")
    expected = recover("--secret", secret["id"])
    assert base64.b64decode(json.loads(expected)["data"]) == b"value"
    for role in ("coffer_migrate", "coffer_api", "coffer_operator", "coffer_auditor"):
        ended = run(
            *("recover", "--yes", "--secret", secret["id"]),
            dsn_owner=service.database.dsn(role),
            check=False,
        )
        if role == "coffer_migrate":
            assert ended.stdout == expected
        else:
            assert (ended.returncode, ended.stdout) == (1, b"") and b"42501" in ended.stderr


@pytest.mark.parametrize("arguments", [[], ["--older"], ["--reason"], ["--reason", "x", "more"]])
def test_usage(run, arguments):
    assert run("restore", *arguments, check=False).returncode == 2


def test_a_terminal(service):
    """Values are not typed in."""
    main, terminal = os.openpty()
    ended = subprocess.run(
        [BINARY, "restore", "--reason", "x"],
        env=environment({}),
        stdin=terminal,
        capture_output=True,
    )
    os.close(main)
    os.close(terminal)
    assert ended.returncode == 2 and b"standard input is a terminal" in ended.stderr
