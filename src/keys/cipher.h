/*
 * Ciphertexts of the Key Manager.
 *
 *   ciphertext   01 || rotation (4, big-endian) || IV (12) || AES-256-GCM || tag (16)
 *
 * Each rotation has a key of its own, which proves the header too: with
 * another rotation in it, another key is tried.  IVs are random, so a rotation
 * should see no more than 2^32 of them.
 */
#ifndef COFFER_CIPHER_H
#define COFFER_CIPHER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/crypto.h"

#define CIPHER_OVERHEAD (5 + CRYPTO_OVERHEAD)

/* The rotation in the header; 0: it is no ciphertext by its form. */
int32_t cipher_rotation(const unsigned char *ciphertext, size_t size);

/* Makes size + CIPHER_OVERHEAD bytes out of size bytes. */
void cipher_encrypt(const unsigned char key[CRYPTO_KEY_SIZE], int32_t rotation,
    const void *associated, size_t associated_size, const unsigned char *plain,
    size_t size, unsigned char *ciphertext);

/*
 * Makes size - CIPHER_OVERHEAD bytes out of size bytes.  False, without a
 * cause, when they were not encrypted with that key, as of that rotation, and
 * with that associated data.
 */
bool cipher_decrypt(const unsigned char key[CRYPTO_KEY_SIZE], int32_t rotation,
    const void *associated, size_t associated_size,
    const unsigned char *ciphertext, size_t size, unsigned char *plain)
    __attribute__((warn_unused_result));

#endif
