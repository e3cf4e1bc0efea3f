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

struct request;

/*
 * Does it before the door is asked, with the newest rotation as it is
 * remembered, which may spare a round.  The door takes it, or gives the newest.
 */
void key_use_guess(struct request *request);

/*
 * The door has given the rotations of the key that it takes: encrypts or
 * decrypts with them, and goes on with the call.
 */
void key_use_perform(struct request *request, struct json_object *need);

/* Whether the plaintext belongs into the answer. */
bool key_use_has_plaintext(const struct request *request);

/*
 * Makes the body of the door the answer, with the plaintext in the place of
 * the null that stands for it.  Only once the audit has its row.  False when
 * there is no such null, or no plaintext.
 */
bool key_use_answer(struct request *request, const char *body, size_t size)
    __attribute__((warn_unused_result));

#endif
