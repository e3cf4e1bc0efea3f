"""What the fixtures of conftest.py are made of."""

import os
import time
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("COFFER_BUILD", SOURCE / "var" / "build"))
SCRATCH = BUILD / "check"
# How much longer than in the suite the tests of keys are: `make check-keys TIMES=10`.
TIMES = int(os.environ.get("COFFER_TIMES") or 1)


def eventually(condition, seconds=30):
    """Wait until condition() is true, and return what it returned."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, f"not within {seconds} s: {condition}"
        time.sleep(0.02)
    return value
