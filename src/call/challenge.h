/*
 * Status 0: a door says what it needs, and that nothing has happened yet.
 */
#ifndef COFFER_CHALLENGE_H
#define COFFER_CHALLENGE_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stdint.h>
#include <uuid/uuid.h>

#include "keys/keyring.h"

struct request;

/* Sees to what the door has said it needs, and goes on with the call. */
void challenge_meet(struct request *request, const char *text);

/* Members of what it said: "" when there is no such text; false: malformed. */
const char *challenge_text(struct json_object *need, const char *name);
/* An integer of these bounds; -1: it has none. */
int64_t challenge_number(
    struct json_object *need, const char *name, int64_t least, int64_t most);
bool challenge_uuid(struct json_object *need, const char *name, uuid_t id)
    __attribute__((warn_unused_result));

/*
 * Which managed key and rotation a KEK is of: members key_id of key and
 * rotation of need; without them it is of the project.
 */
void challenge_rotation(struct json_object *key, struct json_object *need,
    struct keyring_place *place);

/*
 * The wrapped key of what it said.  One that has not even the form of one, as
 * somebody has tampered with it, is given as of no root key: it does not open.
 */
void
challenge_wrapped(struct json_object *need, struct keyring_wrapped *wrapped);

/*
 * Has what is made wrapped under the root key that it names from now on; false
 * when that one is not loaded, and the call has ended.
 */
bool challenge_root_key(struct request *request, struct json_object *need)
    __attribute__((warn_unused_result));

#endif
