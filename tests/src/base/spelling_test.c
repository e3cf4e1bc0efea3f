#include <string.h>

#include "base/spelling.h"
#include "tests/src/test.h"

static const char *
nearest(const char *text)
{
	struct spelling spelling;

	spelling_begin(&spelling, text);
	spelling_consider(&spelling, "listen");
	spelling_consider(&spelling, "pool_size");
	spelling_consider(&spelling, "dsn");
	return (spelling.nearest);
}

static void
test_nearest(void **state)
{
	char text[200];

	(void)state;
	assert_string_equal(nearest("poolsize"), "pool_size");
	assert_string_equal(nearest("POOL_SIZES"), "pool_size");
	assert_string_equal(nearest("lisetn"), "listen");
	assert_null(nearest("dns1"));
	assert_string_equal(nearest("dsnn"), "dsn");
	assert_null(nearest(""));
	assert_null(nearest("loud"));
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	assert_null(nearest(text));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nearest),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
