#include "call/challenge.h"
#include "call/key_use.h"
#include "call/long_poll.h"
#include "call/member.h"
#include "call/wrap_key.h"
#include "db/query.h"
#include "tests/src/call_fake.h"

#define KEY "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"
#define PROJECT "11111111-2222-4333-8444-555555555555"

static struct request request;
static struct wrap_key key;
static struct long_poll poll;
static struct query query;
static struct challenge challenge;
static const char *answered; /* by which step */

/* The steps that challenges are handed to ---------------------------------- */

enum request_next
wrap_key_unwrap(struct wrap_key *given, struct json_object *members)
{
	assert_ptr_equal(given, &key);
	assert_string_equal(member_text(members, "member"), "value");
	answered = "wrap_key_unwrap";
	return (REQUEST_AGAIN);
}

enum request_next
wrap_key_make_kek(struct wrap_key *given, struct json_object *members,
    struct query *statement)
{
	(void)members;
	assert_ptr_equal(given, &key);
	assert_ptr_equal(statement, &query);
	answered = "wrap_key_make_kek";
	return (REQUEST_QUERY);
}

enum request_next
key_use_perform(struct request *one, struct keyring *keyring,
    struct key_cache *cache, struct json_object *members)
{
	(void)cache;
	(void)members;
	assert_ptr_equal(one, &request);
	assert_ptr_equal(keyring, challenge.keyring);
	answered = "key_use_perform";
	return (REQUEST_AGAIN);
}

enum request_next
long_poll_wait(
    struct long_poll *one, struct json_object *document, int64_t seconds)
{
	assert_ptr_equal(one, &poll);
	assert_ptr_equal(document, request.document.json);
	assert_int_equal(seconds, 7);
	answered = "long_poll_wait";
	return (REQUEST_WAITS);
}

/* Tests -------------------------------------------------------------------- */

static int
set_up(void **state)
{
	(void)state;
	memset(&request, 0, sizeof(request));
	request.document.json = json_object_new_object();
	challenge = (struct challenge){
		.request = &request,
		.keyring = fake_keyring(),
		.key = &key,
		.poll = &poll,
		.query = &query,
	};
	return (0);
}

static int
tear_down(void **state)
{
	(void)state;
	document_free(&request.document);
	keyring_free(challenge.keyring);
	return (0);
}

static void
assert_answered(const char *text, const char *by, enum request_next next)
{
	answered = NULL;
	assert_int_equal(challenge_answer(&challenge, text), next);
	assert_string_equal(answered, by);
}

static void
test_each_challenge_is_answered(void **state)
{
	(void)state;
	assert_answered("{\"need\":\"key\",\"member\":\"value\"}",
	    "wrap_key_unwrap", REQUEST_AGAIN);
	assert_answered(
	    "{\"need\":\"kek\"}", "wrap_key_make_kek", REQUEST_QUERY);
	assert_answered(
	    "{\"need\":\"cipher\"}", "key_use_perform", REQUEST_AGAIN);
	assert_answered("{\"need\":\"change\",\"wait\":7}", "long_poll_wait",
	    REQUEST_WAITS);
	assert_false(challenge.alone);
	assert_int_equal(challenge_answer(&challenge, "{\"need\":\"alone\"}"),
	    REQUEST_AGAIN);
	assert_true(challenge.alone);
}

static void
test_unknown_challenges(void **state)
{
	static const char *const texts[] = { "", "no json", "[]", "{}",
		"{\"need\":null}", "{\"need\":\"\"}", "{\"need\":\"keys\"}",
		"{\"need\":7}" };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_failed(&request, challenge_answer(&challenge, texts[i]));
}

static const char *
material(const char *name)
{
	struct json_object *object;

	assert_true(json_object_object_get_ex(
	    request.document.json, "material", &object));
	return (member_text(object, name));
}

static void
test_material(void **state)
{
	static const char text[] =
	    "{\"need\":\"material\",\"key_id\":\"" KEY
	    "\",\"project_id\":\"" PROJECT
	    "\",\"rotation\":7,\"active_root_id\":\"" FAKE_ROOT_ID "\"}";
	struct keyring_wrapped wrapped;
	struct keyring_place place;
	struct json_object *object;
	char before[UUID_STR_LEN];

	(void)state;
	assert_int_equal(challenge_answer(&challenge, text), REQUEST_AGAIN);
	assert_string_equal(material("key_id"), KEY);
	/* It is a KEK of that project, and of that rotation of the key. */
	json_object_object_get_ex(request.document.json, "material", &object);
	member_rotation(object, object, &place);
	assert_int_equal(place.rotation, 7);
	assert_true(member_uuid(object, "kek_id", place.kek));
	member_wrapped(object, &wrapped);
	assert_int_equal(uuid_parse(PROJECT, place.project), 0);
	assert_true(keyring_kek_load(challenge.keyring, &place, &wrapped));
	place.rotation = 8;
	assert_false(keyring_kek_load(challenge.keyring, &place, &wrapped));
	/* Asked again, it is another. */
	snprintf(before, sizeof(before), "%s", material("kek_id"));
	assert_int_equal(challenge_answer(&challenge, text), REQUEST_AGAIN);
	assert_string_not_equal(material("kek_id"), before);
	assert_failed(&request,
	    challenge_answer(
		&challenge, "{\"need\":\"material\",\"key_id\":\"" KEY "\"}"));
	/* The root key to wrap it under is not loaded. */
	assert_int_equal(
	    challenge_answer(&challenge,
		"{\"need\":\"material\",\"project_id\":\"" PROJECT
		"\",\"rotation\":1,\"active_root_id\":\"0000000000000000\"}"),
	    REQUEST_ENDS);
	assert_ptr_equal(request.error, &errors[ERROR_UNAVAILABLE]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    test_each_challenge_is_answered, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_unknown_challenges, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_material, set_up, tear_down),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
