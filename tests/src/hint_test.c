#include <string.h>

#include "../../src/hint.h"
#include "test.h"

static void
test_remembers(void **state)
{
	struct hints *hints = hint_new(64);
	struct hint hint, found;
	uuid_t secret, other;

	(void)state;
	uuid_generate_random(secret);
	uuid_generate_random(other);
	uuid_generate_random(hint.project);
	uuid_generate_random(hint.kek);
	hint.rotation = 7;
	assert_false(hint_get(hints, secret, &found));
	hint_put(hints, secret, &hint);
	assert_true(hint_get(hints, secret, &found));
	assert_memory_equal(&found, &hint, sizeof(hint));
	assert_false(hint_get(hints, other, &found));

	assert_false(hint_path_get(hints, "/a?name=b", other));
	hint_path_put(hints, "/a?name=b", secret);
	assert_true(hint_path_get(hints, "/a?name=b", other));
	assert_int_equal(uuid_compare(secret, other), 0);
	assert_false(hint_path_get(hints, "/a?name=c", other));
	hint_free(hints);
	hint_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_remembers),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
