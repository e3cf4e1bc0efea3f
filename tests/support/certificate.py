"""Certificates that no authority has signed."""

import subprocess


def certificate(directory, name):
    """Make a key and a certificate for 127.0.0.1 that vouches for itself; return their paths."""
    directory.mkdir(exist_ok=True)
    key, made = directory / f"{name}.key", directory / f"{name}.crt"
    subprocess.run(
        [
            "openssl",
            "req",
            "-x509",
            "-nodes",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
        ]
        + ["-days", "2", "-subj", "/CN=server", "-addext", "subjectAltName=IP:127.0.0.1"]
        + ["-addext", "keyUsage=critical,keyCertSign,digitalSignature"]
        + ["-keyout", key, "-out", made],
        check=True,
        capture_output=True,
    )
    return key, made
