"""What a running daemon has in memory, for root alone to see."""

import contextlib
import re
import subprocess
from pathlib import Path

import pytest

from support.daemon import BINARY

SANITIZED = b"libasan" in subprocess.run(["ldd", BINARY], check=True, capture_output=True).stdout
MAPPING = re.compile(r"^([0-9a-f]+)-([0-9a-f]+) r.*$|^VmFlags: (.*)$", re.MULTILINE)
LARGEST = 1 << 28  # what is larger is no memory, but room that a sanitizer keeps


def mappings(daemon):
    """The content and the flags of each part of the daemon's memory that can be read."""
    found, address = [], None
    try:
        smaps = Path(f"/proc/{daemon.pid}/smaps").read_text()
        with open(f"/proc/{daemon.pid}/mem", "rb") as file:
            for first, end, flags in MAPPING.findall(smaps):
                if first:
                    address = int(first, 16), int(end, 16) - int(first, 16)
                elif address is not None and address[1] <= LARGEST:
                    with contextlib.suppress(OSError, OverflowError):  # what the kernel lends
                        file.seek(address[0])
                        found.append((file.read(address[1]), flags.split()))
                    address = None
    except PermissionError:
        pytest.skip("only root may read the memory of the daemon")
    return found
