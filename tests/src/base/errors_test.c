#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "base/errors.h"
#include "tests/src/test.h"

/* The form of all errors: compact, members in alphabetical order. */
static void
test_bodies(void **state)
{
	struct json_object *object;
	const char *last;
	char body[512];
	size_t i;

	(void)state;
	for (i = 0; i < ERROR_COUNT; i++) {
		assert_non_null(errors[i].name);
		assert_in_range(errors[i].status, 400, 505);
		/* It may not be sent again before somebody has looked. */
		assert_int_equal(i != ERROR_IN_DOUBT &&
			(errors[i].status == 503 || errors[i].status == 429),
		    errors[i].retry_after > 0);
		assert_true(snprintf(body, sizeof(body), errors[i].body, "1") <
		    (int)sizeof(body));
		object = json_tokener_parse(body);
		assert_non_null(object);
		assert_string_equal(json_object_to_json_string_ext(
					object, JSON_C_TO_STRING_PLAIN),
		    body);
		assert_true(json_object_object_get_ex(object, "type", NULL));
		assert_true(json_object_object_get_ex(object, "message", NULL));
		last = "";
		json_object_object_foreach (object, name, value) {
			(void)value;
			assert_true(strcmp(last, name) < 0);
			last = name;
		}
		json_object_put(object);
	}
}

/* The first prefix counts: none may stand behind one that covers it. */
static void
test_sqlstates(void **state)
{
	size_t i, j, size;

	(void)state;
	for (i = 0; i < error_sqlstates_count; i++) {
		size = strlen(error_sqlstates[i].prefix);
		assert_in_range(size, 2, 5);
		for (j = i + 1; j < error_sqlstates_count; j++)
			assert_int_not_equal(
			    strncmp(error_sqlstates[i].prefix,
				error_sqlstates[j].prefix, size),
			    0);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bodies),
		cmocka_unit_test(test_sqlstates),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
