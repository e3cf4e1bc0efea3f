#include <string.h>

#include "call/member.h"

const char *
member_text(struct json_object *object, const char *name)
{
	struct json_object *value;

	if (!json_object_object_get_ex(object, name, &value) ||
	    !json_object_is_type(value, json_type_string))
		return ("");
	return (json_object_get_string(value));
}

int64_t
member_number(
    struct json_object *object, const char *name, int64_t least, int64_t most)
{
	struct json_object *value;
	int64_t number;

	if (!json_object_object_get_ex(object, name, &value) ||
	    !json_object_is_type(value, json_type_int))
		return (-1);
	number = json_object_get_int64(value);
	return (number >= least && number <= most ? number : -1);
}

bool
member_uuid(struct json_object *object, const char *name, uuid_t id)
{
	return (uuid_parse(member_text(object, name), id) == 0);
}

void
member_rotation(struct json_object *key, struct json_object *object,
    struct keyring_place *place)
{
	struct json_object *rotation;

	if (!member_uuid(key, "key_id", place->key))
		uuid_clear(place->key);
	place->rotation = 0;
	if (json_object_object_get_ex(object, "rotation", &rotation))
		place->rotation = (uint32_t)json_object_get_int(rotation);
}

void
member_wrapped(struct json_object *object, struct keyring_wrapped *wrapped)
{
	unsigned char bytes[BASE64_DECODED_MAX(MEMBER_WRAPPED_SIZE + 3)];
	const char *root_id = member_text(object, "root_id");
	const char *text = member_text(object, "wrapped");
	size_t size;

	memset(wrapped, 0, sizeof(*wrapped));
	if (strlen(root_id) != ROOT_KEY_ID_SIZE - 1 ||
	    strlen(text) != MEMBER_WRAPPED_SIZE - 1 ||
	    !base64_decode(text, strlen(text), bytes, &size) ||
	    size != sizeof(wrapped->bytes))
		return;
	memcpy(wrapped->root_id, root_id, ROOT_KEY_ID_SIZE);
	memcpy(wrapped->bytes, bytes, sizeof(wrapped->bytes));
}
