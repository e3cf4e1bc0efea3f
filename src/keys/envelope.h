/*
 * Sealed values as rule.crypto_encrypt() of the database makes them: A256CBC-HS512 of
 * RFC 7518, 5.2.5, bound to a place.
 *
 *   sealed   01 || IV (16) || AES-256-CBC, PKCS#7 || HMAC-SHA512 (32)
 */
#ifndef COFFER_ENVELOPE_H
#define COFFER_ENVELOPE_H

#include <stdbool.h>
#include <stddef.h>
#include <uuid/uuid.h>

#define ENVELOPE_KEY_SIZE 64 /* 32 for the MAC, 32 for AES */
#define ENVELOPE_SIZE_MIN 65
#define ENVELOPE_SIZE_MAX (65536 + 128)

/* Where a value belongs; kek is NULL for a payload. */
struct envelope_place {
	const char *kind; /* "dek" or "pay" */
	const unsigned char *project;
	const unsigned char *secret;
	unsigned int revision;
	const unsigned char *kek;
};

/*
 * Opens size bytes of sealed into plain, which has room for as many.  False,
 * whatever the cause, when they are not what was sealed in that place.
 */
bool envelope_decrypt(const unsigned char key[ENVELOPE_KEY_SIZE],
    const struct envelope_place *place, const unsigned char *sealed,
    size_t size, unsigned char *plain, size_t *plain_size)
    __attribute__((warn_unused_result));

#endif
