#include <string.h>

#include "base/memory.h"
#include "base/percent.h"
#include "tests/src/test.h"

static void
decoded(const char *escaped, bool plus, const char *expected, size_t length)
{
	size_t size = strlen(escaped);
	char *plain = percent_decode(escaped, &size, plus);

	assert_int_equal(size, length);
	assert_memory_equal(plain, expected, length + 1);
	memory_free(plain);
}

static void
test_decode(void **state)
{
	(void)state;
	decoded("", true, "", 0);
	decoded("a%20b%2Fc%2f", true, "a b/c/", 6);
	decoded("%00", true, "\0", 1);
	decoded("a+b", true, "a b", 3);
	decoded("a+b", false, "a+b", 3);
	decoded("%", true, "%", 1);
	decoded("%4", true, "%4", 2);
	decoded("%G0%0G", true, "%G0%0G", 6);
	decoded("%2541", true, "%41", 3);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_decode),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
