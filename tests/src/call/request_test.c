#include "tests/src/call_fake.h"

static struct request request;

static void
test_refusals(void **state)
{
	(void)state;
	assert_false(request_refuse(&request, ERROR_NO_ROUTE));
	assert_ptr_equal(request.error, &errors[ERROR_NO_ROUTE]);
	assert_false(request_refuse_argument(&request, "name"));
	assert_ptr_equal(request.error, &errors[ERROR_ARGUMENT]);
	assert_string_equal(request.argument, "name");
	assert_false(request_refuse_saying(&request, ERROR_TOO_MANY, "10"));
	assert_ptr_equal(request.error, &errors[ERROR_TOO_MANY]);
	assert_string_equal(request.argument, "10");
	assert_failed(&request, request_fail(&request, "a fault"));
}

static void
test_activate(void **state)
{
	struct keyring *keyring = fake_keyring();

	(void)state;
	request.error = NULL;
	assert_true(request_activate(&request, keyring, FAKE_ROOT_ID));
	assert_null(request.error);
	assert_false(request_activate(&request, keyring, "0000000000000000"));
	assert_ptr_equal(request.error, &errors[ERROR_UNAVAILABLE]);
	keyring_free(keyring);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_activate),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
