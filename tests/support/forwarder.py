"""A way to a server that can fall silent: what stands still neither answers nor refuses."""

import os
import signal
import socket
import subprocess
import sys
import threading

from support import SOURCE, eventually
from support.daemon import free_port


class Forwarder:
    """A process that forwards a port of its own to another; a context that ends it."""

    def __init__(self, port):
        self.port = free_port()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "support.forwarder", str(self.port), str(port)],
            env={**os.environ, "PYTHONPATH": str(SOURCE / "tests")},
        )

    def __enter__(self):
        eventually(self._listens)
        return self

    def __exit__(self, *_):
        self._process.kill()
        self._process.wait()

    def _listens(self):
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def fall_silent(self):
        """The system still takes connections and bytes for it: nobody is told anything."""
        self._process.send_signal(signal.SIGSTOP)

    def take_no_more(self):
        """It goes on with the connections it has, and is silent to new ones."""
        self._process.send_signal(signal.SIGUSR1)

    def go_on(self):
        self._process.send_signal(signal.SIGCONT)


def copy(source, target):
    try:
        while data := source.recv(65536):
            target.sendall(data)
    except OSError:
        pass
    for end in (source, target):
        try:
            end.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


class Enough(Exception):
    pass


def stop_taking(*_):
    raise Enough


def forward(port, to):
    signal.signal(signal.SIGUSR1, stop_taking)
    with socket.create_server(("127.0.0.1", port)) as listener:
        try:
            while True:
                client, _ = listener.accept()
                server = socket.create_connection(("127.0.0.1", to))
                for ends in ((client, server), (server, client)):
                    threading.Thread(target=copy, args=ends, daemon=True).start()
        except Enough:
            threading.Event().wait()


if __name__ == "__main__":
    forward(int(sys.argv[1]), int(sys.argv[2]))
