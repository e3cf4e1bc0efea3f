"""Every method of the Python SDK's Key Manager API, against a service that a fixture names."""

import base64
import inspect
import sys
import uuid
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from scaleway import Client
from scaleway.key_manager.v1alpha1 import (
    DataKeyAlgorithmSymmetricEncryption,
    KeyAlgorithmAsymmetricSigning,
    KeyAlgorithmSymmetricEncryption,
    KeyManagerV1Alpha1API,
    KeyOrigin,
    KeyRotationPolicy,
    KeyState,
    KeyUsage,
    ListAlgorithmsRequestUsage,
    ListKeysRequestOrderBy,
    ListKeysRequestUsage,
)
from scaleway.secret.v1beta1 import SecretV1Beta1API
from scaleway_core.api import ScalewayException

RUN = f"py-{uuid.uuid4()}"
SYMMETRIC = KeyUsage(symmetric_encryption=KeyAlgorithmSymmetricEncryption.AES_256_GCM)


@pytest.fixture(scope="module")
def sdk(client_environment):
    return Client(
        api_url=client_environment["SCW_API_URL"],
        access_key=client_environment["SCW_ACCESS_KEY"],
        secret_key=client_environment["SCW_SECRET_KEY"],
        default_organization_id=client_environment["SCW_DEFAULT_ORGANIZATION_ID"],
        default_project_id=client_environment["SCW_DEFAULT_PROJECT_ID"],
        default_region=client_environment["SCW_DEFAULT_REGION"],
    )


@pytest.fixture(scope="module")
def api(sdk):
    return KeyManagerV1Alpha1API(sdk)


@pytest.fixture(scope="module")
def new_key(api):
    created = []

    def create(tags=(), **members):
        key = api.create_key(
            **{"usage": SYMMETRIC, "unprotected": True} | members, tags=[RUN, *tags]
        )
        created.append(key.id)
        return key

    yield create
    for key_id in created:
        for method in (api.unprotect_key, api.delete_key):
            with suppress(ScalewayException):  # a test has deleted it
                method(key_id=key_id)


def encoded(text):
    return base64.b64encode(text.encode()).decode()


def decoded(text):
    return base64.b64decode(text).decode()


def refusal(status, kind, call, **arguments):
    with pytest.raises(ScalewayException) as refused:
        call(**arguments)
    body = refused.value.response.json()
    assert (refused.value.status_code, body["type"]) == (status, kind)
    return body


def test_new_key_has_every_member(new_key, client_environment):
    key = new_key(name="plain", unprotected=False, origin=KeyOrigin.SCALEWAY_KMS)
    uuid.UUID(key.id)
    assert abs(datetime.now(UTC) - key.created_at) < timedelta(hours=1)
    assert key.updated_at == key.rotated_at >= key.created_at
    expected = {
        "project_id": client_environment["SCW_DEFAULT_PROJECT_ID"],
        "name": "plain",
        "usage": SYMMETRIC,
        "state": KeyState.ENABLED,
        "rotation_count": 1,
        "protected": True,
        "locked": False,
        "description": None,
        "tags": [RUN],
        "rotation_policy": None,
        "origin": KeyOrigin.SCALEWAY_KMS,
        "deletion_requested_at": None,
        "region": client_environment["SCW_DEFAULT_REGION"],
    }
    assert {name: getattr(key, name) for name in expected} == expected


def test_everything_is_updated(api, new_key):
    key = new_key()
    assert api.get_key(key_id=key.id) == key
    later = datetime(2999, 1, 2, 3, 4, 5, tzinfo=UTC)
    updated = api.update_key(
        key_id=key.id,
        name="other",
        description="other",
        tags=[RUN, "other"],
        rotation_policy=KeyRotationPolicy(rotation_period="2592000s", next_rotation_at=later),
    )
    assert (updated.name, updated.description, updated.tags) == ("other", "other", [RUN, "other"])
    assert updated.rotation_policy.rotation_period == "2592000s"
    assert updated.rotation_policy.next_rotation_at == later
    assert api.get_key(key_id=key.id) == updated


def test_lists(api, new_key):
    tag = str(uuid.uuid4())
    ids = [new_key(name=name, tags=[tag]).id for name in ("c", "a", "b")]
    found = {"scheduled_for_deletion": False, "tags": [tag]}
    page = api.list_keys(**found, order_by=ListKeysRequestOrderBy.NAME_DESC, page_size=2)
    assert ([key.name for key in page.keys], page.total_count) == (["c", "b"], 3)
    order = ListKeysRequestOrderBy.CREATED_AT_ASC
    usage = ListKeysRequestUsage.SYMMETRIC_ENCRYPTION
    assert [
        key.id for key in api.list_keys_all(**found, order_by=order, usage=usage, page_size=2)
    ] == ids


def test_states(api, new_key):
    key_id = new_key().id
    assert api.protect_key(key_id=key_id).protected
    assert (
        refusal(412, "precondition_failed", api.delete_key, key_id=key_id)["precondition"]
        == "protected_resource"
    )
    assert not api.unprotect_key(key_id=key_id).protected
    assert api.disable_key(key_id=key_id).state == KeyState.DISABLED
    refusal(412, "precondition_failed", api.encrypt, key_id=key_id, plaintext=encoded("text"))
    assert api.enable_key(key_id=key_id).state == KeyState.ENABLED
    api.delete_key(key_id=key_id)
    assert api.get_key(key_id=key_id).state == KeyState.SCHEDULED_FOR_DELETION
    assert api.restore_key(key_id=key_id).state == KeyState.ENABLED


def test_ciphers(api, new_key):
    key_id = new_key().id
    place = encoded("place")
    ciphertext = api.encrypt(
        key_id=key_id, plaintext=encoded("text"), associated_data=place
    ).ciphertext
    opened = api.decrypt(key_id=key_id, ciphertext=ciphertext, associated_data=place)
    assert (opened.key_id, decoded(opened.plaintext), opened.ciphertext) == (key_id, "text", None)
    assert api.rotate_key(key_id=key_id).rotation_count == 2
    renewed = api.decrypt(key_id=key_id, ciphertext=ciphertext, associated_data=place).ciphertext
    opened = api.decrypt(key_id=key_id, ciphertext=renewed, associated_data=place)
    assert (decoded(opened.plaintext), opened.ciphertext) == ("text", None)
    refused = refusal(400, "invalid_arguments", api.decrypt, key_id=key_id, ciphertext=ciphertext)
    assert refused["details"] == [
        {
            "argument_name": "ciphertext",
            "help_message": "cipher: message authentication failed",
            "reason": "constraint",
        }
    ]


@pytest.mark.parametrize("without", [False, True])
def test_data_key(api, new_key, without):
    key_id = new_key().id
    algorithm = DataKeyAlgorithmSymmetricEncryption.AES_256_GCM
    made = api.generate_data_key(key_id=key_id, algorithm=algorithm, without_plaintext=without)
    assert (made.key_id, made.algorithm, made.plaintext is None) == (key_id, algorithm, without)
    opened = base64.b64decode(api.decrypt(key_id=key_id, ciphertext=made.ciphertext).plaintext)
    assert len(opened) == 32
    assert without or base64.b64decode(made.plaintext) == opened


def test_algorithms(api):
    (algorithm,) = api.list_algorithms().algorithms
    assert (algorithm.name, algorithm.recommended) == ("aes_256_gcm", True)
    assert algorithm.usage == "symmetric_encryption"
    usages = [ListAlgorithmsRequestUsage.ASYMMETRIC_SIGNING]
    assert api.list_algorithms(usages=usages).algorithms == []


def test_secret_under_a_key(sdk, api, new_key):
    secrets = SecretV1Beta1API(sdk)
    key_id = new_key().id
    secret = secrets.create_secret(name=RUN, protected=False, key_id=key_id)
    try:
        assert secret.key_id == key_id
        secrets.create_secret_version(secret_id=secret.id, data=encoded("payload"))
        read = {"secret_id": secret.id, "revision": "1"}
        assert decoded(secrets.access_secret_version(**read).data) == "payload"
        api.disable_key(key_id=key_id)
        refused = refusal(412, "precondition_failed", secrets.access_secret_version, **read)
        assert refused["help_message"] == f"key {key_id} is in an invalid state"
        api.enable_key(key_id=key_id)
        assert decoded(secrets.access_secret_version(**read).data) == "payload"
    finally:
        secrets.delete_secret(secret_id=secret.id)


def test_keys_that_are_not_symmetric(api, new_key):
    usage = KeyUsage(asymmetric_signing=KeyAlgorithmAsymmetricSigning.EC_P256_SHA256)
    refused = refusal(400, "invalid_arguments", new_key, usage=usage)
    assert refused["details"][0]["argument_name"] == "usage"
    key_id = new_key().id
    for call in (
        lambda: api.get_public_key(key_id=key_id),
        lambda: api.sign(key_id=key_id, digest=encoded("digest")),
        lambda: api.verify(key_id=key_id, digest=encoded("digest"), signature=encoded("signature")),
        lambda: api.import_key_material(key_id=key_id, key_material=encoded("material")),
        lambda: api.delete_key_material(key_id=key_id),
        lambda: api.wrap_key(key_id=key_id, plaintext=encoded("key")),
        lambda: api.unwrap_key(key_id=key_id, ciphertext=encoded("key")),
    ):
        refusal(404, "not_found", call)


def test_no_method_of_the_api_was_left_out():
    source = inspect.getsource(sys.modules[__name__])
    methods = [
        name
        for name, _ in inspect.getmembers(KeyManagerV1Alpha1API, inspect.isfunction)
        if not name.startswith("_")
    ]
    assert len(methods) == 23
    # Some are handed to what expects a refusal.
    assert [name for name in methods if f"api.{name}(" not in source] == []
