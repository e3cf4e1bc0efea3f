#include "base/base64.h"
#include "call/wrap_key.h"
#include "db/query.h"
#include "keys/key_cache.h"
#include "tests/src/call_fake.h"
#include "tests/src/result.h"

#define SECRET "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"
#define PROJECT "11111111-2222-4333-8444-555555555555"

static const struct endpoint reads = { .flags = ENDPOINT_READS };

static struct keyring *keyring;
static struct key_cache *cache;
static struct request request;
static struct wrap_key key;
static struct query query;
static uuid_t secret, project, kek;
static struct keyring_wrapped wrapped;

static void
begin(const char *document)
{
	document_free(&request.document);
	memset(&request, 0, sizeof(request));
	memset(&key, 0, sizeof(key));
	key.request = &request;
	key.keyring = keyring;
	key.cache = cache;
	request.route.endpoint = &reads;
	request.document.json = json_tokener_parse(document);
}

static int
set_up(void **state)
{
	struct keyring_place place = { .rotation = 0 };

	(void)state;
	keyring = fake_keyring();
	cache = key_cache_new(64);
	uuid_parse(SECRET, secret);
	uuid_parse(PROJECT, project);
	uuid_copy(place.project, project);
	keyring_kek_make(keyring, &place, &wrapped);
	uuid_copy(kek, place.kek);
	begin("{\"path\":{\"secret_id\":\"" SECRET "\"}}");
	return (0);
}

static int
tear_down(void **state)
{
	(void)state;
	document_free(&request.document);
	key_cache_free(cache);
	keyring_free(keyring);
	return (0);
}

/* What an API function says when it needs the key. */
static struct json_object *
challenge_for_key(void)
{
	struct json_object *challenge = json_object_new_object();
	char text[BASE64_ENCODED_SIZE(CRYPTO_SEALED_SIZE)];

	json_object_object_add(
	    challenge, "secret_id", json_object_new_string(SECRET));
	json_object_object_add(
	    challenge, "project_id", json_object_new_string(PROJECT));
	uuid_unparse_lower(kek, text);
	json_object_object_add(
	    challenge, "kek_id", json_object_new_string(text));
	json_object_object_add(
	    challenge, "root_id", json_object_new_string(wrapped.root_id));
	base64_encode(wrapped.bytes, sizeof(wrapped.bytes), text);
	json_object_object_add(
	    challenge, "wrapped", json_object_new_string(text));
	return (challenge);
}

static void
unwrap(void)
{
	struct json_object *challenge = challenge_for_key();

	assert_int_equal(wrap_key_unwrap(&key, challenge), REQUEST_AGAIN);
	json_object_put(challenge);
}

static void
assert_key(void)
{
	unsigned char expected[KEYRING_WRAP_KEY_SIZE];
	char text[256], id[UUID_STR_LEN];

	assert_true(key.known);
	assert_true(keyring_wrap_key(keyring, kek, project, secret, expected));
	assert_memory_equal(key.bytes, expected, sizeof(expected));
	wrap_key_describe(&key);
	uuid_unparse_lower(kek, id);
	snprintf(text, sizeof(text),
	    "\"key\":{\"secret_id\":\"" SECRET "\",\"kek_id\":\"%s\"}", id);
	assert_non_null(strstr(fake_document(&request), text));
}

static void
test_asked_for_and_remembered(void **state)
{
	(void)state;
	wrap_key_guess(&key);
	assert_false(key.known);
	wrap_key_describe(&key);
	assert_null(strstr(fake_document(&request), "\"key\""));
	unwrap();
	assert_key();
	/* The next call brings it along. */
	begin("{\"path\":{\"secret_id\":\"" SECRET "\"}}");
	wrap_key_guess(&key);
	assert_key();
	begin("{\"path\":{\"secret_id\":\"none\"}}");
	wrap_key_guess(&key);
	assert_false(key.known);
}

static void
test_remembered_by_path(void **state)
{
	(void)state;
	begin("{\"path\":{}}");
	request.target = "/by/path";
	wrap_key_guess(&key);
	assert_false(key.known);
	unwrap();
	begin("{\"path\":{}}");
	request.target = "/by/path";
	wrap_key_guess(&key);
	assert_key();
}

/* The API function is told that there is no key, and of which KEK. */
static void
assert_refused(void)
{
	char text[256], id[UUID_STR_LEN];

	assert_false(key.known);
	wrap_key_describe(&key);
	uuid_unparse_lower(kek, id);
	snprintf(text, sizeof(text),
	    "\"key\":{\"secret_id\":\"" SECRET
	    "\",\"kek_id\":\"%s\",\"opened\":false}",
	    id);
	assert_non_null(strstr(fake_document(&request), text));
}

static void
test_what_does_not_open(void **state)
{
	struct json_object *challenge;

	(void)state;
	wrapped.bytes[30] ^= 1;
	unwrap();
	assert_refused();
	wrapped.bytes[30] ^= 1;
	challenge = challenge_for_key();
	json_object_object_add(
	    challenge, "wrapped", json_object_new_string("AAAA"));
	assert_int_equal(wrap_key_unwrap(&key, challenge), REQUEST_AGAIN);
	assert_refused();
	json_object_put(challenge);
	/* Nothing of it is remembered. */
	wrap_key_guess(&key);
	assert_false(key.known);
	/* Another key may open. */
	unwrap();
	assert_key();
	/* What is not a challenge is a fault. */
	challenge = json_object_new_object();
	assert_failed(&request, wrap_key_unwrap(&key, challenge));
	assert_failed(&request, wrap_key_make_kek(&key, challenge, &query));
	json_object_put(challenge);
}

static enum request_next
make_kek(const char *root_id)
{
	struct json_object *challenge = challenge_for_key();
	enum request_next next;

	json_object_object_add(
	    challenge, "active_root_id", json_object_new_string(root_id));
	next = wrap_key_make_kek(&key, challenge, &query);
	json_object_put(challenge);
	return (next);
}

static enum request_next
keep(size_t wrapped_size)
{
	PGresult *result =
	    result_new(&statement_find(STATEMENT_KEK_KEEP)->columns);
	enum request_next next;

	assert_int_equal(make_kek(FAKE_ROOT_ID), REQUEST_QUERY);
	assert_string_equal(query.statement, STATEMENT_KEK_KEEP);
	assert_int_equal(query.count, 4);
	assert_string_equal(query.parameters[0].value, PROJECT);
	/* Another daemon was first: this is its key. */
	result_set(result, 0, 0, kek, sizeof(kek));
	result_set(result, 0, 1, wrapped.root_id, ROOT_KEY_ID_SIZE - 1);
	result_set(result, 0, 2, wrapped.bytes, wrapped_size);
	next = wrap_key_stored(&key, result);
	PQclear(result);
	return (next);
}

static void
test_kek_is_made_and_another_kept(void **state)
{
	(void)state;
	assert_int_equal(keep(sizeof(wrapped.bytes)), REQUEST_AGAIN);
	assert_key();
	assert_failed(&request, keep(sizeof(wrapped.bytes) - 1));
}

/* The API function is asked again, which says what is active. */
static void
test_another_root_key_is_active(void **state)
{
	PGresult *result =
	    result_new(&statement_find(STATEMENT_KEK_KEEP)->columns);

	(void)state;
	assert_int_equal(make_kek(FAKE_ROOT_ID), REQUEST_QUERY);
	assert_int_equal(wrap_key_stored(&key, result), REQUEST_AGAIN);
	assert_false(key.known);
	assert_int_equal(make_kek("0000000000000000"), REQUEST_ENDS);
	assert_ptr_equal(request.error, &errors[ERROR_UNAVAILABLE]);
	PQclear(result);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    test_asked_for_and_remembered, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_remembered_by_path, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_what_does_not_open, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_kek_is_made_and_another_kept, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_another_root_key_is_active, set_up, tear_down),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
