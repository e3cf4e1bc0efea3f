"""Values come out of a restored backup with the root key alone; which says, too, that another implementation opens what SQL sealed."""

import base64
import json
import subprocess
import uuid

import pytest

from support.daemon import BINARY, environment


@pytest.fixture
def recover(service):
    def recover(*arguments, answer=None, check=True, stdout=subprocess.PIPE, **settings):
        ended = subprocess.run(
            [BINARY, "recover", *arguments],
            env=environment(
                {
                    "dsn_owner": service.database.dsn(),
                    "root_key_file": service.settings["root_key_file"],
                    **settings,
                }
            ),
            input=answer or "",
            stdout=stdout,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert not check or ended.returncode == 0, ended.stderr
        ended.values = [json.loads(line) for line in (ended.stdout or "").splitlines()]
        return ended

    return recover


VALUES = [b"x", b"sixteen bytes...", b"\x00\xff" * 100, b"long" * 16384]


def test_a_secret_and_a_project(client, tenant, recover):
    secret = client.create_secret(name="name", path="/pa/th")
    other = client.create_secret(name="other")
    for value in VALUES:
        client.create_version(secret["id"], value)
    client.create_version(other["id"], b"123456789", data_crc32=0xCBF43926)
    client.post(f"/secrets/{secret['id']}/versions/2/disable")
    client.delete(f"/secrets/{other['id']}")

    found = recover("--secret", secret["id"], "--yes").values
    assert [base64.b64decode(row["data"]) for row in found] == VALUES
    assert [row["revision"] for row in found] == [1, 2, 3, 4]
    assert (found[0]["path"], found[0]["name"], found[1]["status"]) == (
        "/pa/th",
        "name",
        "disabled",
    )

    # Also what is scheduled for deletion, as long as it is there.
    found = recover("--project", tenant.project_id, "--yes").values
    assert len(found) == 5
    assert base64.b64decode(found[0]["data"]) == b"123456789"


def test_it_asks_first(client, recover):
    secret = client.create_secret(name="secret")
    client.create_version(secret["id"], b"value")
    for answer in ("", "n\n", "no\n", "\n"):
        ended = recover("--secret", secret["id"], answer=answer, check=False)
        assert (ended.stdout, ended.returncode) == ("", 1)
        assert "Print 1 version in clear?" in ended.stderr
    assert len(recover("--secret", secret["id"], answer="y\n").values) == 1


def test_another_root_key_opens_nothing(client, service, recover, numbered):
    secret = client.create_secret(name="secret")
    client.create_version(secret["id"], b"value")
    other = numbered("other-key")
    subprocess.run([BINARY, "root-key", "generate", other], check=True, capture_output=True)
    ended = recover("--secret", secret["id"], "--yes", root_key_file=other, check=False)
    needed = service.database.query("SELECT root_id FROM store.pepper")[0][0]
    assert (ended.stdout, ended.returncode) == ("", 1)
    assert needed in ended.stderr  # it says which one would


def test_what_was_tampered_with_is_named_and_the_rest_is_read(client, service, recover):
    secret = client.create_secret(name="secret")
    for value in VALUES[:3]:
        client.create_version(secret["id"], value)
    service.database.query(
        "UPDATE store.version SET sealed = set_byte(sealed, 20, get_byte(sealed, 20) # 1)"
        " WHERE secret_id = %s AND revision = 2",
        secret["id"],
    )
    ended = recover("--secret", secret["id"], "--yes", check=False)
    assert [row["revision"] for row in ended.values] == [1, 3]
    assert (
        ended.returncode == 1
        and f"revision 2 of {secret['id']} cannot be decrypted" in ended.stderr
    )


def test_what_is_lost_is_named(client, service, recover):
    secret = client.create_secret(name="secret")
    for value in VALUES[:3]:
        client.create_version(secret["id"], value)
    destroy = "DELETE FROM store.dek WHERE secret_id = %s AND revision <> %s"
    service.database.query(destroy, secret["id"], 2)
    ended = recover("--secret", secret["id"], answer="y\n")
    assert [row["revision"] for row in ended.values] == [2]
    lost = [
        f"coffer: revision {n} of {secret['id']}, secret, is lost: its key was destroyed"
        for n in (1, 3)
    ]
    assert ended.stderr.splitlines()[:3] == [*lost, "coffer: 2 of 3 versions cannot be recovered"]
    assert "Print 1 version in clear?" in ended.stderr
    # Nothing is left, and nothing is asked.
    service.database.query(destroy, secret["id"], 1)
    ended = recover("--secret", secret["id"], check=False)
    assert (ended.stdout, ended.returncode) == ("", 1)
    assert ended.stderr.splitlines()[3:] == ["coffer: 3 of 3 versions cannot be recovered"]


def test_values_that_cannot_be_written(client, service, recover):
    secret = client.create_secret(name="secret")
    client.create_version(secret["id"], b"value")
    with open("/dev/full", "w") as full:
        ended = recover("--secret", secret["id"], "--yes", check=False, stdout=full)
    assert ended.returncode == 1 and "unable to write" in ended.stderr


def test_nothing_is_written(client, service, recover):
    secret = client.create_secret(name="secret")
    client.create_version(secret["id"], b"value")
    newest = "SELECT max(id) FROM audit.event"
    before = service.database.query(newest)
    recover("--secret", secret["id"], "--yes")
    assert service.database.query(newest) == before


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--yes"],
        ["--secret", "x"],
        ["--secret"],
        ["--all"],
        ["--secret", str(uuid.uuid4()), "more"],
    ],
)
def test_usage(recover, arguments):
    ended = recover(*arguments, check=False)
    assert ended.returncode == 2 and ended.stdout == ""


def test_nothing_there(recover):
    ended = recover("--secret", str(uuid.uuid4()), "--yes", check=False)
    assert ended.returncode == 1 and "no such version" in ended.stderr


def test_daemon_role_cannot(client, service, recover):
    secret = client.create_secret(name="secret")
    ended = recover(
        "--secret",
        secret["id"],
        "--yes",
        dsn_owner=service.database.dsn("coffer_api"),
        check=False,
    )
    assert ended.returncode == 1 and "42501" in ended.stderr
