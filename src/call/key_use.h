/*
 * What encrypt, decrypt and generate-data-key do with a managed key.  All of
 * it is done here: PostgreSQL keeps the key wrapped, decides who may use it,
 * and never sees a plaintext.
 */
#ifndef COFFER_KEY_USE_H
#define COFFER_KEY_USE_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>

#include "call/request.h"
#include "keys/keyring.h"

struct key_cache;

/*
 * Does it before the first round with the newest rotation of the key cache,
 * which may spare a round.  The API function accepts that, or gives the newest.
 */
void key_use_guess(
    struct request *request, struct keyring *keyring, struct key_cache *cache);

/*
 * The API function has given the rotations of the key that it accepts: encrypts
 * or decrypts with them.
 */
enum request_next
key_use_perform(struct request *request, struct keyring *keyring,
    struct key_cache *cache, struct json_object *challenge);

/* Whether the plaintext belongs into the answer. */
bool key_use_has_plaintext(const struct request *request);

/*
 * Makes the body of the API function the answer, with the plaintext in the
 * place of the null that stands for it.  To be called once the audit has its
 * row.  False when there is no such null, or no plaintext.
 */
bool key_use_answer(struct request *request, const char *body, size_t size)
    __attribute__((warn_unused_result));

#endif
