"""Fixtures for tests of the whole: README.md says which one a test asks for."""

import shutil
import tempfile
from itertools import count
from pathlib import Path

import pytest

from support import SCRATCH
from support.cluster import Cluster
from support.daemon import Daemon, coffer
from support.tenant import Tenant


def pytest_configure(config):
    config.addinivalue_line("markers", "long: a file that takes a minute or more, so it runs first")


def pytest_collection_modifyitems(items):
    """Run the files that take long first, so that no worker is left with one at the end."""
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


@pytest.fixture(scope="session")
def directory(request):
    """Where this run writes. It stays when something failed, for its logs."""
    SCRATCH.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(prefix="run-", dir=SCRATCH))
    made.chmod(0o755)  # PostgreSQL may run as another user
    yield made
    if request.session.testsfailed:
        print(f"\nlogs of this run: {made}")
    else:
        shutil.rmtree(made)


@pytest.fixture(scope="session")
def numbered(directory):
    """Give out names of files and directories that nobody has."""
    numbers = count(1)
    return lambda what: directory / f"{what}-{next(numbers)}"


@pytest.fixture(scope="session")
def cluster(numbered):
    cluster = Cluster(numbered("cluster"))
    yield cluster
    cluster.discard()


@pytest.fixture
def own_cluster(numbered):
    cluster = Cluster(numbered("cluster"))
    yield cluster
    cluster.discard()


@pytest.fixture(scope="session")
def new_database(cluster):
    return cluster.database


@pytest.fixture
def database(new_database):
    return new_database()


@pytest.fixture(scope="session")
def root_key_file(numbered):
    """The root key of every daemon, unless its settings name another."""
    file = numbered("root-key")
    coffer("root-key", "generate", file)
    return file


@pytest.fixture(scope="session")
def service(numbered, new_database, root_key_file):
    # The machine may be busy.
    daemon = Daemon(numbered("service"), new_database(), root_key_file, connect_timeout=10000)
    yield daemon
    daemon.stop()


@pytest.fixture
def start_daemon(numbered, root_key_file):
    daemons = []

    def start(database, **settings):
        daemon = Daemon(
            numbered("daemon"), database, **{"root_key_file": root_key_file, **settings}
        )
        daemons.append(daemon)
        return daemon

    yield start
    for daemon in daemons:
        daemon.stop()


@pytest.fixture(scope="session")
def new_tenant():
    return Tenant


@pytest.fixture
def tenant(service):
    return Tenant(service)


@pytest.fixture
def client(tenant):
    return tenant.client()


@pytest.fixture(scope="session")
def client_environment(service):
    return Tenant(service).client_environment()
