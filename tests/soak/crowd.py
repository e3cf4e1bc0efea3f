"""Clients that send all kinds of requests, several at once, and sometimes leave in between."""

import base64
import random
import socket
import struct
import threading
import time
import uuid

from support.load import together


class Client:
    def __init__(self, daemon, tenant, seed):
        self.daemon = daemon
        self.random = random.Random(seed)
        self.answered = 0
        client = tenant.client(daemon)
        secret_id = client.create_secret(name=f"s{seed}")["id"]
        client.create_version(secret_id, bytes(4096))
        self.path = client.path(f"/secrets/{secret_id}")
        self.token = client.secret_key
        self.connection = None

    def request(self, method, path, body="", token=None, header=""):
        token = f"X-Auth-Token: {token or self.token}\r\n"
        head = f"{method} {path} HTTP/1.1\r\nHost: x\r\n{token}{header}"
        return f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode()

    def any_request(self):
        kind = self.random.randrange(20)
        if kind < 10:
            return self.request("GET", f"{self.path}/versions/latest/access")
        if kind < 12:
            return self.request("GET", self.path)
        if kind == 12:
            return self.request("GET", f"{self.path}/versions?page_size=5")
        if kind == 13:
            return self.request(
                "PATCH", self.path, f'{{"description":"{"x" * self.random.randrange(9000)}"}}'
            )
        if kind == 14:
            data = base64.b64encode(self.random.randbytes(100)).decode()
            return self.request("POST", f"{self.path}/versions", f'{{"data":"{data}"}}')
        if kind == 15:
            return self.request("GET", self.path, token=str(uuid.uuid4()))
        if kind == 16:
            return self.request("POST", self.path, '{"broken":')
        if kind == 17:
            return self.request("GET", f"/{uuid.uuid4()}/{'x' * self.random.randrange(1000)}")
        if kind == 18:
            return self.request("PUT", self.path, "x" * self.random.randrange(50_000))
        return self.request("GET", "/metadata")

    def turn(self):
        """Some requests and their answers; or a fault at the end, or nobody to take them."""
        if self.connection is None:
            self.connection = socket.create_connection(("127.0.0.1", self.daemon.port), 60)
        count = self.random.randrange(1, 20)
        sent = b"".join(self.any_request() for _ in range(count))
        end = self.random.randrange(20)
        if end == 0:
            self.connection.sendall(sent[: self.random.randrange(len(sent))])
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        elif end == 1:
            self.connection.sendall(sent + self.request("GET", "/", header="Host: y\r\n"))
        else:
            self.connection.sendall(sent + self.request("GET", "/live"))
        received = b""
        while (
            end > 0
            and b'{"status":"live"}' not in received[-200:]
            and (chunk := self.connection.recv(65536))
        ):
            received += chunk
        self.answered += received.count(b"HTTP/1.1 ")
        if end < 2:
            self.connection.close()
            self.connection = None

    def close(self):
        if self.connection is not None:
            self.connection.close()


def soak(daemon, tenant, enough, watch):
    """Let eight clients call until it is enough; meanwhile watch."""
    clients = [Client(daemon, tenant, seed) for seed in range(8)]
    ended = threading.Event()

    def run(client):
        while not ended.is_set():
            client.turn()
        client.close()

    def end():
        while not enough(sum(client.answered for client in clients)):
            watch()
            time.sleep(1)
        ended.set()

    together([*(lambda client=client: run(client) for client in clients), end])
    return sum(client.answered for client in clients)
