import shutil

import pytest

from support import SOURCE


@pytest.fixture
def tree(tmp_path):
    """A copy of what is deployed, at a place with a space, for a test to edit."""
    tree = tmp_path / "a copy"
    for folder in ("migrations", "sql"):
        shutil.copytree(SOURCE / folder, tree / folder)
    return tree
