#include <string.h>

#include "base/endpoints.h"
#include "base/route.h"
#include "tests/src/test.h"

/* Whether it looks at many rows: lists of secret types, algorithms are fixed. */
static bool
is_list(const char *function)
{
	const char *suffix = strrchr(function, '_');

	if (suffix == NULL || strcmp(function, "secret_type_list") == 0 ||
	    strcmp(function, "algorithm_list") == 0)
		return (false);
	return (strcmp(suffix, "_list") == 0 || strcmp(suffix, "_browse") == 0);
}

static void
test_rows(void **state)
{
	const struct endpoint *row;
	const char *letter;
	size_t names, i, j;

	(void)state;
	assert_int_equal(endpoints_count, 22 + 15 + 2 + 3);
	for (i = 0; i < endpoints_count; i++) {
		row = &endpoints[i];
		/* A call reads, or changes, or is the daemon's own. */
		assert_int_equal(
		    __builtin_popcount(row->flags &
			(ENDPOINT_READS | ENDPOINT_CHANGES | ENDPOINT_LOCAL)),
		    1);
		/* What is posted to read is what is to be en- or decrypted. */
		if (row->flags & ENDPOINT_READS)
			assert_int_equal(row->method,
			    row->flags & ENDPOINT_CIPHERS ? EVHTTP_REQ_POST
							  : EVHTTP_REQ_GET);
		if (row->flags & (ENDPOINT_LISTS | ENDPOINT_SEARCHES))
			assert_true(row->flags & ENDPOINT_READS);
		assert_int_equal(
		    (row->flags & (ENDPOINT_LISTS | ENDPOINT_SEARCHES)) != 0,
		    is_list(row->function));
		/* A page that may be large takes long to make. */
		if (row->flags & ENDPOINT_LARGE)
			assert_true(row->flags & ENDPOINT_LISTS);
		assert_in_range(
		    __builtin_popcount(row->flags & ENDPOINT_CIPHERS), 0, 1);
		/* What is kept for one that comes again holds no plaintext. */
		if (row->flags & ENDPOINT_CIPHERS)
			assert_false(row->flags & ENDPOINT_CHANGES);
		/* It is a name in SQL without quoting. */
		assert_int_equal(
		    strspn(row->function, "abcdefghijklmnopqrstuvwxyz_"),
		    strlen(row->function));
		names = 0;
		for (letter = row->path; *letter != '\0'; letter++)
			names += *letter == '{';
		assert_in_range(names, 0, ROUTE_CAPTURES_MAX);
		for (j = 0; j < i; j++)
			assert_string_not_equal(
			    endpoints[j].function, row->function);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
