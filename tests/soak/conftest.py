import pytest


@pytest.fixture
def prepared(service, tenant):
    """An organization that may have as many versions as it likes."""
    service.database.query(
        "SELECT operator.quota_set(%s, 'secret_version', 10000000)",
        tenant.organization_id,
        role="coffer_operator",
    )
    return tenant
