#include <string.h>

#include "base/endpoints.h"
#include "base/methods.h"
#include "tests/src/test.h"

static void
test_names(void **state)
{
	size_t i;

	(void)state;
	assert_string_equal(method_name(EVHTTP_REQ_GET), "GET");
	assert_string_equal(method_name(EVHTTP_REQ_TRACE), "TRACE");
	assert_null(method_name(EVHTTP_REQ_CONNECT));
	for (i = 1; i < methods_count; i++)
		assert_true(strcmp(methods[i - 1].name, methods[i].name) < 0);
}

static void
test_all(void **state)
{
	(void)state;
	assert_true(methods_all() & EVHTTP_REQ_DELETE);
	assert_true(methods_all() & EVHTTP_REQ_TRACE);
	assert_false(methods_all() & EVHTTP_REQ_CONNECT);
}

static void
test_endpoints_have_names(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < endpoints_count; i++)
		assert_non_null(method_name(endpoints[i].method));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_all),
		cmocka_unit_test(test_endpoints_have_names),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
