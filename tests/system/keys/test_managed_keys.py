"""Secrets under keys of callers' own; rotations by hand, by policy and by root key; receipts; what a kill leaves."""

import base64
import json
import signal
import subprocess
import threading
import uuid

import pytest
from expected import (
    ANY_TIME,
    assert_answer,
    invalid_arguments,
    key_not_usable,
    not_found,
    secret,
)

from support import TIMES, eventually, keys
from support.client import values
from support.daemon import coffer
from support.tenant import Tenant


@pytest.fixture(scope="module")
def new_secret_under(api, new_name):
    """Create a secret under a key, with a version of each of these values."""

    def create(key_id, *payloads):
        created = api.create_secret(name=new_name(), key_id=key_id)["id"]
        for payload in payloads:
            api.create_version(created, payload)
        return created

    return create


def access(client, secret_id, revision=1):
    return client.get(f"/secrets/{secret_id}/versions/{revision}/access")


# Secrets under a key ------------------------------------------------------------------------------


def test_secret_says_its_key(api, home, new_key, new_name):
    key_id = new_key()["id"]
    name = new_name()
    answer = api.post("/secrets", {"name": name, "key_id": key_id})
    assert_answer(answer, 200, secret(name=name, project_id=home.project_id, key_id=key_id))
    secret_id = answer.body["id"]
    # It stays as it is.
    assert api.patch(f"/secrets/{secret_id}", {"key_id": new_key()["id"]}).body["key_id"] == key_id
    api.create_version(secret_id, b"payload")
    assert api.access(secret_id) == b"payload"
    by_path = {"project_id": home.project_id, "secret_name": name}
    answer = api.get("/secrets-by-path/versions/1/access", query=by_path)
    assert base64.b64decode(answer.body["data"]) == b"payload"


def test_key_of_a_secret_is_of_its_project(service, home, new_tenant, api, manager, new_name):
    elsewhere = manager.create_key(project_id=home.project("elsewhere"))["id"]
    of_another = new_tenant(service).client().key_manager().create_key()["id"]
    for key_id in (elsewhere, of_another, str(uuid.uuid4())):
        answer = api.post("/secrets", {"name": new_name(), "key_id": key_id})
        assert_answer(answer, *not_found("key", key_id))
    answer = api.post("/secrets", {"name": new_name(), "key_id": "none"})
    assert_answer(answer, *invalid_arguments(("key_id", "format")))


def test_version_is_under_the_newest_rotation(service, manager, new_key, new_secret_under):
    key_id = new_key()["id"]
    secret_id = new_secret_under(key_id, b"one")
    rotation = (
        "SELECT k.rotation, k.key_id::text FROM store.dek d JOIN store.kek k ON k.id = d.kek_id"
        " WHERE d.secret_id = %s AND d.revision = 1"
    )
    assert service.database.query(rotation, secret_id) == [(1, key_id)]


def test_access_needs_the_rights_to_the_secret_only(home, new_key, new_secret_under):
    secret_id = new_secret_under(new_key()["id"], b"payload")
    reader = home.client(key=home.key("SecretManagerSecretAccess"))
    assert reader.access(secret_id) == b"payload"
    creator = home.client(key=home.key("SecretManagerSecretCreate"))
    assert creator.create_version(secret_id, b"more")["revision"] == 2
    holder = home.client(key=home.key("KeyManagerFullAccess"))
    assert access(holder, secret_id).status == 403


@pytest.mark.parametrize("state", ["disabled", "scheduled"])
def test_unusable_key_makes_versions_unreadable(api, manager, new_key, new_secret_under, state):
    key_id = new_key()["id"]
    there, back = {
        "disabled": (("POST", "/disable"), "/enable"),
        "scheduled": (("DELETE", ""), "/restore"),
    }[state]
    secret_id = new_secret_under(key_id, b"payload")
    assert manager.call(there[0], f"/keys/{key_id}{there[1]}").status in (200, 204)
    refusal = key_not_usable(key_id)
    assert_answer(access(api, secret_id), *refusal)
    assert_answer(api.post(f"/secrets/{secret_id}/versions", values(data=b"new")), *refusal)
    # What is not secret can be seen, and a secret be made.
    assert api.get(f"/secrets/{secret_id}/versions/1").status == 200
    other = new_secret_under(key_id)
    assert_answer(api.post(f"/secrets/{other}/versions", values(data=b"new")), *refusal)
    assert manager.post(f"/keys/{key_id}{back}", {}).status == 200
    assert api.access(secret_id) == b"payload"
    assert api.create_version(secret_id, b"new")["revision"] == 2
    assert api.create_version(other, b"new")["revision"] == 1


@pytest.fixture
def purge(operator):
    """Purge all that is scheduled for deletion, as if the time for it had come."""

    def run():
        operator("SELECT operator.setting_set('purge_after', '0 seconds')")
        operator("SELECT job.run(name, 1000) FROM job.list() AS name")

    yield run
    operator("SELECT operator.setting_set('purge_after', '7 days')")


def test_purged_key_is_gone_for_ever(service, api, manager, new_key, new_secret_under, purge):
    key_id = new_key()["id"]
    secret_id = new_secret_under(key_id, b"payload")
    ciphertext = manager.encrypt(key_id, b"plaintext")
    assert manager.post(f"/keys/{key_id}/rotate", {}).status == 200
    assert manager.delete(f"/keys/{key_id}").status == 204
    purge()
    assert_answer(manager.ask_to_decrypt(key_id, ciphertext), *not_found("key", key_id))
    assert_answer(manager.post(f"/keys/{key_id}/restore", {}), *not_found("key", key_id))
    assert_answer(access(api, secret_id), *key_not_usable(key_id))
    assert_answer(
        api.post(f"/secrets/{secret_id}/versions", values(data=b"a")), *key_not_usable(key_id)
    )
    # Of the material nothing is left, nor of what was under it.
    assert service.database.query("SELECT FROM store.kek WHERE key_id = %s", key_id) == []
    assert service.database.query("SELECT FROM store.dek WHERE secret_id = %s", secret_id) == []
    assert api.get(f"/secrets/{secret_id}").body["key_id"] == key_id


# Rotations ----------------------------------------------------------------------------------------


@pytest.fixture
def stage(database, start_daemon, new_tenant, numbered, root_key_file):
    """A daemon whose timers are quick, on a database of its own, with a root key file that may be written."""

    class Stage:
        def __init__(self):
            self.database = database
            self.key_file = numbered("key-file")
            self.key_file.touch(mode=0o600)
            self.key_file.write_text(root_key_file.read_text())
            self.daemon = self.start()
            self.tenant = new_tenant(self.daemon)
            self.client = self.tenant.client()
            self.manager = self.client.key_manager()

        def start(self, **settings):
            quick = {"job_interval": 1, "check_interval": 1, "root_key_file": self.key_file}
            return start_daemon(database, **{**quick, **settings})

        def rotations(self, secret_id):
            return database.query(
                "SELECT k.rotation FROM store.dek d JOIN store.kek k ON k.id = d.kek_id"
                " WHERE d.secret_id = %s ORDER BY d.revision",
                secret_id,
            )

    return Stage()


def test_versions_move_to_the_newest_rotation(stage):
    key_id = stage.manager.create_key()["id"]
    secret_id = stage.client.create_secret(name="secret", key_id=key_id)["id"]
    other_id = stage.client.create_secret(name="other")["id"]
    for client_id in (secret_id, other_id):
        stage.client.create_version(client_id, b"one")
        stage.client.create_version(client_id, b"two")
    sealed = stage.database.query("SELECT sealed FROM store.version ORDER BY secret_id, revision")
    for rotation in (2, 3):
        ciphertext = stage.manager.encrypt(key_id, b"plaintext")
        assert stage.manager.post(f"/keys/{key_id}/rotate", {}).status == 200
        assert stage.client.access(secret_id, 1) == b"one"  # at once
        stage.client.create_version(secret_id, b"more")
        assert stage.rotations(secret_id)[-1] == (rotation,)
        eventually(lambda: set(stage.rotations(secret_id)) == {(rotation,)})
        assert stage.client.access(secret_id, 1) == b"one"
        # The old rotations stay for ciphertexts.
        assert stage.manager.decrypt(key_id, ciphertext) == b"plaintext"
    stage.database.query(
        "SELECT job.run(name, 1000) FROM job.list() AS name", role="coffer_operator"
    )
    assert stage.database.query("SELECT count(*) FROM store.kek WHERE key_id = %s", key_id) == [
        (3,)
    ]
    # Payloads are as they were, and another secret is under the key of its project.
    after = stage.database.query(
        "SELECT sealed FROM store.version WHERE revision < 3 ORDER BY secret_id, revision"
    )
    assert after == sealed
    assert set(stage.rotations(other_id)) == {(None,)}
    assert stage.client.access(other_id, 2) == b"two"


def is_due(database, key_id):
    """The time for the next rotation has come."""
    database.query(
        "UPDATE store.managed_key SET next_rotation_at = clock_timestamp() - interval '1 second' WHERE id = %s",
        key_id,
    )


def test_rotation_by_policy(stage):
    other = stage.start()
    policy = {"rotation_period": "86400s", "next_rotation_at": None}
    due, late, disabled = (
        stage.manager.create_key(rotation_policy=policy, unprotected=True)["id"] for _ in range(3)
    )
    ciphertext = stage.manager.encrypt(due, b"plaintext")
    assert stage.manager.post(f"/keys/{disabled}/disable", {}).status == 200
    is_due(stage.database, disabled)
    is_due(stage.database, due)
    path = f"/keys/{due}"
    after = eventually(
        lambda: (found := stage.manager.get(path).body)["rotation_count"] == 2 and found
    )
    assert after["updated_at"] == after["rotated_at"] > after["created_at"]
    assert after["rotation_policy"] == {"rotation_period": "86400s", "next_rotation_at": ANY_TIME}
    assert after["rotation_policy"]["next_rotation_at"] > after["rotated_at"]
    assert stage.manager.encrypt(due, b"a")[1:5] == b"\x00\x00\x00\x02"
    assert stage.manager.decrypt(due, ciphertext) == b"plaintext"
    rows = stage.database.query("SELECT method FROM audit.event WHERE method = 'job.key_rotate'")
    assert rows == [("job.key_rotate",)]
    logs = stage.daemon.log + other.log
    assert logs.count("key rotated by its policy") == 1 and due in logs
    # One that is disabled waits, and so does one whose time has not come.
    assert stage.manager.get(f"/keys/{disabled}").body["rotation_count"] == 1
    assert stage.manager.get(f"/keys/{late}").body["rotation_count"] == 1
    assert stage.manager.post(f"/keys/{disabled}/enable", {}).status == 200
    eventually(lambda: stage.manager.get(f"/keys/{disabled}").body["rotation_count"] == 2)


def test_rotation_while_it_is_used(stage):
    """The answer fits the rotation that there is when the call is made."""
    key_id = stage.manager.create_key()["id"]
    secret_id = stage.client.create_secret(name="secret", key_id=key_id)["id"]
    stage.database.query(
        "SELECT operator.quota_set(%s, 'secret_version', 1000000)", stage.tenant.organization_id
    )
    stopping, wrong, rounds = threading.Event(), [], []

    def use():
        client = stage.tenant.client()
        manager = client.key_manager()
        try:
            while not stopping.is_set():
                ciphertext = manager.encrypt(key_id, b"plaintext", b"place")
                assert manager.decrypt(key_id, ciphertext, b"place") == b"plaintext"
                revision = client.create_version(secret_id, b"payload")["revision"]
                assert client.access(secret_id, revision) == b"payload"
                rounds.append(ciphertext)
        except BaseException as failure:
            wrong.append(failure)

    users = [threading.Thread(target=use) for _ in range(3)]
    for user in users:
        user.start()
    last = 1 + 20 * TIMES
    for count in range(2, last + 1):
        before = len(rounds)
        assert stage.manager.post(f"/keys/{key_id}/rotate", {}).body["rotation_count"] == count
        eventually(lambda: wrong or len(rounds) > before + 2)
    eventually(lambda: wrong or rounds and int.from_bytes(rounds[-1][1:5], "big") == last)
    stopping.set()
    for user in users:
        user.join()
    assert wrong == []
    for ciphertext in rounds:
        assert stage.manager.decrypt(key_id, ciphertext, b"place") == b"plaintext"
    eventually(lambda: set(stage.rotations(secret_id)) == {(last,)})


def test_rotation_elsewhere(stage):
    """What a daemon remembers of a key is no more than a guess."""
    manager, other = stage.manager, stage.manager.to(stage.start())
    key_id = manager.create_key()["id"]
    ciphertext = other.encrypt(key_id, b"plaintext")
    assert other.decrypt(key_id, ciphertext) == b"plaintext"
    assert manager.post(f"/keys/{key_id}/rotate", {}).status == 200
    answer = other.ask_to_decrypt(key_id, ciphertext)
    assert base64.b64decode(answer.body["plaintext"]) == b"plaintext"
    again = base64.b64decode(answer.body["ciphertext"])
    assert again[1:5] == b"\x00\x00\x00\x02" and manager.decrypt(key_id, again) == b"plaintext"
    assert manager.post(f"/keys/{key_id}/rotate", {}).status == 200
    assert other.encrypt(key_id, b"plaintext")[1:5] == b"\x00\x00\x00\x03"
    assert manager.post(f"/keys/{key_id}/rotate", {}).status == 200
    made = {
        name: base64.b64decode(value)
        for name, value in other.post(f"/keys/{key_id}/generate-data-key", {}).body.items()
        if name in ("plaintext", "ciphertext")
    }
    assert made["ciphertext"][1:5] == b"\x00\x00\x00\x04"
    assert manager.decrypt(key_id, made["ciphertext"]) == made["plaintext"]
    assert manager.post(f"/keys/{key_id}/disable", {}).status == 200
    for verb, call in CALLS.items():
        assert_answer(
            other.post(f"/keys/{key_id}/{verb}", call(ciphertext)), *key_not_usable(key_id)
        )


def test_guess_needs_the_right(stage):
    """A daemon that knows a key does not tell anything with it that the API function has not allowed."""
    key_id = stage.manager.create_key()["id"]
    ciphertext = stage.manager.encrypt(key_id, b"plaintext")
    assert stage.manager.decrypt(key_id, ciphertext) == b"plaintext"
    row = "SELECT method, status FROM audit.event WHERE id = %s"
    for caller, status in (
        (stage.tenant.client(key=stage.tenant.key()), 403),
        (Tenant(stage.daemon).client(), 404),
    ):
        stranger = caller.key_manager()
        for verb, call in CALLS.items():
            answer = stranger.post(f"/keys/{key_id}/{verb}", call(ciphertext))
            assert (
                answer.status == status
                and "plaintext" not in answer.body
                and "ciphertext" not in answer.body
            )
            receipt = int(answer.headers["X-Audit-Id"])
            assert stage.database.query(row, receipt) == [(f"key_{verb.replace('-', '_')}", status)]


ALWAYS_ANOTHER = """
    CREATE OR REPLACE FUNCTION rule.managed_key_rotation(key_id uuid, rotation bigint) RETURNS rule.rotation
    LANGUAGE plpgsql VOLATILE AS $$
    BEGIN
        RETURN (SELECT (1 + random() * 1e9, k.id, k.root_id, k.wrapped)::rule.rotation
                  FROM store.kek k WHERE k.key_id = managed_key_rotation.key_id);
    END
    $$"""


def test_key_that_rotates_without_end(stage):
    """If it does so between all rounds of a call, the call is to be made again later."""
    key_id = stage.manager.create_key()["id"]
    stage.database.deploy(ALWAYS_ANOTHER)
    for verb in ("encrypt", "generate-data-key"):
        answer = stage.manager.post(f"/keys/{key_id}/{verb}", CALLS[verb](b""))
        assert_answer(answer, 503, {"message": "service is unavailable", "type": "unavailable"})
        assert int(answer.headers["Retry-After"]) > 0
    assert stage.daemon.log.count("too many challenges") == 2


def test_new_root_key(stage, numbered):
    """Every rotation moves, and the old root key is needed no more."""
    key_id = stage.manager.create_key()["id"]
    secret_id = stage.client.create_secret(name="secret", key_id=key_id)["id"]
    stage.client.create_version(secret_id, b"payload")
    ciphertexts = [stage.manager.encrypt(key_id, b"plaintext")]
    assert stage.manager.post(f"/keys/{key_id}/rotate", {}).status == 200
    ciphertexts.append(stage.manager.encrypt(key_id, b"plaintext"))
    file = numbered("new-root-key")
    new = coffer("root-key", "generate", file).strip()
    stage.key_file.write_text(stage.key_file.read_text() + file.read_text())
    stage.daemon.process.send_signal(signal.SIGHUP)

    def activated():  # once the daemon has told the database that it has it
        try:
            return (
                coffer(
                    "root-key", "activate", new, dsn_operator=stage.database.dsn("coffer_operator")
                )
                == ""
            )
        except subprocess.CalledProcessError:
            return False

    eventually(activated)
    moved = "SELECT DISTINCT root_id FROM store.kek"
    eventually(lambda: stage.database.query(moved) == [(new,)])
    daemon = stage.start(root_key_file=file)
    manager = stage.manager.to(daemon)
    assert [manager.decrypt(key_id, ciphertext) for ciphertext in ciphertexts] == [b"plaintext"] * 2
    assert stage.client.to(daemon).access(secret_id) == b"payload"
    # From the database and the new root key alone.
    recovered = coffer(
        "recover",
        "--secret",
        secret_id,
        "--yes",
        dsn_owner=stage.database.dsn(),
        root_key_file=file,
    )
    assert base64.b64decode(json.loads(recovered)["data"]) == b"payload"


def test_recover_reads_what_is_under_any_rotation(stage, root_key_file):
    key_id = stage.manager.create_key(unprotected=True)["id"]
    secret_id = stage.client.create_secret(name="secret", key_id=key_id)["id"]
    stage.client.create_version(secret_id, b"one")
    stage.daemon.process.send_signal(signal.SIGSTOP)  # so that nothing moves
    try:
        recovered = coffer(
            "recover",
            "--secret",
            secret_id,
            "--yes",
            dsn_owner=stage.database.dsn(),
            root_key_file=root_key_file,
        )
        assert base64.b64decode(json.loads(recovered)["data"]) == b"one"
    finally:
        stage.daemon.process.send_signal(signal.SIGCONT)
    assert stage.manager.post(f"/keys/{key_id}/rotate", {}).status == 200
    stage.client.create_version(secret_id, b"two")
    # Neither of them needs the key to be enabled.
    assert stage.manager.delete(f"/keys/{key_id}").status == 204
    recovered = coffer(
        "recover",
        "--project",
        stage.tenant.project_id,
        "--yes",
        dsn_owner=stage.database.dsn(),
        root_key_file=root_key_file,
    )
    found = [base64.b64decode(json.loads(line)["data"]) for line in recovered.splitlines()]
    assert found == [b"one", b"two"]


# An independent reader ----------------------------------------------------------------------------


def test_material_opens_with_the_root_key_alone(service, manager, new_key, root_key_file):
    """By the formulas, without the daemon: root key, rotation, key of ciphertexts."""
    key_id = new_key()["id"]
    ciphertext = manager.encrypt(key_id, b"plaintext", b"place")
    ((wrapped,),) = service.database.query(
        "SELECT wrapped FROM store.kek WHERE key_id = %s", key_id
    )
    material = keys.unwrap(keys.root_key(root_key_file), b"coffer/kek", wrapped)
    assert keys.unwrap(material, b"coffer/cipher", ciphertext[5:]) == b"plaintext"


# Receipts -----------------------------------------------------------------------------------------

CALLS = {
    "encrypt": lambda ciphertext: values(plaintext=b"plaintext"),
    "decrypt": lambda ciphertext: values(ciphertext=ciphertext),
    "generate-data-key": lambda ciphertext: {},
}


@pytest.mark.parametrize("verb", CALLS)
def test_no_answer_without_its_receipt(stage, verb):
    key_id = stage.manager.create_key()["id"]
    ciphertext = stage.manager.encrypt(key_id, b"plaintext")
    path, body = f"/keys/{key_id}/{verb}", CALLS[verb](ciphertext)
    answer = stage.manager.post(path, body)
    row = "SELECT method, status, secret_id::text FROM audit.event WHERE id = %s"
    method = f"key_{verb.replace('-', '_')}"
    receipt = int(answer.headers["X-Audit-Id"])
    assert stage.database.query(row, receipt) == [(method, 200, key_id)]

    count = "SELECT count(*) FROM audit.event WHERE method = %s"
    before = stage.database.query(count, method)
    stage.database.deploy("REVOKE INSERT ON audit.event FROM coffer_exec")
    refused = stage.manager.post(path, body)
    assert refused.status == 503
    assert refused.body == {"message": "service is unavailable", "type": "unavailable"}
    assert "X-Audit-Id" not in refused.headers
    stage.database.deploy("GRANT INSERT ON audit.event TO coffer_exec")
    assert stage.database.query(count, method) == before
    eventually(lambda: stage.manager.post(path, body).status == 200)


def test_refusals_have_receipts(service, manager, home, new_key):
    key_id = new_key()["id"]
    stranger = home.client(key=home.key()).key_manager()
    row = "SELECT method, status, error FROM audit.event WHERE id = %s"
    for client, status, error in (
        (manager, 400, "invalid_arguments"),
        (stranger, 403, "permissions_denied"),
    ):
        answer = client.ask_to_decrypt(key_id, bytes(50))
        assert answer.status == status
        receipt = int(answer.headers["X-Audit-Id"])
        assert service.database.query(row, receipt) == [("key_decrypt", status, error)]


def test_nothing_of_a_call_is_kept(service, manager, new_key):
    """Answers that hold plaintext are not kept for a call that comes again."""
    key_id = new_key()["id"]
    ciphertext = manager.encrypt(key_id, b"plaintext")
    kept = "SELECT count(*) FROM store.request"
    before = service.database.query(kept)
    manager.decrypt(key_id, ciphertext)
    manager.post(f"/keys/{key_id}/generate-data-key", {})
    manager.encrypt(key_id, b"plaintext")
    assert service.database.query(kept) == before


def test_reads_share_commits(stage):
    """Sixty at once are answered, each with a receipt of its own and with its own plaintext."""
    key_id = stage.manager.create_key()["id"]
    plaintexts = [f"plaintext {number}".encode() for number in range(60)]
    ciphertexts = [stage.manager.encrypt(key_id, plaintext) for plaintext in plaintexts]
    answers = {}

    def decrypt(number):
        manager = stage.tenant.client().key_manager()
        answers[number] = manager.ask_to_decrypt(key_id, ciphertexts[number])

    threads = [threading.Thread(target=decrypt, args=(number,)) for number in range(60)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = [base64.b64decode(answers[number].body["plaintext"]) for number in range(60)]
    assert found == plaintexts
    assert len({answer.headers["X-Audit-Id"] for answer in answers.values()}) == 60


# Kills --------------------------------------------------------------------------------------------


def test_kill_while_keys_rotate(stage):
    """Each rotation is whole or not there; none that was answered is lost; all keys go on."""
    policy = {"rotation_period": "86400s", "next_rotation_at": None}
    ids = [stage.manager.create_key(rotation_policy=policy)["id"] for _ in range(40)]
    secret_id = stage.client.create_secret(name="secret", key_id=ids[0])["id"]
    stage.client.create_version(secret_id, b"payload")
    ciphertexts = {key_id: [stage.manager.encrypt(key_id, b"plaintext")] for key_id in ids}
    for kill in range(3 * TIMES):
        for key_id in ids:
            is_due(stage.database, key_id)
        before = {
            key_id: stage.manager.get(f"/keys/{key_id}").body["rotation_count"] for key_id in ids
        }
        answered = {}
        calling = threading.Thread(
            target=rotate_until_it_breaks, args=(stage.tenant, ids, answered)
        )
        calling.start()
        eventually(lambda: len(answered) > 3 + kill % 30)
        stage.daemon.kill()
        calling.join()
        stage.daemon.start()
        stage.client.close()
        stage.manager.close()
        for key_id in ids:
            found = stage.manager.get(f"/keys/{key_id}").body
            assert found["rotation_count"] >= max(before[key_id], answered.get(key_id, 0))
            ciphertexts[key_id].append(stage.manager.encrypt(key_id, b"plaintext"))
    sound = (
        "SELECT k.id::text FROM store.managed_key k"
        " WHERE k.rotation_count <> (SELECT count(*) FROM store.kek r WHERE r.key_id = k.id)"
        "    OR k.rotation_count <> (SELECT max(rotation) FROM store.kek r WHERE r.key_id = k.id AND r.active)"
    )
    assert stage.database.query(sound) == []
    for key_id, made in ciphertexts.items():
        assert {stage.manager.decrypt(key_id, ciphertext) for ciphertext in made} == {b"plaintext"}
    assert stage.client.access(secret_id) == b"payload"


def rotate_until_it_breaks(tenant, ids, answered):
    manager = tenant.client().key_manager()
    try:
        while True:
            for key_id in ids:
                answer = manager.post(f"/keys/{key_id}/rotate", {})
                assert answer.status == 200
                answered[key_id] = answer.body["rotation_count"]
    except OSError:
        pass  # killed
    except Exception as failure:
        if type(failure).__module__ != "http.client":
            raise
