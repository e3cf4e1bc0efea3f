"""Coffer's envelopes, sealed and opened by OpenSSL's library and the formulas alone: nothing of Coffer is used here."""

import ctypes
import ctypes.util
import hashlib
import hmac
import os
import struct
import uuid

from support.keys import hkdf

CRYPTO = ctypes.CDLL(ctypes.util.find_library("crypto"))
for function in (
    "EVP_CIPHER_CTX_new",
    "EVP_MD_CTX_new",
    "EVP_PKEY_new_raw_private_key",
    "EVP_PKEY_new_raw_public_key",
    "EVP_aes_256_cbc",
    "EVP_aes_256_gcm",
):
    getattr(CRYPTO, function).restype = ctypes.c_void_p
GET_TAG, SET_TAG = 0x10, 0x11  # EVP_CTRL_AEAD_GET_TAG, EVP_CTRL_AEAD_SET_TAG
ED25519 = 1087  # EVP_PKEY_ED25519


class DoesNotOpen(Exception):
    pass


def _run(cipher, encrypts, key, iv, data, aad=b"", tag=None):
    """One pass of EVP; returns what comes out and, of AEAD encryption, the tag."""
    context = ctypes.c_void_p(CRYPTO.EVP_CIPHER_CTX_new())
    out, size = ctypes.create_string_buffer(len(data) + 32), ctypes.c_int()
    algorithm = ctypes.c_void_p(getattr(CRYPTO, cipher)())
    try:
        assert CRYPTO.EVP_CipherInit_ex(context, algorithm, None, key, iv, int(encrypts)) == 1
        if aad:
            assert CRYPTO.EVP_CipherUpdate(context, None, ctypes.byref(size), aad, len(aad)) == 1
        if tag is not None:
            assert CRYPTO.EVP_CIPHER_CTX_ctrl(context, SET_TAG, len(tag), tag) == 1
        assert CRYPTO.EVP_CipherUpdate(context, out, ctypes.byref(size), data, len(data)) == 1
        length = size.value
        if CRYPTO.EVP_CipherFinal_ex(context, ctypes.byref(out, length), ctypes.byref(size)) != 1:
            raise DoesNotOpen
        made = ctypes.create_string_buffer(16)
        if encrypts and cipher == "EVP_aes_256_gcm":
            assert CRYPTO.EVP_CIPHER_CTX_ctrl(context, GET_TAG, 16, made) == 1
        return out.raw[: length + size.value], made.raw
    finally:
        CRYPTO.EVP_CIPHER_CTX_free(context)


# AES-256-GCM: IV (12) || data || tag (16) -----------------------------------------------------------


def gcm_seal(key, aad, plain):
    iv = os.urandom(12)
    data, tag = _run("EVP_aes_256_gcm", True, key, iv, plain, aad)
    return iv + data + tag


def gcm_open(key, aad, sealed):
    return _run("EVP_aes_256_gcm", False, key, sealed[:12], sealed[12:-16], aad, sealed[-16:])[0]


def kek_aad(kek_id, project_id, root_id, key_id=None, rotation=None):
    """What a KEK of a project is bound to or, with a managed key, a rotation of it."""
    ids = uuid.UUID(str(kek_id)).bytes + uuid.UUID(str(project_id)).bytes
    key = uuid.UUID(str(key_id)).bytes if key_id else bytes(16)
    return b"coffer/kek2\0" + ids + key + struct.pack(">I", rotation or 0) + root_id.encode()


def pepper_aad(root_id):
    return b"coffer/pepper2\0" + root_id.encode()


def signer_aad(root_id):
    return b"coffer/signer\0" + root_id.encode()


def unbound_kek_aad(kek_id, project_id, root_id):
    """What earlier releases bound one to."""
    return (
        b"coffer/kek\0"
        + uuid.UUID(str(kek_id)).bytes
        + uuid.UUID(str(project_id)).bytes
        + root_id.encode()
    )


def unbound_pepper_aad(root_id):
    return b"coffer/pepper\0" + root_id.encode()


def wrap(root, label, aad, key):
    """A key under a root key: of kind coffer/kek, coffer/pepper or coffer/signer."""
    return gcm_seal(hkdf(root, label), aad, key)


def unwrap(root, label, aad, wrapped):
    return gcm_open(hkdf(root, label), aad, wrapped)


def encrypt(material, rotation, plain, associated_data=b""):
    """A ciphertext of a managed key."""
    return (
        b"\x01"
        + struct.pack(">I", rotation)
        + gcm_seal(hkdf(material, b"coffer/cipher"), associated_data, plain)
    )


def decrypt(material, ciphertext, associated_data=b""):
    return gcm_open(hkdf(material, b"coffer/cipher"), associated_data, ciphertext[5:])


# A256CBC-HS512: 01 || IV (16) || data || tag (32), under 32 bytes for the tag and 32 for AES --------


def place(kind, project_id, secret_id, revision, kek_id=None):
    """What a sealed value is bound to."""
    ids = uuid.UUID(str(project_id)).bytes + uuid.UUID(str(secret_id)).bytes
    kek = uuid.UUID(str(kek_id)).bytes if kek_id else bytes(16)
    return b"\x01coffer1\0" + kind + b"\0" + ids + struct.pack(">q", revision) + kek


def _tag(key, aad, body):
    return hmac.digest(key[:32], aad + body + struct.pack(">q", 8 * len(aad)), hashlib.sha512)[:32]


def seal(key, aad, plain):
    iv = os.urandom(16)
    body = iv + _run("EVP_aes_256_cbc", True, key[32:], iv, plain)[0]
    return b"\x01" + body + _tag(key, aad, body)


def open_sealed(key, aad, sealed):
    body, tag = sealed[1:-32], sealed[-32:]
    if sealed[:1] != b"\x01" or not hmac.compare_digest(tag, _tag(key, aad, body)):
        raise DoesNotOpen
    return _run("EVP_aes_256_cbc", False, key[32:], body[:16], body[16:])[0]


# Ed25519 --------------------------------------------------------------------------------------------


def public_key(seed):
    pair = ctypes.c_void_p(
        CRYPTO.EVP_PKEY_new_raw_private_key(ED25519, None, seed, ctypes.c_size_t(len(seed)))
    )
    public, size = ctypes.create_string_buffer(32), ctypes.c_size_t(32)
    assert CRYPTO.EVP_PKEY_get_raw_public_key(pair, public, ctypes.byref(size)) == 1
    CRYPTO.EVP_PKEY_free(pair)
    return public.raw


def verifies(public, data, signature):
    key = ctypes.c_void_p(
        CRYPTO.EVP_PKEY_new_raw_public_key(ED25519, None, public, ctypes.c_size_t(len(public)))
    )
    context = ctypes.c_void_p(CRYPTO.EVP_MD_CTX_new())
    assert CRYPTO.EVP_DigestVerifyInit(context, None, None, None, key) == 1
    sizes = ctypes.c_size_t(len(signature)), ctypes.c_size_t(len(data))
    result = CRYPTO.EVP_DigestVerify(context, signature, sizes[0], data, sizes[1])
    CRYPTO.EVP_MD_CTX_free(context)
    CRYPTO.EVP_PKEY_free(key)
    return result == 1
