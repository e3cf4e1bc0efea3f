"""A sanitized daemon that has lost memory does not end with status 0."""

import os

from crowd import soak

REQUESTS = int(os.environ.get("SOAK_REQUESTS", 100_000))


def test_nothing_is_lost(start_daemon, service, prepared):
    daemon = start_daemon(service.database)
    answered = soak(daemon, prepared, lambda answered: answered >= REQUESTS, lambda: None)
    daemon.terminate()
    assert daemon.wait() == 0, daemon.log[-10_000:]
    print(f"\n{answered} requests, and nothing is lost")
