/*
 * Reads members of what an API function says in JSON.
 */
#ifndef COFFER_MEMBER_H
#define COFFER_MEMBER_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stdint.h>
#include <uuid/uuid.h>

#include "base/base64.h"
#include "keys/keyring.h"

/* Bytes of a wrapped key in base64, with its NUL. */
#define MEMBER_WRAPPED_SIZE BASE64_ENCODED_SIZE(CRYPTO_SEALED_SIZE)

/* "" when there is no such text. */
const char *member_text(struct json_object *object, const char *name);

/* An integer within these bounds; -1 when there is none. */
int64_t member_number(
    struct json_object *object, const char *name, int64_t least, int64_t most);

/* False: it is absent or malformed. */
bool member_uuid(struct json_object *object, const char *name, uuid_t id)
    __attribute__((warn_unused_result));

/*
 * The managed key and rotation that a KEK belongs to: members key_id of key and
 * rotation of object.  Without them it belongs to the project.
 */
void member_rotation(struct json_object *key, struct json_object *object,
    struct keyring_place *place);

/*
 * A wrapped key: members root_id and wrapped.  A malformed one, which somebody
 * has tampered with, gets no root key, so that it cannot be unwrapped.
 */
void
member_wrapped(struct json_object *object, struct keyring_wrapped *wrapped);

#endif
