/*
 * From the token of a request to the digest that the database knows.
 */
#ifndef COFFER_AUTHENTICATE_H
#define COFFER_AUTHENTICATE_H

#include <stdbool.h>

#include "keys/keyring.h"

/*
 * Sets the digest of a token under the pepper, and wipes the token, which goes
 * no further.  The database decides whose it is.  False: it is not a UUID, and
 * the digest is not set.
 */
bool authenticate(char *token, const struct keyring *keyring,
    unsigned char digest[KEYRING_DIGEST_SIZE])
    __attribute__((warn_unused_result));

#endif
