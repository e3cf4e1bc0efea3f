"""A PostgreSQL that is broken, or is none: no answer of it makes the daemon stand still, fall, or say what is not so."""

import os
import time
import uuid

import pytest
from expected import assert_answer

from support import eventually, impostor
from support.client import Client
from support.daemon import Daemon
from support.impostor import (
    BOOL,
    BYTEA,
    COPY_BOTH,
    COPY_IN,
    COPY_OUT,
    INT2,
    INT4,
    INT8,
    TEXT,
    UUID,
    Impostor,
    call,
    error,
    number,
    rows,
)

MALFORMED = "an answer of PostgreSQL is malformed"
VIOLATION = "PostgreSQL breaks the protocol"
INTERNAL = 500, {"message": "internal error", "type": "internal"}
ZEROS = bytes(16)

# What the daemon asks by itself, with the types of what it must get.
ASKED = {
    "seal_begin": [INT8, BYTEA, TEXT],
    "audit_state": [
        INT8,
        INT8,
        INT4,
        INT8,
        INT8,
        INT8,
        TEXT,
        INT8,
        INT4,
        INT8,
        BYTEA,
        INT8,
        INT8,
        INT8,
    ],
    "run": [INT8],
    "wrapped_due": [UUID, UUID, TEXT, BYTEA, TEXT, UUID, INT4],
    "kek_due": [UUID, UUID, TEXT],
    "dek_due": [UUID, UUID, UUID, TEXT, BYTEA, UUID, TEXT, BYTEA, UUID, INT4, INT4],
    "key_rotate_due": [UUID, UUID, TEXT, INT4],
}
SIZES = {BOOL: 1, INT2: 2, INT4: 4, INT8: 8, UUID: 16, TEXT: 16, BYTEA: 60}


def values(types):
    return [bytes(SIZES[type]) if type != TEXT else b"0123456789abcdef" for type in types]


# Each makes of the right types an answer that is not right.
WRONG = {
    "NULL": lambda types: rows(types, [None] * len(types)),
    "of 15 bytes": lambda types: rows(types, [bytes(15)] * len(types)),
    "of another type": lambda types: rows([1184] * len(types), values(types)),
    "in text": lambda types: rows(types, values(types), format=0),
    "a column less": lambda types: rows(types[1:], values(types[1:])),
    "a column more": lambda types: rows([*types, TEXT], [*values(types), b""]),
    "very many rows": lambda types: rows(types, *[values(types)] * 5000),
}


@pytest.fixture(scope="module")
def server():
    with Impostor() as server:
        yield server


@pytest.fixture(scope="module")
def daemon(numbered, server, root_key_file):
    settings = {"pool_size": 4, "job_interval": 1, "check_interval": 1, "request_deadline": 2000}
    daemon = Daemon(numbered("daemon"), server, root_key_file, **settings)
    yield daemon
    daemon.stop()


@pytest.fixture
def client(server, daemon):
    yield Client(daemon.port, str(uuid.uuid4()))
    server.answers = {}
    eventually(daemon.ready)


def said(daemon, event, since):
    """The lines of the log with this event."""
    return [line for line in daemon.log_lines()[since:] if line["event"] == event]


def processor_time(daemon):
    """Seconds that it has used."""
    fields = open(f"/proc/{daemon.pid}/stat").read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@pytest.mark.parametrize("wrong", WRONG)
def test_what_the_daemon_asks_by_itself(server, daemon, client, wrong):
    since = len(daemon.log_lines())
    server.answers = {function: WRONG[wrong](types) for function, types in ASKED.items()}
    asked = {
        "seal_begin",
        "audit_state",
        "job_run",
        "wrapped_due",
        "kek_due",
        "dek_due",
        "key_rotate_due",
    }
    if wrong == "NULL":
        asked -= {"job_run"}  # which is null while another instance runs a job
    eventually(lambda: {line["statement"] for line in said(daemon, MALFORMED, since)} >= asked)
    assert client.get("/live", absolute=True).status == 200
    assert client.get("/secrets").status == 200
    # Nothing was made of it.
    assert [
        server.executed(function) for function in ("wrapped_keep", "dek_rewrap", "key_rotate")
    ] == [0, 0, 0]


@pytest.mark.parametrize(
    "keep, types", [("kek_replace", [INT8, INT8, BOOL]), ("seal_sign", [BOOL])]
)
def test_a_row_is_missing(server, daemon, client, root_key_file, keep, types):
    """In the answer of the function that keeps what the daemon has made."""
    since = len(daemon.log_lines())
    root_id = root_key_file.read_text().split()[0].encode()
    server.answers = {
        keep: rows(types),
        "kek_due": rows(ASKED["kek_due"], [ZEROS, ZEROS, root_id]),
        "seal_begin": rows(ASKED["seal_begin"], [number(1), bytes(32), None]),
        "signer_get": rows([TEXT, BYTEA]),
        "signer_keep": lambda parameters: rows([TEXT, BYTEA], parameters[1:]),
    }
    eventually(lambda: keep in {line["statement"] for line in said(daemon, MALFORMED, since)})
    assert client.get("/live", absolute=True).status == 200


@pytest.mark.parametrize("copy", [COPY_OUT, COPY_IN, COPY_BOTH], ids=["out", "in", "both"])
@pytest.mark.parametrize("function", ["audit_state", "secret_list", "hello", "session_faults"])
def test_a_copy_that_nobody_asked_for(server, daemon, client, function, copy):
    """The connection is given up, and the daemon does not ask for its result again and again."""
    since = len(daemon.log_lines())
    server.answers = {function: copy}
    if function == "secret_list":
        assert client.get("/secrets").status == 503
    eventually(lambda: said(daemon, VIOLATION, since))
    used = processor_time(daemon)
    assert client.get("/live", absolute=True).status == 200
    assert processor_time(daemon) - used < 0.5


def test_more_than_any_answer_is(server, daemon, client):
    """What libpq keeps until an answer is whole is bounded."""
    since = len(daemon.log_lines())
    row = rows([TEXT], [b"x" * (1 << 20)])
    head, data = row[: row.index(b"D\0")], row[row.index(b"D\0") : -14]
    server.answers = {"secret_list": head + data * 200}
    assert client.get("/secrets").status == 503
    eventually(
        lambda: (
            {line["fault"] for line in said(daemon, VIOLATION, since)} == {"an answer without end"}
        )
    )


@pytest.mark.parametrize("early", [b"", impostor.message(b"Z", b"I")])
def test_a_result_is_missing(server, daemon, client, early):
    since = len(daemon.log_lines())
    server.answers = {"secret_list": lambda _: early}
    assert client.get("/secrets").status == 503
    assert said(daemon, VIOLATION, since)


@pytest.mark.parametrize(
    "answer",
    [
        rows([INT2, TEXT, INT8, BYTEA]),
        call(200, "{}"),  # nobody is told what has no audit row
        call(200, "{}", 1, bytes(31)),
        call(99, "{}", 1, bytes(32)),
        call(600, "{}", 1, bytes(32)),
        call(-1, "{}", 1, bytes(32)),
        rows([INT2, TEXT, INT8, BYTEA], [None, b"{}", number(1), bytes(32)]),
        rows([INT2, TEXT, INT8, BYTEA], [number(200, 2), None, number(1), bytes(32)]),
        rows([INT4, TEXT, INT8, BYTEA], [number(200, 4), b"{}", number(1), bytes(32)]),
        *(
            call(0, challenge)
            for challenge in [
                "",
                "null",
                "[]",
                "1",
                "{",
                "{}",
                '{"need": 1}',
                '{"need": []}',
                '{"need": "key"}',
                '{"need": "key", "secret_id": 1, "project_id": [], "kek_id": {}}',
                '{"need": "kek", "project_id": null}',
                '{"need": "material"}',
                '{"need": "cipher"}',
                '{"need": "cipher", "keys": {}}',
                "[" * 100,
            ]
        ),
    ],
)
def test_a_call(server, daemon, client, answer):
    server.answers = {"secret_list": answer}
    assert_answer(client.get("/secrets"), *INTERNAL)


def test_a_change_that_was_made_and_is_not_told(server, daemon, client):
    """It is committed, whatever it was: nobody may say that it failed."""
    server.answers = {"secret_create": rows([INT2])}
    answer = client.post("/secrets", {"name": "a"})
    assert (answer.status, answer.body["message"]) == (
        503,
        "outcome is unknown, the change may have been made",
    )


@pytest.mark.parametrize("faults", [b"{}", b"1", b"null", b"", b"[", b"[1]", b"[null]"])
def test_faults_that_are_no_list(numbered, root_key_file, faults):
    with Impostor() as server:
        server.answers = {
            "hello": rows(
                [TEXT, TEXT, TEXT, BYTEA, TEXT, TEXT, INT8, BOOL],
                [b"1000", faults, *[None] * 5, b"\0"],
            )
        }
        daemon = Daemon(numbered("daemon"), server, root_key_file, ready=False)
        eventually(lambda: "its answer is malformed" in daemon.log)
        assert Client(daemon.port).get("/live", absolute=True).status == 200
        daemon.stop()


def test_a_daemon_ends_while_it_is_not_answered_well(numbered, root_key_file):
    """With its connections in all states, and with nothing left in memory, as a sanitized build finds."""
    with Impostor() as server:
        daemon = Daemon(numbered("daemon"), server, root_key_file, job_interval=1)
        server.answers = {
            "audit_state": COPY_BOTH,
            "run": COPY_OUT,
            "kek_due": error("XX000"),
            "seal_begin": b"",
        }
        eventually(lambda: VIOLATION in daemon.log)
        began = time.monotonic()
        daemon.stop()
        assert time.monotonic() - began < 10
