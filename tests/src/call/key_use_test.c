#include <event2/buffer.h>

#include "base/base64.h"
#include "base/memory.h"
#include "call/key_use.h"
#include "keys/cipher.h"
#include "keys/key_cache.h"
#include "tests/src/call_fake.h"

#define KEY "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"
#define PROJECT "11111111-2222-4333-8444-555555555555"
#define PLAIN "canary of a plaintext"
#define PLAIN_SIZE (sizeof(PLAIN) - 1)
#define BODY "{\"key_id\":\"k\",\"plaintext\":null,\"ciphertext\":null}"

static const struct endpoint encrypt = { .flags = ENDPOINT_ENCRYPTS };
static const struct endpoint decrypt = { .flags = ENDPOINT_DECRYPTS };
static const struct endpoint generate = { .flags = ENDPOINT_GENERATES };
static const struct endpoint other = { .flags = ENDPOINT_READS };

/* Three rotations, of which an API function gives one or two. */
static struct rotation {
	uuid_t kek;
	struct keyring_wrapped wrapped;
} rotations[4];

static struct keyring *keyring;
static struct key_cache *cache;
static enum request_next next;
static struct request request;
static uuid_t project;

static int
set_up(void **state)
{
	struct keyring_place place;
	int i;

	(void)state;
	keyring = fake_keyring();
	memset(&request, 0, sizeof(request));
	cache = key_cache_new(64);
	request.document.json = json_tokener_parse(
	    "{\"path\":{\"key_id\":\"" KEY "\"},\"body\":{}}");
	request.body = evbuffer_new();
	uuid_parse(PROJECT, project);
	for (i = 1; i <= 3; i++) {
		uuid_copy(place.project, project);
		uuid_parse(KEY, place.key);
		place.rotation = (uint32_t)i;
		keyring_kek_make(keyring, &place, &rotations[i].wrapped);
		uuid_copy(rotations[i].kek, place.kek);
	}
	return (0);
}

static int
tear_down(void **state)
{
	(void)state;
	document_free(&request.document);
	evbuffer_free(request.body);
	key_cache_free(cache);
	keyring_free(keyring);
	return (0);
}

/* The challenge with these rotations, the newest first. */
static struct json_object *
challenge_of(const int *numbers, int count)
{
	struct json_object *challenge = json_object_new_object();
	struct json_object *keys = json_object_new_array(), *key;
	char text[BASE64_ENCODED_SIZE(CRYPTO_SEALED_SIZE)];
	const struct rotation *rotation;
	int i;

	json_object_object_add(
	    challenge, "project_id", json_object_new_string(PROJECT));
	json_object_object_add(
	    challenge, "key_id", json_object_new_string(KEY));
	json_object_object_add(challenge, "keys", keys);
	for (i = 0; i < count; i++) {
		rotation = &rotations[numbers[i]];
		key = json_object_new_object();
		json_object_object_add(
		    key, "rotation", json_object_new_int(numbers[i]));
		uuid_unparse_lower(rotation->kek, text);
		json_object_object_add(
		    key, "kek_id", json_object_new_string(text));
		json_object_object_add(key, "root_id",
		    json_object_new_string(rotation->wrapped.root_id));
		base64_encode(rotation->wrapped.bytes,
		    sizeof(rotation->wrapped.bytes), text);
		json_object_object_add(
		    key, "wrapped", json_object_new_string(text));
		json_object_array_add(keys, key);
	}
	return (challenge);
}

static void
perform(const struct endpoint *endpoint, const int *numbers, int count)
{
	struct json_object *challenge = challenge_of(numbers, count);

	request.route.endpoint = endpoint;
	next = key_use_perform(&request, keyring, cache, challenge);
	json_object_put(challenge);
}

#define PERFORM(endpoint, ...)                          \
	perform(endpoint, (const int[]){ __VA_ARGS__ }, \
	    (int)(sizeof((const int[]){ __VA_ARGS__ }) / sizeof(int)))

static void
give(struct document_value *value, const void *bytes, size_t size)
{
	document_value_free(value);
	value->bytes = (unsigned char *)memory_copy_bytes(bytes, size);
	value->size = size;
}

static struct json_object *
told(const char *name)
{
	struct json_object *cipher, *value;

	assert_true(json_object_object_get_ex(
	    request.document.json, "cipher", &cipher));
	assert_true(json_object_object_get_ex(cipher, name, &value));
	return (value);
}

static void
assert_told(int newest, bool sound)
{
	char kek[UUID_STR_LEN];

	uuid_unparse_lower(rotations[newest].kek, kek);
	assert_string_equal(json_object_get_string(told("kek_id")), kek);
	assert_int_equal(json_object_get_int(told("rotation")), newest);
	assert_int_equal(json_object_get_boolean(told("sound")), sound);
}

/* Gives the ciphertext that the API function was told to be decrypted. */
static void
take_ciphertext(int32_t rotation)
{
	const char *text = json_object_get_string(told("ciphertext"));
	struct document_value *value = &request.document.ciphertext;

	assert_non_null(text);
	document_value_free(value);
	value->bytes = memory_new(BASE64_DECODED_MAX(strlen(text)));
	assert_true(
	    base64_decode(text, strlen(text), value->bytes, &value->size));
	assert_int_equal(cipher_rotation(value->bytes, value->size), rotation);
}

static void
assert_plain(const char *plain, size_t size)
{
	assert_int_equal(request.document.plaintext.size, size);
	assert_memory_equal(request.document.plaintext.bytes, plain, size);
}

/* Nothing of a plaintext is told to the API function. */
static void
assert_not_told(const struct document_value *plain)
{
	char *text = memory_new(BASE64_ENCODED_SIZE(plain->size));

	base64_encode(plain->bytes, plain->size, text);
	assert_null(strstr(fake_document(&request), text));
	assert_null(strstr(fake_document(&request), "canary"));
	memory_free(text);
}

static void
test_round_trip(void **state)
{
	(void)state;
	give(&request.document.plaintext, PLAIN, PLAIN_SIZE);
	give(&request.document.associated_data, "place", 5);
	PERFORM(&encrypt, 3);
	assert_int_equal(next, REQUEST_AGAIN);
	assert_told(3, true);
	assert_not_told(&request.document.plaintext);
	take_ciphertext(3);
	document_value_free(&request.document.plaintext);
	PERFORM(&decrypt, 3);
	assert_told(3, true);
	assert_null(told("ciphertext"));
	assert_plain(PLAIN, PLAIN_SIZE);
	assert_not_told(&request.document.plaintext);
}

static void
test_older_rotation_gives_the_newest_too(void **state)
{
	(void)state;
	give(&request.document.plaintext, PLAIN, PLAIN_SIZE);
	give(&request.document.associated_data, "place", 5);
	PERFORM(&encrypt, 1);
	take_ciphertext(1);
	PERFORM(&decrypt, 3, 1);
	assert_told(3, true);
	assert_plain(PLAIN, PLAIN_SIZE);
	/* Under the associated data that it had. */
	take_ciphertext(3);
	PERFORM(&decrypt, 3);
	assert_told(3, true);
	assert_plain(PLAIN, PLAIN_SIZE);
	/* Of an unknown rotation, nothing but that. */
	give(&request.document.ciphertext, "", 0);
	PERFORM(&encrypt, 2);
	take_ciphertext(2);
	PERFORM(&decrypt, 3);
	assert_told(3, false);
	assert_null(told("ciphertext"));
	assert_null(request.document.plaintext.bytes);
}

static void
test_unsound(void **state)
{
	unsigned char byte;

	(void)state;
	give(&request.document.plaintext, PLAIN, PLAIN_SIZE);
	PERFORM(&encrypt, 3);
	take_ciphertext(3);
	give(&request.document.associated_data, "place", 5);
	PERFORM(&decrypt, 3);
	assert_told(3, false);
	assert_null(request.document.plaintext.bytes);
	document_value_free(&request.document.associated_data);
	byte = request.document.ciphertext.bytes[20]++;
	PERFORM(&decrypt, 3);
	assert_told(3, false);
	request.document.ciphertext.bytes[20] = byte;
	/* As of another rotation. */
	request.document.ciphertext.bytes[4] = 2;
	PERFORM(&decrypt, 3, 2);
	assert_told(3, false);
	request.document.ciphertext.bytes[4] = 3;
	request.document.ciphertext.bytes[0] = 2;
	PERFORM(&decrypt, 3);
	assert_told(3, false);
	request.document.ciphertext.bytes[0] = 1;
	/* A plaintext that came with it is not taken for what was opened. */
	give(&request.document.plaintext, PLAIN, PLAIN_SIZE);
	request.document.ciphertext.size--;
	PERFORM(&decrypt, 3);
	assert_told(3, false);
	assert_null(request.document.plaintext.bytes);
	request.document.ciphertext.size++;
	PERFORM(&decrypt, 3);
	assert_told(3, true);
	document_value_free(&request.document.ciphertext);
	PERFORM(&decrypt, 3);
	assert_told(3, false);
	assert_int_equal(next, REQUEST_AGAIN);
}

static void
test_data_key(void **state)
{
	char first[CRYPTO_KEY_SIZE];

	(void)state;
	PERFORM(&generate, 2);
	assert_told(2, true);
	assert_int_equal(request.document.plaintext.size, CRYPTO_KEY_SIZE);
	assert_not_told(&request.document.plaintext);
	memcpy(first, request.document.plaintext.bytes, sizeof(first));
	PERFORM(&generate, 3);
	assert_memory_not_equal(
	    request.document.plaintext.bytes, first, sizeof(first));
	memcpy(first, request.document.plaintext.bytes, sizeof(first));
	take_ciphertext(3);
	PERFORM(&decrypt, 3);
	assert_plain(first, sizeof(first));
}

/* The API function is told that a rotation does not open, and nothing else. */
static void
assert_told_closed(int newest)
{
	char text[128], kek[UUID_STR_LEN];

	uuid_unparse_lower(rotations[newest].kek, kek);
	snprintf(text, sizeof(text),
	    "\"cipher\":{\"kek_id\":\"%s\",\"rotation\":%d,\"opened\":false}",
	    kek, newest);
	assert_non_null(strstr(fake_document(&request), text));
}

static void
test_keys_that_do_not_open(void **state)
{
	struct json_object *challenge = json_object_new_object();

	(void)state;
	give(&request.document.plaintext, PLAIN, PLAIN_SIZE);
	PERFORM(&encrypt, 1);
	take_ciphertext(1);
	rotations[2].wrapped.bytes[30] ^= 1;
	PERFORM(&encrypt, 2);
	assert_told_closed(2);
	PERFORM(&generate, 2);
	assert_told_closed(2);
	PERFORM(&decrypt, 2, 1);
	assert_told_closed(2);
	request.document.ciphertext.bytes[4] = 2;
	PERFORM(&decrypt, 3, 2);
	assert_told_closed(3);
	assert_null(request.document.plaintext.bytes);
	assert_int_equal(next, REQUEST_AGAIN);
	assert_failed(
	    &request, key_use_perform(&request, keyring, cache, challenge));
	json_object_put(challenge);
}

/* Whether it is done before the first round. */
static bool
guesses(const struct endpoint *endpoint)
{
	request.route.endpoint = endpoint;
	json_object_object_del(request.document.json, "cipher");
	key_use_guess(&request, keyring, cache);
	return (
	    json_object_object_get_ex(request.document.json, "cipher", NULL));
}

static void
test_newest_rotation_is_remembered(void **state)
{
	(void)state;
	give(&request.document.plaintext, PLAIN, PLAIN_SIZE);
	give(&request.document.associated_data, "place", 5);
	assert_false(guesses(&encrypt));
	PERFORM(&encrypt, 1);
	assert_true(guesses(&encrypt));
	assert_told(1, true);
	assert_not_told(&request.document.plaintext);
	take_ciphertext(1);
	document_value_free(&request.document.plaintext);
	assert_true(guesses(&decrypt));
	assert_told(1, true);
	assert_null(told("ciphertext"));
	assert_plain(PLAIN, PLAIN_SIZE);
	assert_true(guesses(&generate));
	assert_told(1, true);
	assert_int_equal(request.document.plaintext.size, CRYPTO_KEY_SIZE);
	/* What does not open is told to the API function, which may refuse it sooner. */
	give(&request.document.plaintext, PLAIN, PLAIN_SIZE);
	request.document.associated_data.size--;
	assert_true(guesses(&decrypt));
	assert_told(1, false);
	assert_null(request.document.plaintext.bytes);
	request.document.associated_data.size++;
	/* There is a newer one, and the API function says so. */
	give(&request.document.plaintext, PLAIN, PLAIN_SIZE);
	PERFORM(&encrypt, 2);
	assert_true(guesses(&encrypt));
	assert_told(2, true);
	/* For an older ciphertext more is needed than is remembered. */
	assert_false(guesses(&decrypt));
	PERFORM(&decrypt, 2, 1);
	assert_plain(PLAIN, PLAIN_SIZE);
	assert_int_equal(next, REQUEST_AGAIN);
}

static void
test_nothing_is_guessed(void **state)
{
	struct key_cache_entry entry = { .rotation = 0 };
	uuid_t key;

	(void)state;
	give(&request.document.plaintext, PLAIN, PLAIN_SIZE);
	/* Of a key that does not open nothing is remembered. */
	rotations[2].wrapped.bytes[30] ^= 1;
	PERFORM(&encrypt, 2);
	assert_false(guesses(&encrypt));
	PERFORM(&encrypt, 1);
	assert_true(guesses(&encrypt));
	/* Nor without a plaintext or a ciphertext. */
	document_value_free(&request.document.plaintext);
	assert_false(guesses(&encrypt));
	assert_false(guesses(&decrypt));
	/* What is remembered of a secret is no rotation. */
	uuid_parse(KEY, key);
	uuid_copy(entry.project, project);
	uuid_copy(entry.kek, rotations[1].kek);
	key_cache_put(cache, key, &entry);
	assert_false(guesses(&generate));
	/* A key that is not open any more. */
	entry.rotation = 3;
	uuid_copy(entry.kek, rotations[3].kek);
	key_cache_put(cache, key, &entry);
	assert_false(guesses(&generate));
	json_object_object_del(request.document.json, "path");
	assert_false(guesses(&generate));
}

static void
assert_answer(const char *text)
{
	size_t size = evbuffer_get_length(request.body);

	assert_int_equal(size, strlen(text));
	assert_memory_equal(evbuffer_pullup(request.body, -1), text, size);
	evbuffer_drain(request.body, size);
}

static void
test_answer(void **state)
{
	struct json_object *body;

	(void)state;
	request.route.endpoint = &other;
	assert_false(key_use_has_plaintext(&request));
	request.route.endpoint = &encrypt;
	assert_false(key_use_has_plaintext(&request));
	request.route.endpoint = &decrypt;
	assert_true(key_use_has_plaintext(&request));
	request.route.endpoint = &generate;
	assert_true(key_use_has_plaintext(&request));
	json_object_object_get_ex(request.document.json, "body", &body);
	json_object_object_add(
	    body, "without_plaintext", json_object_new_boolean(false));
	assert_true(key_use_has_plaintext(&request));
	json_object_object_add(
	    body, "without_plaintext", json_object_new_boolean(true));
	assert_false(key_use_has_plaintext(&request));

	assert_false(key_use_answer(&request, BODY, strlen(BODY)));
	give(&request.document.plaintext, "\0\1\2\3", 4);
	assert_true(key_use_answer(&request, BODY, strlen(BODY)));
	assert_answer("{\"key_id\":\"k\",\"plaintext\":\"AAECAw==\","
		      "\"ciphertext\":null}");
	assert_false(key_use_answer(&request, "{}", 2));
	/* Not beyond its end. */
	assert_false(key_use_answer(&request, BODY, strlen(BODY) - 20));
	assert_answer("");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    test_round_trip, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_older_rotation_gives_the_newest_too, set_up,
		    tear_down),
		cmocka_unit_test_setup_teardown(
		    test_unsound, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_data_key, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_keys_that_do_not_open, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_newest_rotation_is_remembered, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_nothing_is_guessed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_answer, set_up, tear_down),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
