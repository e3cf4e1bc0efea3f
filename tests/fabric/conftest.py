"""Fixtures of tests with the real servers around Coffer, and the figures that these print."""

import shutil
import tempfile
from pathlib import Path

import pytest

FIGURES = pytest.StashKey()


def pytest_configure(config):
    config.stash[FIGURES] = []


@pytest.fixture(scope="session")
def figure(request):
    """Note a figure, for the summary at the end of the run: figure(name, value, unit)."""
    figures = request.config.stash[FIGURES]
    return lambda name, value, unit: figures.append((name, value, unit))


def pytest_terminal_summary(terminalreporter, config):
    for name, value, unit in config.stash[FIGURES]:
        value = f"{value:.2f}" if isinstance(value, float) else value
        terminalreporter.write_line(f"figure  {name}: {value} {unit}")


@pytest.fixture(scope="module")
def scratch():
    """Where another user than root can run programs, wherever the checkout is."""
    made = Path(tempfile.mkdtemp(prefix="coffer-fabric-"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)
