#include <string.h>

#include "base/base64.h"
#include "call/challenge.h"
#include "call/key_use.h"
#include "call/long_poll.h"
#include "call/member.h"
#include "call/wrap_key.h"
#include "db/columns.h"

/* The call would lock or change a row, and hold up others of its group. */
static enum request_next
challenge_alone(struct challenge *challenge, struct json_object *members)
{
	(void)members;
	challenge->alone = true;
	return (REQUEST_AGAIN);
}

static enum request_next
challenge_change(struct challenge *challenge, struct json_object *members)
{
	return (
	    long_poll_wait(challenge->poll, challenge->request->document.json,
		member_number(members, "wait", 0, LONG_POLL_MAX)));
}

static enum request_next
challenge_cipher(struct challenge *challenge, struct json_object *members)
{
	return (key_use_perform(
	    challenge->request, challenge->keyring, challenge->cache, members));
}

static enum request_next
challenge_kek(struct challenge *challenge, struct json_object *members)
{
	return (wrap_key_make_kek(challenge->key, members, challenge->query));
}

static enum request_next
challenge_key(struct challenge *challenge, struct json_object *members)
{
	return (wrap_key_unwrap(challenge->key, members));
}

/* A managed key gets a rotation: made here, and stored by the API function. */
static enum request_next
challenge_material(struct challenge *challenge, struct json_object *members)
{
	struct request *request = challenge->request;
	struct json_object *material = json_object_new_object();
	struct keyring_wrapped wrapped;
	struct keyring_place place;
	char text[MEMBER_WRAPPED_SIZE];

	json_object_object_add(request->document.json, "material", material);
	member_rotation(members, members, &place);
	if (!member_uuid(members, "project_id", place.project) ||
	    place.rotation == 0)
		return (request_fail(request, "challenge is malformed"));
	if (!request_activate(request, challenge->keyring,
		member_text(members, "active_root_id")))
		return (REQUEST_ENDS);
	keyring_kek_make(challenge->keyring, &place, &wrapped);
	json_object_object_add(material, "key_id",
	    json_object_new_string(member_text(members, "key_id")));
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
	return (REQUEST_AGAIN);
}

static const struct challenge_kind {
	const char *name; /* the member "need" */
	enum request_next (*answer)(
	    struct challenge *challenge, struct json_object *members);
} challenge_kinds[] = {
	{ "alone", challenge_alone },
	{ "change", challenge_change },
	{ "cipher", challenge_cipher },
	{ "kek", challenge_kek },
	{ "key", challenge_key },
	{ "material", challenge_material },
};

#define CHALLENGE_KINDS (sizeof(challenge_kinds) / sizeof(challenge_kinds[0]))

enum request_next
challenge_answer(struct challenge *challenge, const char *text)
{
	struct json_object *members = columns_json(text, json_type_object);
	const char *name = member_text(members, "need");
	enum request_next next;
	size_t i;

	for (i = 0; i < CHALLENGE_KINDS; i++) {
		if (strcmp(challenge_kinds[i].name, name) == 0)
			break;
	}
	if (i < CHALLENGE_KINDS)
		next = challenge_kinds[i].answer(challenge, members);
	else
		next = request_fail(challenge->request, "challenge is unknown");
	json_object_put(members);
	return (next);
}
