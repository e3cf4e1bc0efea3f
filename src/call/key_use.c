#include <event2/buffer.h>
#include <string.h>

#include "base/base64.h"
#include "base/log.h"
#include "base/memory.h"
#include "call/key_use.h"
#include "call/member.h"
#include "keys/cipher.h"
#include "keys/key_cache.h"

#define KEY_USE_PLACE "\"plaintext\":null"

struct key_use_rotation {
	struct keyring_place place;
	int32_t number;
	const char *kek_id; /* as the API function has named it */
	unsigned char key[CRYPTO_KEY_SIZE];
};

/* Rotations ---------------------------------------------------------------- */

/* Those that the API function has given: the newest first. */
static struct json_object *
key_use_given(struct json_object *challenge, size_t i)
{
	struct json_object *keys;

	if (!json_object_object_get_ex(challenge, "keys", &keys) ||
	    !json_object_is_type(keys, json_type_array))
		return (NULL);
	return (json_object_array_get_idx(keys, i));
}

static int32_t
key_use_number(struct json_object *given)
{
	struct keyring_place place;

	member_rotation(given, given, &place);
	return ((int32_t)place.rotation);
}

/* Unwraps a rotation, if that has not been done before. */
static bool
key_use_unwrap(struct keyring *keyring, struct json_object *challenge,
    struct json_object *given, struct key_use_rotation *rotation)
{
	struct keyring_place *place = &rotation->place;
	struct keyring_wrapped wrapped;

	member_rotation(challenge, given, place);
	rotation->number = (int32_t)place->rotation;
	rotation->kek_id = member_text(given, "kek_id");
	member_wrapped(given, &wrapped);
	return (rotation->number > 0 &&
	    member_uuid(challenge, "project_id", place->project) &&
	    member_uuid(given, "kek_id", place->kek) &&
	    (keyring_cipher_key(keyring, place, rotation->key) ||
		(keyring_kek_load(keyring, place, &wrapped) &&
		    keyring_cipher_key(keyring, place, rotation->key))));
}

/* Ciphertexts -------------------------------------------------------------- */

static void
key_use_encrypt(const struct request *request,
    const struct key_use_rotation *newest, struct document_value *ciphertext)
{
	const struct document_value *plaintext = &request->document.plaintext;

	ciphertext->size = plaintext->size + CIPHER_OVERHEAD;
	ciphertext->bytes = memory_new(ciphertext->size);
	cipher_encrypt(newest->key, newest->number,
	    request->document.associated_data.bytes,
	    request->document.associated_data.size, plaintext->bytes,
	    plaintext->size, ciphertext->bytes);
}

/* Room for a plaintext, in the place of one that there may be. */
static void
key_use_make_room(struct request *request, size_t size)
{
	document_value_free(&request->document.plaintext);
	request->document.plaintext.bytes = memory_new(size);
	request->document.plaintext.size = size;
}

static void
key_use_generate(struct request *request)
{
	key_use_make_room(request, CRYPTO_KEY_SIZE);
	crypto_random(request->document.plaintext.bytes, CRYPTO_KEY_SIZE);
}

static bool
key_use_decrypt(
    struct request *request, const struct key_use_rotation *rotation)
{
	const struct document_value *ciphertext = &request->document.ciphertext;

	key_use_make_room(request, ciphertext->size - CIPHER_OVERHEAD);
	if (cipher_decrypt(rotation->key, rotation->number,
		request->document.associated_data.bytes,
		request->document.associated_data.size, ciphertext->bytes,
		ciphertext->size, request->document.plaintext.bytes))
		return (true);
	document_value_free(&request->document.plaintext);
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
	json_object_object_add(request->document.json, "cipher", cipher);
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
 * Somebody has tampered with the key, or its root key is not loaded.  The API
 * function is told, so that it refuses the call with an audit row.
 */
static void
key_use_describe_refused(
    struct request *request, const struct key_use_rotation *newest)
{
	struct json_object *cipher = key_use_describe(request, newest);

	log_error(
	    "managed key cannot be unwrapped", log_text("id", request->id));
	json_object_object_add(
	    cipher, "opened", json_object_new_boolean(false));
}

/*
 * Decrypts with the rotation that the ciphertext names, if the API function has
 * given it; false when that cannot be unwrapped.  A client gets a ciphertext of
 * the newest rotation as well, if its own is of an older one.
 */
static bool
key_use_read(struct request *request, struct keyring *keyring,
    struct json_object *challenge, const struct key_use_rotation *newest)
{
	struct document_value again = { .bytes = NULL };
	struct key_use_rotation used = { .number = 0 };
	struct json_object *given;
	int32_t number = cipher_rotation(request->document.ciphertext.bytes,
	    request->document.ciphertext.size);
	bool unwrapped = true, sound = false;
	size_t i;

	/* A plaintext that the client has sent is not the result. */
	document_value_free(&request->document.plaintext);
	for (i = 0; (given = key_use_given(challenge, i)) != NULL; i++) {
		if (number == 0 || key_use_number(given) != number)
			continue;
		unwrapped = key_use_unwrap(keyring, challenge, given, &used);
		sound = unwrapped && key_use_decrypt(request, &used);
	}
	if (sound && number != newest->number)
		key_use_encrypt(request, newest, &again);
	key_use_describe_done(request, newest, sound, &again);
	document_value_free(&again);
	memory_wipe(&used, sizeof(used));
	return (unwrapped);
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

	json_object_object_get_ex(request->document.json, "path", &path);
	return (member_uuid(path, "key_id", key));
}

/* Whether it can be done with the newest rotation alone. */
static bool
key_use_is_simple(const struct request *request, int32_t newest)
{
	const unsigned int flags = request->route.endpoint->flags;
	const struct document_value *ciphertext = &request->document.ciphertext;

	if (newest == 0)
		return (false); /* it is remembered of something else */
	if (flags & ENDPOINT_DECRYPTS)
		return (cipher_rotation(ciphertext->bytes, ciphertext->size) ==
		    newest);
	return ((flags & ENDPOINT_GENERATES) != 0 ||
	    request->document.plaintext.bytes != NULL);
}

void
key_use_guess(
    struct request *request, struct keyring *keyring, struct key_cache *cache)
{
	struct key_use_rotation newest;
	char kek_id[UUID_STR_LEN];
	struct key_cache_entry entry;

	if (!key_use_key_id(request, newest.place.key) ||
	    !key_cache_get(cache, newest.place.key, &entry) ||
	    !key_use_is_simple(request, entry.rotation))
		return;
	uuid_copy(newest.place.kek, entry.kek);
	uuid_copy(newest.place.project, entry.project);
	newest.place.rotation = (uint32_t)entry.rotation;
	if (!keyring_cipher_key(keyring, &newest.place, newest.key))
		return;
	newest.number = entry.rotation;
	uuid_unparse_lower(entry.kek, kek_id);
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
key_use_remember(struct request *request, struct key_cache *cache,
    struct json_object *challenge, const struct key_use_rotation *newest)
{
	struct key_cache_entry entry = { .rotation = newest->number };
	uuid_t key;

	if (key_use_key_id(request, key) &&
	    member_uuid(challenge, "project_id", entry.project) &&
	    uuid_parse(newest->kek_id, entry.kek) == 0)
		key_cache_put(cache, key, &entry);
}

enum request_next
key_use_perform(struct request *request, struct keyring *keyring,
    struct key_cache *cache, struct json_object *challenge)
{
	struct key_use_rotation newest = { .number = 0 };
	struct json_object *given = key_use_given(challenge, 0);
	bool unwrapped;

	if (given == NULL)
		return (request_fail(request, "challenge is malformed"));
	unwrapped = key_use_unwrap(keyring, challenge, given, &newest);
	if (unwrapped)
		key_use_remember(request, cache, challenge, &newest);
	if (unwrapped && request->route.endpoint->flags & ENDPOINT_DECRYPTS)
		unwrapped = key_use_read(request, keyring, challenge, &newest);
	else if (unwrapped)
		key_use_write(request, &newest);
	if (!unwrapped)
		key_use_describe_refused(request, &newest);
	memory_wipe(&newest, sizeof(newest));
	return (REQUEST_AGAIN);
}

bool
key_use_has_plaintext(const struct request *request)
{
	const unsigned int flags = request->route.endpoint->flags;
	struct json_object *body, *without;

	if ((flags & ENDPOINT_GENERATES) == 0)
		return ((flags & ENDPOINT_DECRYPTS) != 0);
	json_object_object_get_ex(request->document.json, "body", &body);
	return (
	    !json_object_object_get_ex(body, "without_plaintext", &without) ||
	    !json_object_get_boolean(without));
}

bool
key_use_answer(struct request *request, const char *body, size_t size)
{
	const struct document_value *plaintext = &request->document.plaintext;
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
