#include <string.h>

#include "base/base64.h"
#include "base/log.h"
#include "call/challenge.h"
#include "call/key_use.h"
#include "call/long_poll.h"
#include "call/wrap_key.h"
#include "db/columns.h"
#include "http/request.h"
#include "service.h"

#define NEED_WRAPPED_SIZE BASE64_ENCODED_SIZE(CRYPTO_SEALED_SIZE)

const char *
challenge_text(struct json_object *need, const char *name)
{
	struct json_object *value;

	if (!json_object_object_get_ex(need, name, &value) ||
	    !json_object_is_type(value, json_type_string))
		return ("");
	return (json_object_get_string(value));
}

int64_t
challenge_number(
    struct json_object *need, const char *name, int64_t least, int64_t most)
{
	struct json_object *value;
	int64_t number;

	if (!json_object_object_get_ex(need, name, &value) ||
	    !json_object_is_type(value, json_type_int))
		return (-1);
	number = json_object_get_int64(value);
	return (number >= least && number <= most ? number : -1);
}

bool
challenge_uuid(struct json_object *need, const char *name, uuid_t id)
{
	return (uuid_parse(challenge_text(need, name), id) == 0);
}

void
challenge_rotation(struct json_object *key, struct json_object *need,
    struct keyring_place *place)
{
	struct json_object *rotation;

	if (!challenge_uuid(key, "key_id", place->key))
		uuid_clear(place->key);
	place->rotation = 0;
	if (json_object_object_get_ex(need, "rotation", &rotation))
		place->rotation = (uint32_t)json_object_get_int(rotation);
}

void
challenge_wrapped(struct json_object *need, struct keyring_wrapped *wrapped)
{
	unsigned char bytes[BASE64_DECODED_MAX(NEED_WRAPPED_SIZE + 3)];
	const char *root_id = challenge_text(need, "root_id");
	const char *text = challenge_text(need, "wrapped");
	size_t size;

	memset(wrapped, 0, sizeof(*wrapped));
	if (strlen(root_id) != ROOT_KEY_ID_SIZE - 1 ||
	    strlen(text) != NEED_WRAPPED_SIZE - 1 ||
	    !base64_decode(text, strlen(text), bytes, &size) ||
	    size != sizeof(wrapped->bytes))
		return;
	memcpy(wrapped->root_id, root_id, ROOT_KEY_ID_SIZE);
	memcpy(wrapped->bytes, bytes, sizeof(wrapped->bytes));
}

bool
challenge_root_key(struct request *request, struct json_object *need)
{
	const char *root_id = challenge_text(need, "active_root_id");

	if (keyring_activate(request->service->keyring, root_id))
		return (true);
	log_error("the active root key is not loaded",
	    log_text("id", request->id), log_text("root_id", root_id));
	request_refuse(request, ERROR_UNAVAILABLE);
	call_finish(request);
	return (false);
}

/* It would lock or change a row, and hold up those that share its commit. */
static void
need_alone(struct request *request, struct json_object *need)
{
	(void)need;
	request->call.alone = true;
	call_again(request);
}

/* A managed key gets a rotation: made here, and kept by the door. */
static void
need_material(struct request *request, struct json_object *need)
{
	struct json_object *material = json_object_new_object();
	struct keyring_wrapped wrapped;
	struct keyring_place place;
	char text[NEED_WRAPPED_SIZE];

	json_object_object_add(request->document, "material", material);
	challenge_rotation(need, need, &place);
	if (!challenge_uuid(need, "project_id", place.project) ||
	    place.rotation == 0)
		return (call_fail(request, "call's need is malformed"));
	if (!challenge_root_key(request, need))
		return;
	keyring_kek_make(request->service->keyring, &place, &wrapped);
	json_object_object_add(material, "key_id",
	    json_object_new_string(challenge_text(need, "key_id")));
	json_object_object_add(material, "rotation",
	    json_object_new_int64((int64_t)place.rotation));
	uuid_unparse_lower(place.kek, text);
	json_object_object_add(
	    material, "kek_id", json_object_new_string(text));
	json_object_object_add(
	    material, "root_id", json_object_new_string(wrapped.root_id));
	base64_encode(wrapped.bytes, sizeof(wrapped.bytes), text);
	json_object_object_add(
	    material, "wrapped", json_object_new_string(text));
	call_again(request);
}

static const struct need {
	const char *name;
	void (*meet)(struct request *request, struct json_object *need);
} needs[] = {
	{ "alone", need_alone },
	{ "change", long_poll_wait },
	{ "cipher", key_use_perform },
	{ "kek", wrap_key_make_kek },
	{ "key", wrap_key_open },
	{ "material", need_material },
};

void
challenge_meet(struct request *request, const char *text)
{
	struct json_object *need = columns_json(text, json_type_object);
	const char *name = challenge_text(need, "need");
	size_t i;

	for (i = 0; i < sizeof(needs) / sizeof(needs[0]); i++) {
		if (strcmp(needs[i].name, name) == 0) {
			needs[i].meet(request, need);
			break;
		}
	}
	if (i == sizeof(needs) / sizeof(needs[0]))
		call_fail(request, "call's need is unknown");
	json_object_put(need);
}
