#include <string.h>

#include "call/member.h"
#include "tests/src/test.h"

#define ID "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"

static void
test_values(void **state)
{
	struct json_object *object = json_tokener_parse(
	    "{\"text\":\"a\",\"number\":7,\"half\":7.5,\"id\":\"" ID "\"}");
	uuid_t id, expected;

	(void)state;
	assert_string_equal(member_text(object, "text"), "a");
	assert_string_equal(member_text(object, "number"), "");
	assert_string_equal(member_text(object, "none"), "");
	assert_string_equal(member_text(NULL, "text"), "");
	assert_int_equal(member_number(object, "number", 0, 7), 7);
	assert_int_equal(member_number(object, "number", 0, 6), -1);
	assert_int_equal(member_number(object, "number", 8, 9), -1);
	assert_int_equal(member_number(object, "half", 0, 9), -1);
	assert_int_equal(member_number(object, "text", 0, 9), -1);
	assert_int_equal(member_number(object, "none", 0, 9), -1);
	assert_true(member_uuid(object, "id", id));
	uuid_parse(ID, expected);
	assert_memory_equal(id, expected, sizeof(id));
	assert_false(member_uuid(object, "text", id));
	json_object_put(object);
}

static void
test_rotation(void **state)
{
	struct json_object *object =
	    json_tokener_parse("{\"key_id\":\"" ID "\",\"rotation\":3}");
	struct json_object *none = json_object_new_object();
	struct keyring_place place;

	(void)state;
	member_rotation(object, object, &place);
	assert_false(uuid_is_null(place.key));
	assert_int_equal(place.rotation, 3);
	member_rotation(none, none, &place);
	assert_true(uuid_is_null(place.key));
	assert_int_equal(place.rotation, 0);
	json_object_put(object);
	json_object_put(none);
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
		member_wrapped(object, &wrapped);
		assert_string_equal(wrapped.root_id, "");
		json_object_put(object);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_rotation),
		cmocka_unit_test(test_wrapped),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
