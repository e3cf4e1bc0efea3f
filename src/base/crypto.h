/*
 * The few primitives of OpenSSL that keys are made and kept with.  A primitive
 * that fails although its inputs are right ends the process: there is no safe
 * way on without it.
 */
#ifndef COFFER_CRYPTO_H
#define COFFER_CRYPTO_H

#include <stdbool.h>
#include <stddef.h>

#define CRYPTO_KEY_SIZE 32
#define CRYPTO_SHA256_SIZE 32
#define CRYPTO_SHA512_SIZE 64
#define CRYPTO_SIGNATURE_SIZE 64
#define CRYPTO_PUBLIC_ID_SIZE 17 /* 16 hex digits and NUL */
/* What is sealed has a nonce of 12 before it, and a tag of 16 after it. */
#define CRYPTO_OVERHEAD 28
#define CRYPTO_SEALED_SIZE (CRYPTO_KEY_SIZE + CRYPTO_OVERHEAD) /* a key */

void crypto_random(void *out, size_t size);

void crypto_sha256(
    const void *data, size_t size, unsigned char out[CRYPTO_SHA256_SIZE]);
void crypto_hmac_sha256(const unsigned char key[CRYPTO_KEY_SIZE],
    const void *data, size_t size, unsigned char out[CRYPTO_SHA256_SIZE]);
void crypto_hmac_sha512(const unsigned char key[CRYPTO_KEY_SIZE],
    const void *data, size_t size, unsigned char out[CRYPTO_SHA512_SIZE]);

/* HKDF-SHA256 (RFC 5869) with an empty salt, to a key of 32 bytes. */
void crypto_derive(const unsigned char key[CRYPTO_KEY_SIZE], const char *info,
    unsigned char out[CRYPTO_KEY_SIZE]);

/*
 * AES-256-GCM: size bytes of plain become CRYPTO_OVERHEAD more, and the other
 * way; opening is false for a wrong key, aad or bit, and leaves zeros.
 */
void crypto_seal(const unsigned char key[CRYPTO_KEY_SIZE], const void *aad,
    size_t aad_size, const unsigned char *plain, size_t size,
    unsigned char *sealed);
bool crypto_open(const unsigned char key[CRYPTO_KEY_SIZE], const void *aad,
    size_t aad_size, const unsigned char *sealed, size_t size,
    unsigned char *plain) __attribute__((warn_unused_result));

/* Ed25519 (RFC 8032): private and public keys have 32 bytes. */
void crypto_public(const unsigned char key[CRYPTO_KEY_SIZE],
    unsigned char public[CRYPTO_KEY_SIZE]);
/* Writes size bytes as 2 * size lower-case hexadecimal digits, and NUL. */
void crypto_hex(const unsigned char *bytes, size_t size, char *text);

/* What store.signer knows it by: the first 8 bytes of its SHA-256, in hex. */
void crypto_public_id(const unsigned char public[CRYPTO_KEY_SIZE],
    char id[CRYPTO_PUBLIC_ID_SIZE]);
void crypto_sign(const unsigned char key[CRYPTO_KEY_SIZE], const void *data,
    size_t size, unsigned char signature[CRYPTO_SIGNATURE_SIZE]);
bool
crypto_verify(const unsigned char public[CRYPTO_KEY_SIZE], const void *data,
    size_t size, const unsigned char signature[CRYPTO_SIGNATURE_SIZE])
    __attribute__((warn_unused_result));

#endif
