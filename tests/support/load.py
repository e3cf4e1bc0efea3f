"""Many clients at once."""

import threading
from concurrent.futures import ThreadPoolExecutor


def together(functions):
    """Call all functions at the same time, each in a thread; return what they returned."""
    functions = list(functions)
    barrier = threading.Barrier(len(functions))

    def call(function):
        barrier.wait(60)
        return function()

    with ThreadPoolExecutor(len(functions)) as threads:
        return list(threads.map(call, functions))


class Load:
    """Clients that call again and again, until the block is left; then `answers` has what came.

    call(client) returns an Answer. A connection that could not be made, or was closed before
    an answer began, has no answer; it is tried again.
    """

    def __init__(self, clients, call):
        self._clients = clients
        self._call = call
        self._end = threading.Event()
        self._answers = []

    def __enter__(self):
        self._threads = ThreadPoolExecutor(len(self._clients))
        self._running = [self._threads.submit(self._loop, client) for client in self._clients]
        return self

    def __exit__(self, *_):
        self._end.set()
        self._threads.shutdown()
        for running in self._running:
            running.result()

    def _loop(self, client):
        while not self._end.is_set():
            try:
                self._answers.append(self._call(client))
            except ConnectionError:
                self._end.wait(0.05)

    @property
    def answers(self):
        return list(self._answers)

    def statuses(self):
        return {answer.status for answer in self.answers}

    def count(self, status):
        return sum(answer.status == status for answer in self.answers)
