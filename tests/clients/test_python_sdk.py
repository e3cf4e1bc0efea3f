"""Every method of the Python SDK's Secret Manager API, against a service that a fixture names.

All secrets of a run live below one folder and carry one tag of its own, so that it can run beside
other data.
"""

import base64
import inspect
import sys
import uuid
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from scaleway import Client
from scaleway.secret.v1beta1 import SecretV1Beta1API
from scaleway.secret.v1beta1.types import (
    BrowseSecretsRequestOrderBy,
    BrowseSecretsResponseItemFolderDetails,
    EphemeralPolicy,
    EphemeralPolicyAction,
    EphemeralProperties,
    ListSecretsRequestOrderBy,
    Product,
    SecretType,
    SecretVersionStatus,
)
from scaleway_core.api import ScalewayException

RUN = f"py-{uuid.uuid4()}"
FOLDER = f"/{RUN}"
CERTIFICATE = Path(__file__).with_name("certificate.pem").read_text()


def client_of(environment, **settings):
    return Client(
        **{
            "api_url": environment["SCW_API_URL"],
            "access_key": environment["SCW_ACCESS_KEY"],
            "secret_key": environment["SCW_SECRET_KEY"],
            "default_organization_id": environment["SCW_DEFAULT_ORGANIZATION_ID"],
            "default_project_id": environment["SCW_DEFAULT_PROJECT_ID"],
            "default_region": environment["SCW_DEFAULT_REGION"],
        }
        | settings
    )


@pytest.fixture(scope="module")
def api(client_environment):
    return SecretV1Beta1API(client_of(client_environment))


@pytest.fixture(scope="module")
def new_secret(api):
    created = []

    def create(tags=(), **members):
        secret = api.create_secret(
            **{"name": f"secret-{len(created)}", "path": FOLDER, "protected": False} | members,
            tags=[RUN, *tags],
        )
        created.append(secret.id)
        return secret

    yield create
    for secret_id in created:
        for method in (api.unprotect_secret, api.delete_secret):
            with suppress(ScalewayException):  # a test has deleted it
                method(secret_id=secret_id)


def encoded(text):
    return base64.b64encode(text.encode()).decode()


def decoded(access):
    return base64.b64decode(access.data).decode()


def new_version(api, secret, text, **members):
    return api.create_secret_version(secret_id=secret.id, data=encoded(text), **members)


def assert_now(time):
    assert abs(datetime.now(UTC) - time) < timedelta(hours=1)


def refusal(status, kind, call, **arguments):
    with pytest.raises(ScalewayException) as refused:
        call(**arguments)
    body = refused.value.response.json()
    assert (refused.value.status_code, body["type"]) == (status, kind)
    return body


class TestSecrets:
    def test_new_secret_has_every_member(self, api, new_secret, client_environment):
        secret = new_secret(name="plain")
        uuid.UUID(secret.id)
        assert_now(secret.created_at)
        assert secret.updated_at == secret.created_at
        rest = vars(secret).copy()
        for member in ("id", "created_at", "updated_at"):
            del rest[member]
        assert rest == {
            "project_id": client_environment["SCW_DEFAULT_PROJECT_ID"],
            "name": "plain",
            "status": "ready",
            "tags": [RUN],
            "version_count": 0,
            "description": "",
            "managed": False,
            "type_": SecretType.OPAQUE,
            "protected": False,
            "path": FOLDER,
            "ephemeral_policy": None,
            "used_by": [],
            "deletion_requested_at": None,
            "key_id": None,
            "region": client_environment["SCW_DEFAULT_REGION"],
        }

    def test_secret_with_all_it_can_be_given(self, api, new_secret):
        secret = new_secret(
            name="full",
            path=f"{FOLDER}/a/b/",
            description="a description",
            tags=["z", "a"],
            type_=SecretType.KEY_VALUE,
            protected=True,
            ephemeral_policy=EphemeralPolicy(
                time_to_live="1800.000000000s",
                expires_once_accessed=True,
                action=EphemeralPolicyAction.DISABLE,
            ),
        )
        assert secret.path == f"{FOLDER}/a/b"
        assert secret.description == "a description"
        assert secret.tags == [RUN, "z", "a"]
        assert secret.type_ == SecretType.KEY_VALUE
        assert secret.protected is True
        assert secret.ephemeral_policy == EphemeralPolicy(
            time_to_live="1800s",
            expires_once_accessed=True,
            action=EphemeralPolicyAction.DISABLE,
        )
        assert api.get_secret(secret_id=secret.id) == secret

    def test_unknown_type_is_opaque(self, new_secret):
        assert new_secret(type_=SecretType.UNKNOWN_TYPE).type_ == SecretType.OPAQUE

    def test_everything_is_updated(self, api, new_secret):
        secret = new_secret(description="old", tags=["old"])
        updated = api.update_secret(
            secret_id=secret.id,
            name="renamed",
            path=f"{FOLDER}/moved",
            description="new",
            tags=[RUN, "new"],
            ephemeral_policy=EphemeralPolicy(
                time_to_live="2.5s", action=EphemeralPolicyAction.DELETE
            ),
        )
        assert updated.updated_at >= secret.updated_at
        assert vars(updated) == vars(secret) | {
            "name": "renamed",
            "path": f"{FOLDER}/moved",
            "description": "new",
            "tags": [RUN, "new"],
            "ephemeral_policy": EphemeralPolicy(
                time_to_live="2.500s",
                expires_once_accessed=False,
                action=EphemeralPolicyAction.DELETE,
            ),
            "updated_at": updated.updated_at,
        }

    def test_update_leaves_alone_what_it_does_not_name(self, api, new_secret):
        secret = new_secret(description="kept", tags=["cleared"])
        updated = api.update_secret(secret_id=secret.id, tags=[])
        assert (updated.tags, updated.description) == ([], "kept")
        updated = api.update_secret(secret_id=secret.id, description="", tags=[RUN])
        assert (updated.tags, updated.description) == ([RUN], "")

    def test_protected_secret_is_not_deleted(self, api, new_secret):
        secret = new_secret()
        protected = api.protect_secret(secret_id=secret.id)
        assert vars(protected) == vars(secret) | {"protected": True}
        assert refusal(412, "precondition_failed", api.delete_secret, secret_id=secret.id) == {
            "help_message": "cannot delete a protected secret",
            "message": "precondition is not respected",
            "precondition": "protected_resource",
            "type": "precondition_failed",
        }
        assert api.unprotect_secret(secret_id=secret.id) == secret
        assert api.delete_secret(secret_id=secret.id) is None

    def test_deleted_secret_is_restored_with_its_versions(self, api, new_secret):
        secret = new_secret()
        new_version(api, secret, "one")
        new_version(api, secret, "two")
        api.disable_secret_version(secret_id=secret.id, revision="1")
        api.delete_secret(secret_id=secret.id)

        scheduled = api.get_secret(secret_id=secret.id)
        assert_now(scheduled.deletion_requested_at)
        assert scheduled.updated_at == scheduled.deletion_requested_at
        assert (scheduled.status, scheduled.version_count) == ("ready", 2)
        listed = api.list_secret_versions(secret_id=secret.id).versions
        assert {version.status for version in listed} == {"scheduled_for_deletion"}
        refused = refusal(
            412,
            "precondition_failed",
            api.access_secret_version,
            secret_id=secret.id,
            revision="2",
        )
        assert refused["precondition"] == "resource_not_usable"

        restored = api.restore_secret(secret_id=secret.id)
        assert restored.deletion_requested_at is None
        listed = api.list_secret_versions(secret_id=secret.id).versions
        assert [version.status for version in listed] == ["enabled", "disabled"]
        access = api.access_secret_version(secret_id=secret.id, revision="latest")
        assert decoded(access) == "two"

    def test_product_is_added_once_as_owner(self, api, new_secret):
        secret = new_secret()
        for product in (Product.EDGE_SERVICES, Product.S2S_VPN, Product.EDGE_SERVICES):
            assert api.add_secret_owner(secret_id=secret.id, product=product) is None
        used_by = api.get_secret(secret_id=secret.id).used_by
        assert used_by == [Product.EDGE_SERVICES, Product.S2S_VPN]


LISTED = f"list-{RUN}"


@pytest.fixture(scope="module")
def five(new_secret):
    return [
        new_secret(name=name, path=f"{FOLDER}/list", tags=[LISTED])
        for name in ("c", "a", "e", "b", "d")
    ]


class TestLists:
    def list(self, api, **filters):
        return api.list_secrets(**{"scheduled_for_deletion": False, "tags": [LISTED]} | filters)

    def test_pages(self, api, five):
        page = self.list(api, page_size=2)
        assert [secret.name for secret in page.secrets] == ["a", "b"]
        assert page.secrets[0] == five[1]
        assert page.total_count == 5
        past = self.list(api, page_size=2, page=4)
        assert (past.secrets, past.total_count) == ([], 5)

    def test_all_pages(self, api, five):
        secrets = api.list_secrets_all(scheduled_for_deletion=False, tags=[LISTED], page_size=2)
        assert [secret.name for secret in secrets] == ["a", "b", "c", "d", "e"]

    @pytest.mark.parametrize(
        "order, names",
        [
            (ListSecretsRequestOrderBy.NAME_ASC, "abcde"),
            (ListSecretsRequestOrderBy.NAME_DESC, "edcba"),
            (ListSecretsRequestOrderBy.CREATED_AT_ASC, "caebd"),
            (ListSecretsRequestOrderBy.CREATED_AT_DESC, "dbeac"),
            (ListSecretsRequestOrderBy.UPDATED_AT_ASC, "caebd"),
            (ListSecretsRequestOrderBy.UPDATED_AT_DESC, "dbeac"),
        ],
    )
    def test_orders(self, api, five, order, names):
        secrets = self.list(api, order_by=order).secrets
        assert [secret.name for secret in secrets] == list(names)

    def test_filters(self, api, new_secret):
        tag, path = f"{LISTED}-filter", f"{FOLDER}/filter"
        opaque = new_secret(name="opaque", path=path, tags=[tag, "x"])
        ephemeral = new_secret(
            name="ephemeral",
            path=path,
            tags=[tag],
            type_=SecretType.KEY_VALUE,
            ephemeral_policy=EphemeralPolicy(
                time_to_live="60s", action=EphemeralPolicyAction.DELETE
            ),
        )
        gone = new_secret(name="gone", path=path, tags=[tag])
        api.delete_secret(secret_id=gone.id)
        for filters, expected in (
            ({}, [ephemeral, opaque]),
            ({"name": "opaque"}, [opaque]),
            ({"path": f"{path}/"}, [ephemeral, opaque]),
            ({"path": FOLDER}, []),
            ({"tags": [tag, "x"]}, [opaque]),
            ({"ephemeral": True}, [ephemeral]),
            ({"ephemeral": False}, [opaque]),
            ({"type_": SecretType.KEY_VALUE}, [ephemeral]),
            ({"type_": SecretType.UNKNOWN_TYPE}, [ephemeral, opaque]),
            ({"scheduled_for_deletion": True}, [gone]),
        ):
            page = self.list(api, **{"tags": [tag]} | filters)
            found = [secret.id for secret in page.secrets]
            assert found == [secret.id for secret in expected], filters
            assert page.total_count == len(expected)

    def test_browse(self, api, new_secret):
        path = f"{FOLDER}/browse"
        here = new_secret(name="here", path=path, tags=["x"])
        there = new_secret(name="there", path=f"{path}/below/deep")
        browsed = api.browse_secrets(prefix=path)
        assert (browsed.current_path, browsed.total_count) == (path, 2)
        below, item = browsed.items
        assert below.name == "below"
        assert below.folder == BrowseSecretsResponseItemFolderDetails()
        assert below.secret is None
        assert (item.name, item.folder) == ("here", None)
        assert (item.created_at, item.updated_at) == (here.created_at, here.updated_at)
        assert vars(item.secret) == {
            "id": here.id,
            "tags": [RUN, "x"],
            "version_count": 0,
            "protected": False,
            "type_": SecretType.OPAQUE,
            "ephemeral_policy": None,
        }
        second = api.browse_secrets(
            prefix=path,
            page=2,
            page_size=1,
            order_by=BrowseSecretsRequestOrderBy.NAME_DESC,
        )
        assert [item.name for item in second.items] == ["below"]
        tagged = api.browse_secrets(prefix=path, tags=["x"])
        assert [item.name for item in tagged.items] == ["here"]
        deep = api.browse_secrets(prefix=f"{path}/below/deep/", type_=SecretType.OPAQUE)
        assert [item.secret.id for item in deep.items] == [there.id]

    def test_tags(self, api, five):
        tags = api.list_tags_all(page_size=2)
        assert len(tags) == len(set(tags)) == api.list_tags().total_count
        assert {RUN, LISTED} <= set(tags)

    def test_types(self, api, new_secret, five):
        new_secret(type_=SecretType.SSH_KEY)
        types = api.list_secret_types_all(page_size=1)
        assert len(types) == len(set(types)) == api.list_secret_types().total_count
        assert {SecretType.OPAQUE, SecretType.SSH_KEY} <= set(types)


class TestVersions:
    def test_new_version_has_every_member(self, api, new_secret, client_environment):
        secret = new_secret()
        version = new_version(api, secret, "one", description="first")
        assert_now(version.created_at)
        assert vars(version) == {
            "revision": 1,
            "secret_id": secret.id,
            "status": SecretVersionStatus.ENABLED,
            "latest": True,
            "region": client_environment["SCW_DEFAULT_REGION"],
            "created_at": version.created_at,
            "updated_at": version.created_at,
            "deleted_at": None,
            "description": "first",
            "ephemeral_properties": None,
            "deletion_requested_at": None,
        }

    def test_names_of_a_version(self, api, new_secret):
        secret = new_secret()
        for text in ("one", "two", "three"):
            new_version(api, secret, text)
        api.disable_secret_version(secret_id=secret.id, revision="3")
        for name, revision in (("1", 1), ("latest", 3), ("latest_enabled", 2)):
            version = api.get_secret_version(secret_id=secret.id, revision=name)
            assert version.revision == revision
        access = api.access_secret_version(secret_id=secret.id, revision="latest_enabled")
        assert vars(access) == {
            "secret_id": secret.id,
            "revision": 2,
            "data": encoded("two"),
            "data_crc32": 0,  # what the SDK makes of null
            "type_": SecretType.OPAQUE,
        }
        assert api.get_secret(secret_id=secret.id).version_count == 3

    def test_access_by_path(self, api, new_secret):
        secret = new_secret(name="by-path", path=f"{FOLDER}/by/path")
        new_version(api, secret, "found")
        access = api.access_secret_version_by_path(
            secret_path=f"{FOLDER}/by/path", secret_name="by-path", revision="latest"
        )
        assert (access.secret_id, decoded(access)) == (secret.id, "found")

    def test_checksum(self, api, new_secret):
        secret = new_secret()
        new_version(api, secret, "123456789", data_crc32=0xCBF43926)
        access = api.access_secret_version(secret_id=secret.id, revision="1")
        assert access.data_crc32 == 0xCBF43926
        refused = refusal(
            400,
            "invalid_arguments",
            api.create_secret_version,
            secret_id=secret.id,
            data=encoded("123456789"),
            data_crc32=1,
        )
        assert refused["details"][0]["argument_name"] == "data_crc32"

    def test_lists(self, api, new_secret):
        secret = new_secret()
        for text in "12345":
            new_version(api, secret, text)
        api.disable_secret_version(secret_id=secret.id, revision="2")
        api.delete_secret_version(secret_id=secret.id, revision="4")
        page = api.list_secret_versions(secret_id=secret.id, page_size=2, page=2)
        assert [version.revision for version in page.versions] == [3, 2]
        assert page.total_count == 5
        versions = api.list_secret_versions_all(secret_id=secret.id, page_size=2)
        assert [version.revision for version in versions] == [5, 4, 3, 2, 1]
        for statuses, revisions in (
            ([SecretVersionStatus.ENABLED], [5, 3, 1]),
            ([SecretVersionStatus.DISABLED], [2]),
            (
                [
                    SecretVersionStatus.DISABLED,
                    SecretVersionStatus.SCHEDULED_FOR_DELETION,
                ],
                [4, 2],
            ),
        ):
            page = api.list_secret_versions(secret_id=secret.id, status=statuses)
            assert [version.revision for version in page.versions] == revisions
            assert page.total_count == len(revisions)

    def test_everything_is_updated(self, api, new_secret):
        secret = new_secret()
        version = new_version(api, secret, "data")
        properties = EphemeralProperties(
            expires_at=datetime.now(UTC) + timedelta(days=1),
            expires_once_accessed=True,
            action=EphemeralPolicyAction.DISABLE,
        )
        updated = api.update_secret_version(
            secret_id=secret.id,
            revision="1",
            description="described",
            ephemeral_properties=properties,
        )
        assert updated.updated_at >= version.updated_at
        assert vars(updated) == vars(version) | {
            "description": "described",
            "ephemeral_properties": properties,
            "updated_at": updated.updated_at,
        }

    def test_disable_and_enable(self, api, new_secret):
        secret = new_secret()
        first = {"secret_id": secret.id, "revision": "1"}
        new_version(api, secret, "one")
        assert api.disable_secret_version(**first).status == "disabled"
        refusal(412, "precondition_failed", api.access_secret_version, **first)
        assert api.enable_secret_version(**first).status == "enabled"
        assert decoded(api.access_secret_version(**first)) == "one"
        new_version(api, secret, "two", disable_previous=True)
        assert api.get_secret_version(**first).status == "disabled"

    def test_deleted_version_is_restored(self, api, new_secret):
        secret = new_secret()
        first = {"secret_id": secret.id, "revision": "1"}
        version = new_version(api, secret, "one")
        assert api.delete_secret_version(**first) is None
        scheduled = api.get_secret_version(secret_id=secret.id, revision="latest")
        assert_now(scheduled.deletion_requested_at)
        assert vars(scheduled) == vars(version) | {
            "status": "scheduled_for_deletion",
            "deletion_requested_at": scheduled.deletion_requested_at,
        }
        assert api.get_secret(secret_id=secret.id).version_count == 1
        restored = api.restore_secret_version(**first)
        assert restored.status == "enabled"
        assert restored.deletion_requested_at is None
        assert decoded(api.access_secret_version(**first)) == "one"

    @pytest.mark.parametrize(
        "secret_type, good, bad",
        [
            (SecretType.CERTIFICATE, CERTIFICATE, "no certificate"),
            (SecretType.KEY_VALUE, '{"a":"b","c":1,"d":true}', '{"a":{}}'),
            (
                SecretType.BASIC_CREDENTIALS,
                '{"username":"u","password":"p"}',
                '{"username":"u"}',
            ),
            (
                SecretType.DATABASE_CREDENTIALS,
                '{"engine":"mysql","username":"u","password":"p",'
                '"host":"h","dbname":"d","port":"3306"}',
                '{"engine":"none"}',
            ),
            (SecretType.SSH_KEY, '{"ssh_private_key":"k"}', '{"ssh_private_key":1}'),
        ],
    )
    def test_types(self, api, new_secret, secret_type, good, bad):
        secret = new_secret(type_=secret_type)
        new_version(api, secret, good)
        access = api.access_secret_version(secret_id=secret.id, revision="1")
        assert (access.type_, decoded(access)) == (secret_type, good)
        refused = refusal(
            400,
            "invalid_arguments",
            api.create_secret_version,
            secret_id=secret.id,
            data=encoded(bad),
        )
        assert refused["details"][0]["argument_name"] == "data"


class TestEphemeral:
    def policy(self, action=EphemeralPolicyAction.DISABLE):
        return EphemeralPolicy(time_to_live="3600s", expires_once_accessed=True, action=action)

    def test_version_gets_properties_of_the_policy(self, api, new_secret):
        secret = new_secret(ephemeral_policy=self.policy())
        version = new_version(api, secret, "data")
        assert version.ephemeral_properties == EphemeralProperties(
            expires_at=version.created_at + timedelta(hours=1),
            expires_once_accessed=True,
            action=EphemeralPolicyAction.DISABLE,
        )

    def test_read_once_then_disabled(self, api, new_secret):
        secret = new_secret(ephemeral_policy=self.policy())
        new_version(api, secret, "once")
        once = {"secret_id": secret.id, "revision": "1"}
        assert decoded(api.access_secret_version(**once)) == "once"
        refusal(412, "precondition_failed", api.access_secret_version, **once)
        assert api.get_secret_version(**once).status == "disabled"

    def test_read_once_then_deleted(self, api, new_secret):
        secret = new_secret(ephemeral_policy=self.policy(EphemeralPolicyAction.DELETE))
        new_version(api, secret, "once")
        once = {"secret_id": secret.id, "revision": "1"}
        assert decoded(api.access_secret_version(**once)) == "once"
        refused = refusal(404, "not_found", api.access_secret_version, **once)
        assert refused["resource"] == "secret_version"
        assert api.get_secret(secret_id=secret.id).version_count == 0

    def test_ephemeral_secret_is_gone_when_deleted(self, api, new_secret):
        secret = new_secret(ephemeral_policy=self.policy())
        api.delete_secret(secret_id=secret.id)
        refusal(404, "not_found", api.get_secret, secret_id=secret.id)


class TestRefusals:
    def test_not_found(self, api):
        unknown = str(uuid.uuid4())
        assert refusal(404, "not_found", api.get_secret, secret_id=unknown) == {
            "message": "resource is not found",
            "resource": "secret",
            "resource_id": unknown,
            "type": "not_found",
        }

    def test_duplicate_name(self, new_secret):
        secret = new_secret()
        assert refusal(400, "invalid_arguments", new_secret, name=secret.name) == {
            "details": [
                {
                    "argument_name": "name",
                    "help_message": "cannot have same secret name in same path",
                    "reason": "format",
                }
            ],
            "message": "invalid argument(s)",
            "type": "invalid_arguments",
        }

    def test_quota(self, api, new_secret):
        secret = new_secret()
        for revision in range(1, 21):
            assert new_version(api, secret, "data").revision == revision
        refused = refusal(
            403,
            "quotas_exceeded",
            api.create_secret_version,
            secret_id=secret.id,
            data=encoded("data"),
        )
        assert refused["details"] == [{"current": 20, "quota": 20, "resource": "secret_version"}]

    def test_permissions(self, api):
        refusal(
            403,
            "permissions_denied",
            api.list_secrets,
            scheduled_for_deletion=False,
            project_id=str(uuid.uuid4()),
        )

    def test_authentication(self, client_environment):
        stranger = SecretV1Beta1API(client_of(client_environment, secret_key=str(uuid.uuid4())))
        assert refusal(401, "denied_authentication", stranger.list_tags) == {
            "message": "authentication is denied",
            "method": "api_key",
            "reason": "not_found",
            "type": "denied_authentication",
        }


def test_no_method_of_the_api_was_left_out():
    source = inspect.getsource(sys.modules[__name__])
    methods = [
        name
        for name, _ in inspect.getmembers(SecretV1Beta1API, inspect.isfunction)
        if not name.startswith("_")
    ]
    assert len(methods) == 26
    assert [name for name in methods if f"api.{name}(" not in source] == []
