"""The search for secrets where they must not be: in every form in which PostgreSQL, or a program of ours, could write them.

A secret is looked for in pieces, as what leaks may be cut off or broken into lines. A piece of bytes is 8 long,
one of text 16: none is found by chance.
"""

import base64
import os
import re
import subprocess
import tempfile
import threading
from itertools import product
from pathlib import Path

# Forms -----------------------------------------------------------------------------------------


def in_base64(piece, offset, altchars=None):
    """The part of its base64 that depends on nothing else, behind so many bytes in a group of three."""
    encoded = base64.b64encode(bytes(offset) + piece, altchars)
    first = -(-offset * 8 // 6)
    last = (offset + len(piece)) * 8 // 6
    return encoded[first:last]


def in_decimal(piece, between, signed=False):
    """A list of numbers; debug_print_* shows a constant as signed ones."""
    return between.join(
        str(byte - 256 if signed and byte > 127 else byte) for byte in piece
    ).encode()


def in_escape(piece, printable):
    r"""As bytea_output = escape has it, or encode(, 'escape'): \nnn for what is not printable."""
    return b"".join(
        rb"\\" if byte == 92 else bytes([byte]) if printable(byte) else b"\\%03o" % byte
        for byte in piece
    )


FORMS = {
    "bytes": bytes,
    "hex": lambda piece: piece.hex().encode(),
    "HEX": lambda piece: piece.hex().upper().encode(),
    **{f"base64+{n}": lambda piece, n=n: in_base64(piece, n) for n in range(3)},
    **{f"base64url+{n}": lambda piece, n=n: in_base64(piece, n, b"-_") for n in range(3)},
    "decimal": lambda piece: in_decimal(piece, " ", signed=True),
    **{
        f"decimal '{between}'": lambda piece, between=between: in_decimal(piece, between)
        for between in (" ", ",", ", ")
    },
    "octal": lambda piece: in_escape(piece, lambda byte: False),
    "escape": lambda piece: in_escape(piece, lambda byte: 32 <= byte < 127),
    "escape, high": lambda piece: in_escape(piece, lambda byte: 0 < byte < 128),
}
# A text that holds one of these forms may be shown in one of those.
TWICE = list(product(["hex", "base64+0", "base64+1", "base64+2"], ["hex", "base64+0", "decimal"]))


def pieces(secret, size):
    """What each part of a secret that is twice as long has one of; a short secret is its own."""
    if len(secret) <= size:
        return [secret]
    starts = [*range(0, len(secret) - size, size), len(secret) - size]
    return [secret[start : start + size] for start in starts]


def patterns(secret):
    """Each way to see a piece of it, with the name of its form."""
    text = secret.isascii() and secret.decode().isprintable()
    for form, show in FORMS.items():
        # Numbers fill a line soon, so that all longer pieces might be broken.
        size = 16 if text and not form.startswith("decimal") else 8
        for piece in pieces(secret, size):
            yield show(piece), form
    for piece in pieces(secret, 16 if text else 8):
        for inner, outer in TWICE:
            yield FORMS[outer](FORMS[inner](piece)), f"{inner} in {outer}"


# Search ----------------------------------------------------------------------------------------


class Search:
    """Looks for secrets, {name: bytes}, in contents, pairs of where and bytes."""

    # A line feed ends a pattern of grep: here it is another byte, in patterns and contents.
    _ONE_LINE = bytes.maketrans(b"\n", b"\1")

    def __init__(self, secrets):
        self._patterns = {}
        for name, secret in secrets.items():
            for pattern, form in patterns(secret):
                self._patterns.setdefault(pattern.translate(self._ONE_LINE), (name, form))

    def find(self, contents):
        """Which were found in which form, and where: {(name, form, where)}."""
        with tempfile.NamedTemporaryFile() as patterns:
            patterns.write(b"\n".join(self._patterns))
            patterns.flush()
            grep = subprocess.Popen(
                [
                    "grep",
                    "--text",
                    "--only-matching",
                    "--line-number",
                    "--fixed-strings",
                    "--file",
                    patterns.name,
                ],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env={**os.environ, "LC_ALL": "C"},
            )
            places = []
            feeder = threading.Thread(target=self._feed, args=(grep.stdin, contents, places))
            feeder.start()
            found = {self._read(line, places) for line in grep.stdout}
            feeder.join()
            assert grep.wait() == (0 if found else 1)
        return found

    def _feed(self, stream, contents, places):
        """Each content is a line."""
        with stream:
            for where, content in contents:
                places.append(where)
                stream.write(content.translate(self._ONE_LINE) + b"\n")

    def _read(self, line, places):
        number, _, match = line.rstrip(b"\n").partition(b":")
        return (*self._patterns[match], places[int(number) - 1])


# Where -------------------------------------------------------------------------------------------


def files(*directories):
    """The contents of all files below, as they are at this moment."""
    for directory in directories:
        for file in sorted(path for path in Path(directory).rglob("*") if path.is_file()):
            try:
                yield file, file.read_bytes()
            except FileNotFoundError:
                pass  # PostgreSQL has just removed it


class Log:
    """What PostgreSQL has logged since forget(): as it stands, and lists of numbers, whose lines it breaks, in one line."""

    def __init__(self, cluster):
        self._directory = cluster.logs
        self._sizes = {}

    def forget(self):
        self._sizes = {file: file.stat().st_size for file in self._directory.iterdir()}

    def text(self):
        return b"".join(
            content[self._sizes.get(file, 0) :] for file, content in files(self._directory)
        )

    def __iter__(self):
        text = self.text()
        lists = b"".join(re.findall(rb"\[[-0-9\s]+\]", text))
        yield "server log", text
        yield "server log", lists.replace(b"\n\t", b" ")
        yield "server log", re.sub(rb"\n\t *", b"", lists)  # broken anywhere, and indented


# PostgreSQL that tells all it can ----------------------------------------------------------------

# What a postgresql.conf can say to have it told.
VERBOSE = {
    "log_statement": "all",
    "log_duration": "on",
    "log_min_duration_statement": "0",
    "log_min_duration_sample": "0",
    "log_statement_sample_rate": "1",
    "log_transaction_sample_rate": "1",
    "log_parameter_max_length": "-1",
    "log_parameter_max_length_on_error": "-1",
    "log_min_messages": "debug5",
    "log_min_error_statement": "debug5",
    "log_error_verbosity": "verbose",
    "log_lock_waits": "on",
    "log_connections": "on",
    "log_disconnections": "on",
    "log_temp_files": "0",
    "log_replication_commands": "on",
    "debug_print_parse": "on",
    "debug_print_rewritten": "on",
    "debug_print_plan": "on",
    "debug_pretty_print": "off",
    "plan_cache_mode": "force_custom_plan",
    "track_functions": "all",
    "track_activity_query_size": "1MB",
    "work_mem": "64kB",
    "full_page_writes": "on",
    "wal_level": "logical",
    "wal_keep_size": "1GB",
    "autovacuum": "off",
    "deadlock_timeout": "100ms",
}
MODULES = {
    "auto_explain": {
        "auto_explain.log_min_duration": "0",
        "auto_explain.log_level": "log",
        "auto_explain.log_nested_statements": "on",
        "auto_explain.log_analyze": "on",
        "auto_explain.log_buffers": "on",
        "auto_explain.log_wal": "on",
        "auto_explain.log_verbose": "on",
        "auto_explain.log_triggers": "on",
        "auto_explain.log_settings": "on",
    },
    "pg_stat_statements": {
        "pg_stat_statements.track": "all",
        "pg_stat_statements.track_utility": "on",
        "pg_stat_statements.save": "on",
    },
    "pgaudit": {
        "pgaudit.log": "all",
        "pgaudit.log_parameter": "on",
        "pgaudit.log_parameter_max_size": "0",
        "pgaudit.log_relation": "on",
        "pgaudit.log_rows": "on",
        "pgaudit.log_statement": "on",
        "pgaudit.log_level": "log",
    },
}
# The role of the daemon turns more off than it must: in a test it has only what the daemon insists on.
BELT_AND_BRACES = {
    "debug_print_parse": "on",
    "debug_print_rewritten": "on",
    "debug_print_plan": "on",
    "log_min_duration_sample": "0",
    "log_transaction_sample_rate": "1",
    "auto_explain.log_min_duration": "0",
    "pgaudit.log": "all",
}


def configure(cluster, **settings):
    """Restart a cluster with the modules that tell of statements, and with settings of a postgresql.conf; it keeps its WAL."""
    always = {"shared_preload_libraries": ",".join(MODULES), "wal_keep_size": "8GB"}
    with cluster.data.joinpath("postgresql.conf").open("a") as file:
        file.writelines(f"{name} = '{value}'\n" for name, value in {**settings, **always}.items())
    cluster.restart()


def let_speak(cluster, **settings):
    """Restart a cluster so that it logs all that a postgresql.conf can make it log."""
    modules = {name: value for module in MODULES.values() for name, value in module.items()}
    configure(cluster, **{**VERBOSE, **modules, **settings})


def set_for_daemon(database, **settings):
    """Give the role of the daemon settings in one database, which win over those of install.sql."""
    for name, value in settings.items():
        database.query(f"ALTER ROLE coffer_api IN DATABASE {database.name} SET {name} = '{value}'")


def loosen(database, **settings):
    """Undo, for one database, settings of the daemon's role that the daemon does not insist on, and more."""
    set_for_daemon(database, **BELT_AND_BRACES, **settings)
    database.query("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")
