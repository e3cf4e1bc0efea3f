#include <event2/buffer.h>
#include <string.h>

#include "base/base64.h"
#include "base/log.h"
#include "base/memory.h"
#include "call/challenge.h"
#include "call/key_use.h"
#include "http/request.h"
#include "keys/cipher.h"
#include "keys/key_cache.h"
#include "service.h"

#define KEY_USE_PLACE "\"plaintext\":null"

struct key_use_rotation {
	struct keyring_place place;
	int32_t number;
	const char *kek_id; /* as the door has named it */
	unsigned char key[CRYPTO_KEY_SIZE];
};

/* Rotations ---------------------------------------------------------------- */

/* Those that the door has given: the newest first. */
static struct json_object *
key_use_given(struct json_object *need, size_t i)
{
	struct json_object *keys;

	if (!json_object_object_get_ex(need, "keys", &keys) ||
	    !json_object_is_type(keys, json_type_array))
		return (NULL);
	return (json_object_array_get_idx(keys, i));
}

static int32_t
key_use_number(struct json_object *given)
{
	struct keyring_place place;

	challenge_rotation(given, given, &place);
	return ((int32_t)place.rotation);
}

/* Opens a rotation, if that has not been done before. */
static bool
key_use_open(struct request *request, struct json_object *need,
    struct json_object *given, struct key_use_rotation *rotation)
{
	struct keyring *keyring = request->service->keyring;
	struct keyring_place *place = &rotation->place;
	struct keyring_wrapped wrapped;

	challenge_rotation(need, given, place);
	rotation->number = (int32_t)place->rotation;
	rotation->kek_id = challenge_text(given, "kek_id");
	challenge_wrapped(given, &wrapped);
	return (rotation->number > 0 &&
	    challenge_uuid(need, "project_id", place->project) &&
	    challenge_uuid(given, "kek_id", place->kek) &&
	    (keyring_cipher_key(keyring, place, rotation->key) ||
		(keyring_kek_open(keyring, place, &wrapped) &&
		    keyring_cipher_key(keyring, place, rotation->key))));
}

/* Ciphertexts -------------------------------------------------------------- */

static void
key_use_encrypt(const struct request *request,
    const struct key_use_rotation *newest, struct document_value *ciphertext)
{
	const struct document_value *plaintext = &request->plaintext;

	ciphertext->size = plaintext->size + CIPHER_OVERHEAD;
	ciphertext->bytes = memory_new(ciphertext->size);
	cipher_seal(newest->key, newest->number, request->associated_data.bytes,
	    request->associated_data.size, plaintext->bytes, plaintext->size,
	    ciphertext->bytes);
}

/* Room for a plaintext, in the place of one that there may be. */
static void
key_use_make_room(struct request *request, size_t size)
{
	document_value_free(&request->plaintext);
	request->plaintext.bytes = memory_new(size);
	request->plaintext.size = size;
}

static void
key_use_generate(struct request *request)
{
	key_use_make_room(request, CRYPTO_KEY_SIZE);
	crypto_random(request->plaintext.bytes, CRYPTO_KEY_SIZE);
}

static bool
key_use_decrypt(
    struct request *request, const struct key_use_rotation *rotation)
{
	const struct document_value *ciphertext = &request->ciphertext;

	key_use_make_room(request, ciphertext->size - CIPHER_OVERHEAD);
	if (cipher_open(rotation->key, rotation->number,
		request->associated_data.bytes, request->associated_data.size,
		ciphertext->bytes, ciphertext->size, request->plaintext.bytes))
		return (true);
	document_value_free(&request->plaintext);
	return (false);
}

/* The call ----------------------------------------------------------------- */

/* Of a value that is none, null. */
static struct json_object *
key_use_base64(const struct document_value *value)
{
	struct json_object *object;
	char *text;

	if (value->bytes == NULL)
		return (NULL);
	text = memory_new(BASE64_ENCODED_SIZE(value->size));
	base64_encode(value->bytes, value->size, text);
	object = json_object_new_string(text);
	memory_free(text);
	return (object);
}

/* Says in the document with which rotation it was done; the rest follows. */
static struct json_object *
key_use_describe(struct request *request, const struct key_use_rotation *newest)
{
	struct json_object *cipher = json_object_new_object();

	json_object_object_add(
	    cipher, "kek_id", json_object_new_string(newest->kek_id));
	json_object_object_add(
	    cipher, "rotation", json_object_new_int(newest->number));
	json_object_object_add(request->document, "cipher", cipher);
	return (cipher);
}

static void
key_use_describe_done(struct request *request,
    const struct key_use_rotation *newest, bool sound,
    const struct document_value *ciphertext)
{
	struct json_object *cipher = key_use_describe(request, newest);

	json_object_object_add(cipher, "sound", json_object_new_boolean(sound));
	json_object_object_add(
	    cipher, "ciphertext", key_use_base64(ciphertext));
}

/*
 * Somebody has tampered with the key, or its root key is not loaded.  The door
 * is told: the refusal is its own, as of all that does not open, and audited.
 */
static void
key_use_describe_closed(
    struct request *request, const struct key_use_rotation *newest)
{
	struct json_object *cipher = key_use_describe(request, newest);

	log_error("managed key does not open", log_text("id", request->id));
	json_object_object_add(
	    cipher, "opened", json_object_new_boolean(false));
}

/*
 * Decrypts with the rotation that the ciphertext names, if the door has given
 * it; false when that does not open.  A client gets what is under an older
 * rotation under the newest, too.
 */
static bool
key_use_read(struct request *request, struct json_object *need,
    const struct key_use_rotation *newest)
{
	struct document_value again = { .bytes = NULL };
	struct key_use_rotation used = { .number = 0 };
	struct json_object *given;
	int32_t number = cipher_rotation(
	    request->ciphertext.bytes, request->ciphertext.size);
	bool opened = true, sound = false;
	size_t i;

	/* What a client may have sent is not what was opened. */
	document_value_free(&request->plaintext);
	for (i = 0; (given = key_use_given(need, i)) != NULL; i++) {
		if (number == 0 || key_use_number(given) != number)
			continue;
		opened = key_use_open(request, need, given, &used);
		sound = opened && key_use_decrypt(request, &used);
	}
	if (sound && number != newest->number)
		key_use_encrypt(request, newest, &again);
	key_use_describe_done(request, newest, sound, &again);
	document_value_free(&again);
	memory_wipe(&used, sizeof(used));
	return (opened);
}

static void
key_use_write(struct request *request, const struct key_use_rotation *newest)
{
	struct document_value ciphertext;

	if (request->route.endpoint->flags & ENDPOINT_GENERATES)
		key_use_generate(request);
	key_use_encrypt(request, newest, &ciphertext);
	key_use_describe_done(request, newest, true, &ciphertext);
	document_value_free(&ciphertext);
}

static bool
key_use_key_id(struct request *request, uuid_t key)
{
	struct json_object *path;

	json_object_object_get_ex(request->document, "path", &path);
	return (challenge_uuid(path, "key_id", key));
}

/* Whether it can be done with the newest rotation alone. */
static bool
key_use_is_simple(const struct request *request, int32_t newest)
{
	const unsigned int flags = request->route.endpoint->flags;
	const struct document_value *ciphertext = &request->ciphertext;

	if (newest == 0)
		return (false); /* it is remembered of something else */
	if (flags & ENDPOINT_DECRYPTS)
		return (cipher_rotation(ciphertext->bytes, ciphertext->size) ==
		    newest);
	return ((flags & ENDPOINT_GENERATES) != 0 ||
	    request->plaintext.bytes != NULL);
}

void
key_use_guess(struct request *request)
{
	struct key_use_rotation newest;
	char kek_id[UUID_STR_LEN];
	struct key_cache_entry hint;

	if (!key_use_key_id(request, newest.place.key) ||
	    !key_cache_get(request->service->hints, newest.place.key, &hint) ||
	    !key_use_is_simple(request, hint.rotation))
		return;
	uuid_copy(newest.place.kek, hint.kek);
	uuid_copy(newest.place.project, hint.project);
	newest.place.rotation = (uint32_t)hint.rotation;
	if (!keyring_cipher_key(
		request->service->keyring, &newest.place, newest.key))
		return;
	newest.number = hint.rotation;
	uuid_unparse_lower(hint.kek, kek_id);
	newest.kek_id = kek_id;
	if (request->route.endpoint->flags & ENDPOINT_DECRYPTS)
		key_use_describe_done(request, &newest,
		    key_use_decrypt(request, &newest),
		    &(struct document_value){ .bytes = NULL });
	else
		key_use_write(request, &newest);
	memory_wipe(&newest, sizeof(newest));
}

static void
key_use_remember(struct request *request, struct json_object *need,
    const struct key_use_rotation *newest)
{
	struct key_cache_entry hint = { .rotation = newest->number };
	uuid_t key;

	if (key_use_key_id(request, key) &&
	    challenge_uuid(need, "project_id", hint.project) &&
	    uuid_parse(newest->kek_id, hint.kek) == 0)
		key_cache_put(request->service->hints, key, &hint);
}

void
key_use_perform(struct request *request, struct json_object *need)
{
	struct key_use_rotation newest = { .number = 0 };
	struct json_object *given = key_use_given(need, 0);
	bool opened;

	if (given == NULL)
		return (call_fail(request, "call's need is malformed"));
	opened = key_use_open(request, need, given, &newest);
	if (opened)
		key_use_remember(request, need, &newest);
	if (opened && request->route.endpoint->flags & ENDPOINT_DECRYPTS)
		opened = key_use_read(request, need, &newest);
	else if (opened)
		key_use_write(request, &newest);
	if (!opened)
		key_use_describe_closed(request, &newest);
	memory_wipe(&newest, sizeof(newest));
	call_again(request);
}

bool
key_use_has_plaintext(const struct request *request)
{
	const unsigned int flags = request->route.endpoint->flags;
	struct json_object *body, *without;

	if ((flags & ENDPOINT_GENERATES) == 0)
		return ((flags & ENDPOINT_DECRYPTS) != 0);
	json_object_object_get_ex(request->document, "body", &body);
	return (
	    !json_object_object_get_ex(body, "without_plaintext", &without) ||
	    !json_object_get_boolean(without));
}

bool
key_use_answer(struct request *request, const char *body, size_t size)
{
	const struct document_value *plaintext = &request->plaintext;
	const char *place =
	    memmem(body, size, KEY_USE_PLACE, strlen(KEY_USE_PLACE));
	size_t before, room = BASE64_ENCODED_SIZE(plaintext->size);
	char *text;

	if (place == NULL || plaintext->bytes == NULL)
		return (false);
	before =
	    (size_t)(place - body) + strlen(KEY_USE_PLACE) - strlen("null");
	text = memory_new(room);
	base64_encode(plaintext->bytes, plaintext->size, text);
	evbuffer_add(request->body, body, before);
	evbuffer_add(request->body, "\"", 1);
	evbuffer_add(request->body, text, strlen(text));
	evbuffer_add(request->body, "\"", 1);
	evbuffer_add(request->body, place + strlen(KEY_USE_PLACE),
	    size - before - strlen("null"));
	memory_wipe_free(text, room);
	return (true);
}
