"""Runs the tests in Go, each module of which is a client that is used unchanged, on a service of the suite.

They need Go, of which Debian 12 has none that is new enough, and so they are not part of check.
"""

import os
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent


@pytest.mark.parametrize("module", sorted(path.parent.name for path in HERE.glob("*/go.mod")))
def test_module(module, capfd, service, new_tenant):
    tenant = new_tenant(service)
    key = tenant.key("SecretManagerFullAccess", "KeyManagerFullAccess", "AuditTrailReadOnly")
    environment = {
        **os.environ,
        **tenant.client_environment(),
        "SCW_ACCESS_KEY": key.access_key,
        "SCW_SECRET_KEY": key.secret_key,
    }
    with capfd.disabled():
        done = subprocess.run(
            ["go", "test", "-mod=readonly", "-count=1", "-v", "./..."],
            cwd=HERE / module,
            env=environment,
            check=False,
        )
    assert done.returncode == 0
