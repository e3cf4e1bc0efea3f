/* clang-format off */
#include <event2/http.h>
#include <event2/http_struct.h>
/* clang-format on */

#include "base/base64.h"
#include "base/memory.h"
#include "keys/key_cache.h"
#include "tests/src/call_fake.h"
#include "tests/src/result.h"

#define SECRET "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"
#define PROJECT "11111111-2222-4333-8444-555555555555"

static const struct endpoint reads = { .flags = ENDPOINT_READS };

static struct service service;
static struct request request;
static uuid_t secret, project, kek;
static struct keyring_wrapped wrapped;

static void
begin(const char *document)
{
	json_object_put(request.document);
	memset(&request, 0, sizeof(request));
	request.service = &service;
	request.route.endpoint = &reads;
	request.document = json_tokener_parse(document);
}

static int
set_up(void **state)
{
	struct keyring_place place = { .rotation = 0 };

	(void)state;
	fake_service(&service);
	service.hints = key_cache_new(64);
	uuid_parse(SECRET, secret);
	uuid_parse(PROJECT, project);
	uuid_copy(place.project, project);
	keyring_kek_make(service.keyring, &place, &wrapped);
	uuid_copy(kek, place.kek);
	begin("{\"path\":{\"secret_id\":\"" SECRET "\"}}");
	return (0);
}

static int
tear_down(void **state)
{
	(void)state;
	json_object_put(request.document);
	request.document = NULL;
	key_cache_free(service.hints);
	keyring_free(service.keyring);
	return (0);
}

/* What a door says when it needs the key. */
static struct json_object *
need_of_key(void)
{
	struct json_object *need = json_object_new_object();
	char text[BASE64_ENCODED_SIZE(CRYPTO_SEALED_SIZE)];

	json_object_object_add(
	    need, "secret_id", json_object_new_string(SECRET));
	json_object_object_add(
	    need, "project_id", json_object_new_string(PROJECT));
	uuid_unparse_lower(kek, text);
	json_object_object_add(need, "kek_id", json_object_new_string(text));
	json_object_object_add(
	    need, "root_id", json_object_new_string(wrapped.root_id));
	base64_encode(wrapped.bytes, sizeof(wrapped.bytes), text);
	json_object_object_add(need, "wrapped", json_object_new_string(text));
	return (need);
}

static void
open_key(void)
{
	struct json_object *need = need_of_key();

	wrap_key_open(&request, need);
	json_object_put(need);
}

static void
assert_key(void)
{
	const struct wrap_key *key = &request.call.access_key;
	unsigned char expected[KEYRING_ACCESS_KEY_SIZE];
	char text[256], id[UUID_STR_LEN];

	assert_true(key->known);
	assert_true(keyring_access_key(
	    service.keyring, kek, project, secret, expected));
	assert_memory_equal(key->bytes, expected, sizeof(expected));
	wrap_key_describe(&request);
	uuid_unparse_lower(kek, id);
	snprintf(text, sizeof(text),
	    "\"key\":{\"secret_id\":\"" SECRET "\",\"kek_id\":\"%s\"}", id);
	assert_non_null(strstr(fake_document(&request), text));
}

static void
test_asked_for_and_remembered(void **state)
{
	(void)state;
	wrap_key_guess(&request);
	assert_false(request.call.access_key.known);
	wrap_key_describe(&request);
	assert_null(strstr(fake_document(&request), "\"key\""));
	open_key();
	fake_expect((struct fake){ .again = 1 });
	assert_key();
	/* The next call brings it along. */
	begin("{\"path\":{\"secret_id\":\"" SECRET "\"}}");
	wrap_key_guess(&request);
	assert_key();
	begin("{\"path\":{\"secret_id\":\"none\"}}");
	wrap_key_guess(&request);
	assert_false(request.call.access_key.known);
}

static void
test_remembered_by_path(void **state)
{
	struct evhttp_request *http = evhttp_request_new(NULL, NULL);

	(void)state;
	http->uri = memory_copy("/by/path");
	begin("{\"path\":{}}");
	request.http = http;
	wrap_key_guess(&request);
	assert_false(request.call.access_key.known);
	open_key();
	begin("{\"path\":{}}");
	request.http = http;
	wrap_key_guess(&request);
	assert_key();
	evhttp_request_free(http);
}

/* The door is told that there is no key, and of which KEK. */
static void
assert_closed(void)
{
	char text[256], id[UUID_STR_LEN];

	assert_false(request.call.access_key.known);
	wrap_key_describe(&request);
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
	struct json_object *need;

	(void)state;
	wrapped.bytes[30] ^= 1;
	open_key();
	fake_expect((struct fake){ .again = 1 });
	assert_closed();
	wrapped.bytes[30] ^= 1;
	need = need_of_key();
	json_object_object_add(need, "wrapped", json_object_new_string("AAAA"));
	wrap_key_open(&request, need);
	fake_expect((struct fake){ .again = 2 });
	assert_closed();
	json_object_put(need);
	/* Nothing of it is remembered. */
	wrap_key_guess(&request);
	assert_false(request.call.access_key.known);
	/* Another key may open. */
	open_key();
	fake_expect((struct fake){ .again = 3 });
	assert_key();
	/* What is no need is a fault. */
	json_object_put(request.document);
	request.document = json_object_new_object();
	wrap_key_open(&request, request.document);
	wrap_key_make_kek(&request, request.document);
	fake_expect((struct fake){ .again = 3, .failed = 2 });
}

static void
make_kek(const char *root_id)
{
	struct json_object *need = need_of_key();

	json_object_object_add(
	    need, "active_root_id", json_object_new_string(root_id));
	wrap_key_make_kek(&request, need);
	json_object_put(need);
}

static void
keep(size_t wrapped_size)
{
	PGresult *result =
	    result_new(&statement_find(STATEMENT_KEK_KEEP)->columns);

	make_kek(FAKE_ROOT_ID);
	assert_string_equal(request.call.query.parameters[0].value, PROJECT);
	/* Another daemon was first: this is its key. */
	result_set(result, 0, 0, kek, sizeof(kek));
	result_set(result, 0, 1, wrapped.root_id, ROOT_KEY_ID_SIZE - 1);
	result_set(result, 0, 2, wrapped.bytes, wrapped_size);
	fake_done(&request.call.query, result, NULL);
	PQclear(result);
}

static void
test_kek_is_made_and_another_kept(void **state)
{
	(void)state;
	keep(sizeof(wrapped.bytes));
	fake_expect((struct fake){ .asked = 1, .again = 1 });
	assert_key();
	keep(sizeof(wrapped.bytes) - 1);
	fake_expect((struct fake){ .asked = 2, .again = 1, .failed = 1 });
	fake_done(&request.call.query, NULL, &errors[ERROR_UNAVAILABLE]);
	fake_expect((struct fake){
	    .asked = 2, .again = 1, .failed = 1, .finished = 1 });
	assert_ptr_equal(request.error, &errors[ERROR_UNAVAILABLE]);
}

/* The door is asked again, which says what is active. */
static void
test_another_root_key_is_active(void **state)
{
	PGresult *result =
	    result_new(&statement_find(STATEMENT_KEK_KEEP)->columns);

	(void)state;
	make_kek(FAKE_ROOT_ID);
	fake_done(&request.call.query, result, NULL);
	fake_expect((struct fake){ .asked = 1, .again = 1 });
	assert_false(request.call.access_key.known);
	make_kek("0000000000000000");
	fake_expect((struct fake){ .asked = 1, .again = 1, .finished = 1 });
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
