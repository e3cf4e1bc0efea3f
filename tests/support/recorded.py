"""Callers that change and read secrets, and what PostgreSQL has of all that they were told."""

import base64
import itertools
import random
import threading
import time
from collections import Counter
from dataclasses import dataclass

from support.client import Answer

READS = 0.6  # part of all calls


@dataclass
class Call:
    """A call, and its Answer or, if none came whole, None. value: what a version was made with."""

    kind: str
    began: float
    ended: float
    answer: Answer | None
    secret: str | None = None
    name: str | None = None
    value: str | None = None

    @property
    def acknowledged(self):
        return self.answer is not None and self.answer.status == 200

    @property
    def receipt(self):
        return int(self.answer.headers["X-Audit-Id"])


class RecordedLoad:
    """A context in which callers call so many times a second in all; `calls` has each call.

    clients: one list for each caller, of which it takes the next client for each call.
    """

    def __init__(self, clients, rate):
        self._clients = clients
        self._interval = len(clients) / rate
        self._end = threading.Event()
        self._known = []  # secrets that have a version
        self.calls = []

    def __enter__(self):
        self._threads = [
            threading.Thread(target=self._loop, args=(number, clients))
            for number, clients in enumerate(self._clients)
        ]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._end.set()
        for thread in self._threads:
            thread.join()

    def _loop(self, number, clients):
        dice, clients = random.Random(number), itertools.cycle(clients)
        for turn in itertools.count():
            started = time.monotonic()
            self._call(next(clients), dice, f"{number}-{turn}")
            if self._end.wait(max(0, started + self._interval - time.monotonic())):
                return

    def _call(self, client, dice, name):
        if self._known and dice.random() < READS:
            secret = dice.choice(self._known)
            path = f"/secrets/{secret}/versions/latest/access"
            self._record(client, "read", "GET", path, secret=secret)
        elif self._known and dice.random() < 0.5:
            self._version(client, dice.choice(self._known), name)
        else:
            made = self._record(client, "create", "POST", "/secrets", {"name": name}, name=name)
            if made.acknowledged:
                secret = made.answer.body["id"]
                if self._version(client, secret, name).acknowledged:
                    self._known.append(secret)

    def _version(self, client, secret, value):
        data = base64.b64encode(value.encode()).decode()
        path = f"/secrets/{secret}/versions"
        return self._record(
            client, "version", "POST", path, {"data": data}, secret=secret, value=value
        )

    def _record(self, client, kind, method, path, body=None, **known):
        began = time.monotonic()
        try:
            answer = client.call(method, path, body)
        except (OSError, EOFError):
            answer = None
        call = Call(kind, began, time.monotonic(), answer, **known)
        self.calls.append(call)
        return call

    def acknowledged(self, *kinds):
        return [
            call for call in self.calls if call.acknowledged and (not kinds or call.kind in kinds)
        ]

    def failed(self):
        """What did not succeed, counted: kind and status, 0 for no answer."""
        return Counter(
            (call.kind, call.answer.status if call.answer else 0)
            for call in self.calls
            if not call.acknowledged
        )

    def gap(self, moment):
        """The longest time without a success that ended after a moment: its begin and end."""
        ends = sorted(call.ended for call in self.acknowledged())
        gaps = [pair for pair in itertools.pairwise(ends) if pair[1] > moment]
        return max(gaps, key=lambda pair: pair[1] - pair[0])

    def missing_rows(self, database):
        """The receipts of calls that were acknowledged and have no row."""
        receipts = [call.receipt for call in self.acknowledged()]
        assert len(receipts) == len(set(receipts))
        rows = database.query("SELECT id FROM audit.event WHERE id = ANY (%s)", receipts)
        return set(receipts) - {row for (row,) in rows}

    def assert_all_there(self, database, client):
        """No change is lost or doubled, and each plaintext and each change has its row."""
        assert self.missing_rows(database) == set()
        names = Counter(name for (name,) in database.query("SELECT name FROM store.secret"))
        assert {call.name for call in self.acknowledged("create")} <= set(names)
        asked = {call.name for call in self.calls if call.kind == "create"}
        assert {name for name in asked if names[name] > 1} == set()
        values = {}
        secrets = list({call.secret for call in self.calls if call.kind == "version"})
        for secret, revision in database.query(
            "SELECT secret_id::text, revision FROM store.version WHERE secret_id = ANY (%s::uuid[])",
            secrets,
        ):
            values[secret, revision] = client.access(secret, revision).decode()
        for call in self.acknowledged("version"):
            assert values[call.secret, call.answer.body["revision"]] == call.value
        assert max(Counter(values.values()).values()) == 1
