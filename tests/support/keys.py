"""The keys that a daemon derives, derived again, to be looked for where they must not be."""

import base64
import hashlib
import hmac
import subprocess
import uuid
from pathlib import Path


def root_key(file):
    """The active key of a root key file."""
    return base64.b64decode(Path(file).read_text().split()[1])


def root_key_id(file):
    """The name of the active key of a root key file."""
    return Path(file).read_text().split()[0]


def decipher(cipher, key, iv, data):
    """Decipher with the openssl command, which shows the key to this machine: for tests only."""
    return subprocess.run(
        ["openssl", "enc", "-d", f"-{cipher}", "-K", key.hex(), "-iv", iv.hex()],
        input=data,
        stdout=subprocess.PIPE,
        check=True,
    ).stdout


def hkdf(key, info):
    """HKDF-SHA256 without a salt, 32 bytes."""
    extracted = hmac.digest(bytes(32), key, hashlib.sha256)
    return hmac.digest(extracted, info + b"\x01", hashlib.sha256)


def unwrap(root, label, wrapped):
    """What AES-256-GCM wrapped; its tag is not checked, as what comes out is."""
    nonce, ciphertext = wrapped[:12], wrapped[12:-16]
    return decipher("aes-256-ctr", hkdf(root, label), nonce + bytes([0, 0, 0, 2]), ciphertext)


def decrypt(cipher_key, ciphertext):
    """The plaintext of a ciphertext of a managed key; its tag is not checked."""
    nonce, data = ciphertext[5:17], ciphertext[17:-16]
    return decipher("aes-256-ctr", cipher_key, nonce + bytes([0, 0, 0, 2]), data)


def public_key(seed):
    """Of an Ed25519 key."""
    pkcs8 = bytes.fromhex("302e020100300506032b657004220420") + seed
    command = ["openssl", "pkey", "-inform", "DER", "-pubout", "-outform", "DER"]
    return subprocess.run(command, input=pkcs8, stdout=subprocess.PIPE, check=True).stdout[-32:]


def digest(pepper, secret_key):
    """What the database keeps of a secret key."""
    return hmac.digest(pepper, secret_key.encode(), hashlib.sha256)


def access_key(kek, project_id, secret_id):
    """The key of a secret, which is the only one that the database is handed."""
    message = b"coffer/ak\x00" + uuid.UUID(project_id).bytes + uuid.UUID(secret_id).bytes
    return hmac.digest(kek, message, hashlib.sha512)


def open_sealed(key, sealed):
    """What was sealed under a key of 64 bytes; its tag is not checked."""
    return decipher("aes-256-cbc", key[32:], sealed[1:17], sealed[17:-32])
