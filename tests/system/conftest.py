"""What the tests of the contract share: one organization for all tests of a file."""

import os
import subprocess
import tempfile
from itertools import count
from pathlib import Path

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


@pytest.fixture
def small_disk(cluster):
    """A file system of 16 MB that PostgreSQL can write to, where its user can go, too; for a cluster of the test's own file."""
    directory = Path(tempfile.mkdtemp(prefix="coffer-disk-"))
    directory.chmod(0o755)
    mount = ["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", directory]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True).returncode != 0:
        directory.rmdir()
        pytest.skip("unable to mount a file system")
    made = directory / "tablespace"
    made.mkdir(mode=0o700)
    subprocess.run(["chown", "--reference", cluster.data, made], check=True)
    yield directory
    cluster.discard()
    subprocess.run(["umount", directory], check=True)
    directory.rmdir()
    cluster.start()
