"""The service that the tests of the SDKs use.

It is the one that the caller's environment names, as the client.env of `bootstrap run` does, or
else the suite's own.
"""

import os

import pytest

VARIABLES = (
    "SCW_API_URL",
    "SCW_ACCESS_KEY",
    "SCW_SECRET_KEY",
    "SCW_DEFAULT_ORGANIZATION_ID",
    "SCW_DEFAULT_PROJECT_ID",
    "SCW_DEFAULT_REGION",
)


@pytest.fixture(scope="session")
def client_environment(request):
    if "SCW_API_URL" in os.environ:
        return {name: os.environ[name] for name in VARIABLES}
    new_tenant = request.getfixturevalue("new_tenant")
    return new_tenant(request.getfixturevalue("service")).client_environment()
