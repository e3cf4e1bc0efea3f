#include "base/base64.h"
#include "call/challenge.h"
#include "call/key_use.h"
#include "call/long_poll.h"
#include "tests/src/call_fake.h"

#define KEY "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"
#define PROJECT "11111111-2222-4333-8444-555555555555"

static struct service service;
static struct request request;
static const char *met; /* by whom */

/* Those whom needs are handed to ------------------------------------------- */

void
wrap_key_open(struct request *one, struct json_object *need)
{
	assert_ptr_equal(one, &request);
	assert_string_equal(challenge_text(need, "member"), "value");
	met = "wrap_key_open";
}

void
wrap_key_make_kek(struct request *one, struct json_object *need)
{
	(void)one;
	(void)need;
	met = "wrap_key_make_kek";
}

void
key_use_perform(struct request *one, struct json_object *need)
{
	(void)one;
	(void)need;
	met = "key_use_perform";
}

void
long_poll_wait(struct request *one, struct json_object *need)
{
	(void)one;
	(void)need;
	met = "long_poll_wait";
}

/* Tests -------------------------------------------------------------------- */

static int
set_up(void **state)
{
	(void)state;
	fake_service(&service);
	memset(&request, 0, sizeof(request));
	request.service = &service;
	request.document = json_object_new_object();
	met = NULL;
	return (0);
}

static int
tear_down(void **state)
{
	(void)state;
	json_object_put(request.document);
	keyring_free(service.keyring);
	return (0);
}

static void
assert_met(const char *text, const char *by)
{
	met = NULL;
	challenge_meet(&request, text);
	assert_string_equal(met, by);
}

static void
test_each_need_is_met(void **state)
{
	(void)state;
	assert_met("{\"need\":\"key\",\"member\":\"value\"}", "wrap_key_open");
	assert_met("{\"need\":\"kek\"}", "wrap_key_make_kek");
	assert_met("{\"need\":\"cipher\"}", "key_use_perform");
	assert_met("{\"need\":\"change\"}", "long_poll_wait");
	fake_expect((struct fake){ .again = 0 });
	assert_false(request.call.alone);
	challenge_meet(&request, "{\"need\":\"alone\"}");
	assert_true(request.call.alone);
	fake_expect((struct fake){ .again = 1 });
}

static void
test_unknown_needs(void **state)
{
	static const char *const texts[] = { "", "no json", "[]", "{}",
		"{\"need\":null}", "{\"need\":\"\"}", "{\"need\":\"keys\"}",
		"{\"need\":7}" };
	const int count = sizeof(texts) / sizeof(texts[0]);
	int i;

	(void)state;
	for (i = 0; i < count; i++)
		challenge_meet(&request, texts[i]);
	fake_expect((struct fake){ .failed = count });
}

static const char *
material(const char *name)
{
	struct json_object *object;

	assert_true(
	    json_object_object_get_ex(request.document, "material", &object));
	return (challenge_text(object, name));
}

static void
test_material(void **state)
{
	static const char need[] =
	    "{\"need\":\"material\",\"key_id\":\"" KEY
	    "\",\"project_id\":\"" PROJECT
	    "\",\"rotation\":7,\"active_root_id\":\"" FAKE_ROOT_ID "\"}";
	struct keyring_wrapped wrapped;
	struct keyring_place place;
	struct json_object *object;
	char before[UUID_STR_LEN];

	(void)state;
	challenge_meet(&request, need);
	fake_expect((struct fake){ .again = 1 });
	assert_string_equal(material("key_id"), KEY);
	/* It is a KEK of that project, and of that rotation of the key. */
	json_object_object_get_ex(request.document, "material", &object);
	challenge_rotation(object, object, &place);
	assert_int_equal(place.rotation, 7);
	assert_true(challenge_uuid(object, "kek_id", place.kek));
	challenge_wrapped(object, &wrapped);
	assert_int_equal(uuid_parse(PROJECT, place.project), 0);
	assert_true(keyring_kek_open(service.keyring, &place, &wrapped));
	place.rotation = 8;
	assert_false(keyring_kek_open(service.keyring, &place, &wrapped));
	/* Asked again, it is another. */
	snprintf(before, sizeof(before), "%s", material("kek_id"));
	challenge_meet(&request, need);
	assert_string_not_equal(material("kek_id"), before);
	fake_expect((struct fake){ .again = 2 });
	challenge_meet(
	    &request, "{\"need\":\"material\",\"key_id\":\"" KEY "\"}");
	fake_expect((struct fake){ .again = 2, .failed = 1 });
	/* The root key to wrap it under is not loaded. */
	challenge_meet(&request,
	    "{\"need\":\"material\",\"project_id\":\"" PROJECT
	    "\",\"rotation\":1,\"active_root_id\":\"0000000000000000\"}");
	fake_expect((struct fake){ .again = 2, .failed = 1, .finished = 1 });
	assert_ptr_equal(request.error, &errors[ERROR_UNAVAILABLE]);
}

static void
test_wrapped(void **state)
{
	static const char *const texts[] = {
		"{}",
		"{\"root_id\":\"4f66d70271577fed\"}",
		"{\"root_id\":\"4f66d70271577fed\",\"wrapped\":\"AAAA\"}",
		"{\"root_id\":\"4f66d70271577fed\",\"wrapped\":7}",
		/* One digit is missing, or no base64. */
		"{\"root_id\":\"4f66d70271577fe\",\"wrapped\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}",
		"{\"root_id\":\"4f66d70271577fed\",\"wrapped\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA*A\"}",
		"{\"root_id\":\"4f66d70271577fed\",\"wrapped\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\"}",
	};
	struct keyring_wrapped wrapped;
	struct json_object *object;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		object = json_tokener_parse(texts[i]);
		challenge_wrapped(object, &wrapped);
		assert_string_equal(wrapped.root_id, "");
		json_object_put(object);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    test_each_need_is_met, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_unknown_needs, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_material, set_up, tear_down),
		cmocka_unit_test(test_wrapped),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
