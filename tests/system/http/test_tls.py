"""TLS, client certificates, and a certificate that is exchanged while the daemon serves."""

import http.client
import signal
import socket
import ssl
import subprocess
import threading
import time

import pytest

from support import eventually
from support.daemon import Daemon


class Authority:
    """A certificate authority in a directory, by the openssl command."""

    def __init__(self, directory, name):
        self.directory = directory
        self.name = name
        self.file = directory / f"{name}.pem"
        self._key = directory / f"{name}.key"
        self._openssl(
            "req", "-x509", "-subj", f"/CN={name}", "-addext", "keyUsage=critical,keyCertSign",
            "-keyout", self._key, "-out", self.file,
        )  # fmt: skip
        self.client = self.issue("client")

    def issue(self, name):
        """Issue a certificate for 127.0.0.1; return its file and that of its key."""
        certificate, key = self.directory / f"{name}.pem", self.directory / f"{name}.key"
        self._openssl(
            "req", "-x509", "-CA", self.file, "-CAkey", self._key, "-subj", f"/CN={name}",
            "-addext", "subjectAltName=IP:127.0.0.1",
            "-addext", "basicConstraints=critical,CA:FALSE",
            "-keyout", key, "-out", certificate,
        )  # fmt: skip
        return certificate, key

    @staticmethod
    def _openssl(*arguments):
        curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
        subprocess.run(["openssl", *arguments, *curve], check=True, capture_output=True)


@pytest.fixture(scope="module")
def authority(numbered):
    directory = numbered("authority")
    directory.mkdir()
    return Authority(directory, "authority")


def context_for(authority, certificate=None):
    context = ssl.create_default_context(cafile=authority.file)
    if certificate is not None:
        context.load_cert_chain(*certificate)
    return context


def connect(daemon, context):
    connection = http.client.HTTPSConnection("127.0.0.1", daemon.port, timeout=30, context=context)
    connection.connect()
    return connection


def ask(connection, path="/metadata", headers=None):
    connection.request("GET", path, headers=headers or {})
    response = connection.getresponse()
    response.read()
    return response.status


def name_of(connection):
    """The name that the server's certificate on this connection has."""
    return dict(pair for (pair,) in connection.sock.getpeercert()["subject"])["commonName"]


@pytest.fixture(scope="module")
def start(numbered, service, root_key_file, authority):
    """Start a daemon that has a certificate of this name, and other settings."""
    daemons = []

    def start(name, **settings):
        certificate, key = authority.issue(name)
        settings |= {"tls_certificate": certificate, "tls_key": key}
        daemon = Daemon(
            numbered("daemon"), service.database, root_key_file, ready=False, **settings
        )
        daemons.append(daemon)
        eventually(lambda: daemon.process.poll() is not None or daemon.listens())
        assert daemon.process.poll() is None, daemon.log
        context = context_for(authority, authority.client)
        eventually(lambda: ask(connect(daemon, context), "/ready") == 200)
        return daemon

    yield start
    for daemon in daemons:
        daemon.stop()


@pytest.fixture(scope="module")
def encrypted(start):
    return start("server")


@pytest.fixture(scope="module")
def impatient(start):
    return start("impatient", header_timeout=1)


@pytest.fixture(scope="module")
def mutual(start, authority):
    return start("mutual", tls_client_ca=authority.file)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_versions(encrypted, authority, tenant, version):
    context = context_for(authority)
    context.minimum_version = context.maximum_version = version
    connection = connect(encrypted, context)
    assert connection.sock.version() == version.name.replace("_", ".")
    client = tenant.client()
    token = {"X-Auth-Token": client.secret_key}
    assert [ask(connection, client.path("/tags"), token) for _ in range(3)] == [200] * 3
    connection.close()


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_old_versions_are_refused(encrypted, authority, version):
    context = context_for(authority)
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = context.maximum_version = version
    with pytest.raises((ssl.SSLError, ConnectionError)):
        connect(encrypted, context)
    assert ask(connect(encrypted, context_for(authority))) == 200


def test_large_answers_and_requests(encrypted, authority, tenant):
    client = tenant.client()
    secret_id = client.create_secret(name="s")["id"]
    client.create_version(secret_id, bytes(65536))
    connection = connect(encrypted, context_for(authority))
    connection.request(
        "PATCH",
        client.path(f"/secrets/{secret_id}"),
        f'{{"description":"{"x" * 65535}"}}',
        {"X-Auth-Token": client.secret_key},
    )
    response = connection.getresponse()
    assert response.status == 200 and len(response.read()) > 65535
    connection.request(
        "GET",
        client.path(f"/secrets/{secret_id}/versions/1/access"),
        headers={"X-Auth-Token": client.secret_key},
    )
    response = connection.getresponse()
    assert response.status == 200 and len(response.read()) > 87000


def test_pipelined_requests(encrypted, authority):
    with socket.create_connection(("127.0.0.1", encrypted.port), 30) as plain:
        with context_for(authority).wrap_socket(plain, server_hostname="127.0.0.1") as connection:
            get = b"GET /metadata HTTP/1.1\r\nHost: x\r\n"
            connection.sendall((get + b"\r\n") * 50 + get + b"Connection: close\r\n\r\n")
            received = b""
            while chunk := connection.recv(65536):
                received += chunk
    assert received.count(b"HTTP/1.1 200 ") == 51


def test_faulty_request(encrypted, authority):
    with socket.create_connection(("127.0.0.1", encrypted.port), 30) as plain:
        with context_for(authority).wrap_socket(plain, server_hostname="127.0.0.1") as connection:
            connection.sendall(b"GET /metadata HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n")
            assert connection.recv(65536).startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize(
    "sent",
    [b"", b"\x16", b"\x16\x03\x01\x02\x00\x01", b"GET /metadata HTTP/1.1\r\nHost: x\r\n\r\n"],
)
def test_handshake_that_is_none(impatient, sent):
    """It has the time of a head."""
    with socket.create_connection(("127.0.0.1", impatient.port), 30) as connection:
        connection.sendall(sent)
        try:
            while connection.recv(65536):
                pass
        except ConnectionResetError:
            pass


def test_connection_that_has_shaken_hands_is_idle(impatient, authority):
    connection = connect(impatient, context_for(authority))
    time.sleep(2)
    assert ask(connection) == 200


def test_client_certificate_is_required(mutual, authority, numbered):
    connection = connect(mutual, context_for(authority, authority.client))
    assert ask(connection) == 200
    (directory := numbered("authority")).mkdir()
    for certificate in (None, Authority(directory, "stranger").client):
        # With TLS 1.3 the client has shaken hands before it is refused.
        with pytest.raises((ssl.SSLError, ConnectionError, http.client.BadStatusLine)):
            ask(connect(mutual, context_for(authority, certificate)))
    assert ask(connection) == 200


def test_certificate_is_exchanged_under_load(start, authority, tenant):
    """New connections get the new one, those there keep the old one, and no request fails."""
    daemon = start("changing")
    context, client = context_for(authority), tenant.client()
    path, token = client.path("/tags"), {"X-Auth-Token": client.secret_key}
    before, ended, statuses = connect(daemon, context), threading.Event(), []

    def load(keep):
        connection = connect(daemon, context)
        while not ended.is_set():
            if not keep:
                connection.close()
                connection = connect(daemon, context)
            statuses.append(ask(connection, path, token))

    threads = [threading.Thread(target=load, args=[number % 2]) for number in range(4)]
    for thread in threads:
        thread.start()
    for _ in range(10):
        reloaded = daemon.log.count("certificate reloaded")
        daemon.process.send_signal(signal.SIGHUP)
        eventually(lambda: daemon.log.count("certificate reloaded") > reloaded)
    replaced = authority.issue("changed")
    daemon.settings["tls_certificate"].write_bytes(replaced[0].read_bytes())
    daemon.settings["tls_key"].write_bytes(replaced[1].read_bytes())
    assert name_of(connect(daemon, context)) == "changing"
    daemon.process.send_signal(signal.SIGHUP)
    eventually(lambda: name_of(connect(daemon, context)) == "changed")
    assert (name_of(before), ask(before, path, token)) == ("changing", 200)
    served = len(statuses)
    eventually(lambda: len(statuses) > served + 10)
    ended.set()
    for thread in threads:
        thread.join()
    assert set(statuses) == {200}


@pytest.mark.parametrize("fault", ["no certificate", "another's key", "no file"])
def test_bad_new_certificate_keeps_the_old_one(start, authority, fault):
    daemon = start("kept")
    if fault == "no certificate":
        daemon.settings["tls_certificate"].write_text("x")
    elif fault == "no file":
        daemon.settings["tls_key"].unlink()
    else:
        daemon.settings["tls_key"].write_bytes(authority.issue("other")[1].read_bytes())
    daemon.process.send_signal(signal.SIGHUP)
    eventually(lambda: "unable to reload" in daemon.log)
    assert name_of(connect(daemon, context_for(authority))) == "kept"


@pytest.mark.parametrize(
    "settings, cause",
    [
        ({"tls_certificate": "server.pem"}, "belong together"),
        ({"tls_client_ca": "authority.pem"}, "belong together"),
        ({"tls_certificate": "server.key", "tls_key": "server.key"}, "tls_certificate: "),
        ({"tls_certificate": "server.pem", "tls_key": "authority.key"}, "tls_key: "),
        (
            {"tls_certificate": "server.pem", "tls_key": "server.key", "tls_client_ca": "none"},
            "tls_client_ca: ",
        ),
    ],
)  # fmt: skip
def test_bad_settings_stop_the_start(
    numbered, service, root_key_file, authority, encrypted, settings, cause
):
    files = {name: authority.directory / file for name, file in settings.items()}
    daemon = Daemon(numbered("daemon"), service.database, root_key_file, ready=False, **files)
    assert daemon.wait() == 2
    assert cause in daemon.log and "BEGIN" not in daemon.log


def test_http_is_the_default_and_has_no_certificate_to_reload(service):
    service.process.send_signal(signal.SIGHUP)
    eventually(lambda: "root keys loaded" in service.log)
    assert "certificate" not in service.log
    assert service.ready()
