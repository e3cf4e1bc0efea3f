"""A daemon that has served for long needs no more memory than before."""

import os
import time
from pathlib import Path

from crowd import soak

SECONDS = float(os.environ.get("SOAK_SECONDS", 600))


def resident(daemon):
    """KiB of memory that a daemon has."""
    status = Path(f"/proc/{daemon.pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0])


def test_memory_is_flat(start_daemon, service, prepared):
    daemon = start_daemon(service.database)
    started, sizes = time.monotonic(), []
    answered = soak(
        daemon,
        prepared,
        lambda _: time.monotonic() - started > SECONDS,
        lambda: sizes.append(resident(daemon)),
    )
    fifth = len(sizes) // 5
    early, late = max(sizes[fifth : 2 * fifth]), max(sizes[-fifth:])
    print(f"\n{answered} requests; {early} KiB in the second fifth, {late} KiB in the last")
    assert late < early * 1.05 + 512
