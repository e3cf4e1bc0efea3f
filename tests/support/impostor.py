"""A server that speaks PostgreSQL's protocol and answers what a test wants: more than any PostgreSQL would."""

import re
import socket
import struct
import threading
import time

from support.daemon import free_port

BOOL, BYTEA, INT8, INT2, INT4, TEXT, VOID, UUID = 16, 17, 20, 21, 23, 25, 2278, 2950


def message(kind, content=b""):
    return kind + struct.pack("!i", len(content) + 4) + content


def text(value):
    return value.encode() + b"\0"


def number(value, size=8):
    return value.to_bytes(size, "big", signed=True)


def error(sqlstate):
    """An error of a statement, as PostgreSQL sends it."""
    fields = {"S": "ERROR", "V": "ERROR", "C": sqlstate, "M": "refused"}
    return message(
        b"E", b"".join(key.encode() + text(value) for key, value in fields.items()) + b"\0"
    )


COPY_OUT = message(b"H", b"\0" + struct.pack("!h", 0))
COPY_IN = message(b"G", b"\0" + struct.pack("!h", 0))
COPY_BOTH = message(b"W", b"\0" + struct.pack("!h", 0))


def rows(types, *values, format=1):
    """Rows of columns of these types; a value is bytes or None."""
    columns = b"".join(
        text("c") + struct.pack("!ihihih", 0, 0, type, -1, -1, format) for type in types
    )
    parts = [message(b"T", struct.pack("!h", len(types)) + columns)]
    for row in values:
        cells = (
            struct.pack("!i", -1) if cell is None else struct.pack("!i", len(cell)) + cell
            for cell in row
        )
        parts.append(message(b"D", struct.pack("!h", len(row)) + b"".join(cells)))
    return b"".join([*parts, message(b"C", text(f"SELECT {len(values)}"))])


def call(status, body, receipt=None, hash=None):
    """What an API function gives."""
    return rows(
        [INT2, TEXT, INT8, BYTEA],
        [number(status, 2), body.encode(), receipt and number(receipt), hash],
    )


# What a database that is as it must be, and has nothing in it, gives to a daemon.
SOUND = {
    "pg_advisory_xact_lock_shared": lambda parameters: rows([VOID], [b""]),
    "hello": lambda parameters: rows(
        [TEXT, TEXT, TEXT, BYTEA, TEXT, TEXT, INT8, BOOL],
        [b"1000", b"[]", *[None] * 4, number(1), b"\0"],
    ),
    "pepper_keep": lambda parameters: rows([TEXT, BYTEA], parameters),
    "session_faults": lambda parameters: rows([TEXT], [b"[]"]),
    "seal_begin": lambda parameters: rows([INT8, BYTEA, TEXT]),
    "anchor_begin": lambda parameters: rows([INT8, BYTEA, TEXT, BYTEA, INT4]),
    "audit_state": lambda parameters: rows(
        [INT8, INT8, INT4, INT8, INT8, INT8, TEXT, INT8, INT4, INT8, BYTEA, INT8, INT8, INT8],
        [
            number(0),
            number(0),
            number(3, 4),
            *[number(0)] * 3,
            b"{}",
            number(0),
            *[None] * 5,
            number(int(time.time())),
        ],
    ),
    "list": lambda parameters: rows([TEXT], [b"version_expire"]),
    "audit_probe": lambda parameters: rows([BOOL], [b"\1"]),
    "run": lambda parameters: rows([INT8], [number(0)]),
    "unbound_due": lambda parameters: rows([UUID, UUID, TEXT, BYTEA, TEXT, UUID, INT4]),
    "wrapped_due": lambda parameters: rows([UUID, UUID, TEXT, BYTEA, TEXT, UUID, INT4]),
    "kek_due": lambda parameters: rows([UUID, UUID, TEXT]),
    "dek_due": lambda parameters: rows(
        [UUID, UUID, UUID, TEXT, BYTEA, UUID, TEXT, BYTEA, UUID, INT4, INT4]
    ),
    "kek_replace": lambda parameters: rows([INT8, INT8, BOOL], [number(0), number(0), b"\0"]),
    "seal_sign": lambda parameters: rows([BOOL], [b"\1"]),
    "key_rotate_due": lambda parameters: rows([UUID, UUID, TEXT, INT4]),
    "secret_list": lambda parameters: call(200, "{}", 1, bytes(32)),
}


class Impostor:
    """A context. answers is what it gives: {function: bytes, or a callable that takes the parameters}; else as SOUND.

    seen is each message that came, in order: (connection, kind, what), where what is the SQL of a Parse and the
    function of an Execute.
    """

    def __init__(self):
        self.port = free_port()
        self.answers = {}
        self.seen = []
        self._listener = socket.create_server(("127.0.0.1", self.port))

    def __enter__(self):
        threading.Thread(target=self._listen, daemon=True).start()
        return self

    def __exit__(self, *_):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def dsn(self, role):
        return f"host=127.0.0.1 port={self.port} user={role} dbname=coffer sslmode=disable gssencmode=disable"

    def executed(self, function):
        """How often a function was called."""
        return sum(kind == "E" and what == function for _, kind, what in self.seen)

    def _listen(self):
        try:
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()
        except OSError:
            pass

    def _serve(self, client):
        try:
            with client:
                Conversation(self, client).run()
        except (OSError, EOFError, struct.error):
            pass

    def answer(self, function, parameters):
        given = self.answers.get(function) or SOUND[function]
        return given if isinstance(given, bytes) else given(parameters)


class Conversation:
    """One connection."""

    def __init__(self, impostor, client):
        self._impostor = impostor
        self._client = client
        self._input = client.makefile("rb")
        self._statements = {}

    def _read(self, size):
        data = self._input.read(size)
        if len(data) < size:
            raise EOFError
        return data

    def run(self):
        self._read(struct.unpack("!i", self._read(4))[0] - 4)
        self._client.sendall(
            message(b"R", struct.pack("!i", 0))
            + b"".join(
                message(b"S", text(name) + text(value))
                for name, value in [
                    ("server_version", "15.0"),
                    ("in_hot_standby", "off"),
                    ("client_encoding", "UTF8"),
                ]
            )
            + message(b"K", bytes(8))
            + message(b"Z", b"I")
        )
        while True:
            kind, size = struct.unpack("!ci", self._read(5))
            content = self._read(size - 4)
            if kind == b"X":
                return
            self._take(kind, content)

    def _note(self, kind, what):
        self._impostor.seen.append((self, kind, what))

    def _take(self, kind, content):
        if kind == b"P":
            name, sql, _ = content.split(b"\0", 2)
            self._statements[name] = sql.decode()
            self._note("P", sql.decode())
            self._client.sendall(message(b"1"))
        elif kind == b"B":
            self._bind(content)
            self._client.sendall(message(b"2"))
        elif kind == b"E":
            self._note("E", self._function)
            self._client.sendall(self._answer())
        elif kind == b"S":
            self._note("S", None)
            self._client.sendall(message(b"Z", b"I"))

    def _bind(self, content):
        _, name, rest = content.split(b"\0", 2)
        (formats,) = struct.unpack_from("!h", rest)
        at = 2 + 2 * formats
        (count,) = struct.unpack_from("!h", rest, at)
        at += 2
        self._parameters = []
        for _ in range(count):
            (size,) = struct.unpack_from("!i", rest, at)
            at += 4
            self._parameters.append(None if size < 0 else rest[at : at + size])
            at += max(size, 0)
        sql = self._statements[name]
        patterns = r"FROM (?:daemon|api)\.(\w+)\(", r"(?:daemon|job)\.(\w+)\(", r"(\w+)\(", r"(.*)"
        self._function = next(
            found[1] for pattern in patterns if (found := re.search(pattern, sql))
        )

    def _answer(self):
        # A description comes with the rows: libpq asks for it before it executes.
        if self._function in ("DEALLOCATE ALL", "BEGIN", "COMMIT"):
            return message(b"n") + message(b"C", text(self._function))
        if self._function.startswith("SELECT $1"):
            return rows([BYTEA], self._parameters)
        return self._impostor.answer(self._function, self._parameters)
