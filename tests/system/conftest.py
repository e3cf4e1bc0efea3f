"""What the tests of the contract share: one organization for all tests of a file."""

from itertools import count

import pytest

pytest.register_assert_rewrite("expected", "model")


@pytest.fixture(scope="module")
def home(service, new_tenant):
    """An organization that all tests of a file share, without a limit that they would notice."""
    home = new_tenant(service)
    for resource in ("secret", "key"):
        service.database.query(
            "SELECT operator.quota_set(%s, %s, 100000)",
            home.organization_id,
            resource,
            role="coffer_operator",
        )
    return home


@pytest.fixture(scope="module")
def api(home):
    """A client that may do everything in that organization."""
    return home.client()


@pytest.fixture(scope="session")
def new_name():
    numbers = count(1)
    return lambda: f"name-{next(numbers)}"


@pytest.fixture(scope="module")
def new_secret(api, new_name):
    """Create a secret in that organization, with a name of its own unless it is given one."""
    return lambda **members: api.create_secret(**{"name": new_name(), **members})


@pytest.fixture(scope="module")
def operator(service):
    """Run a statement as the operator."""
    return lambda sql, *arguments: service.database.query(sql, *arguments, role="coffer_operator")


@pytest.fixture(scope="module")
def manager(api):
    """The same client of the Key Manager."""
    return api.key_manager()


@pytest.fixture(scope="module")
def new_key(manager):
    """Create a key in that organization, unprotected unless it is told otherwise."""
    return lambda **members: manager.create_key(**{"unprotected": True, **members})
