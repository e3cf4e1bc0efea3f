#include <stdlib.h>
#include <string.h>

#include "call/long_poll.h"
#include "call/watch.h"
#include "http/request.h"
#include "tests/src/test.h"

static struct watch *watch;
static struct request requests[3];
static char told[16]; /* who was called: "0", or "0!" for the last time */
static bool park_again;

/* In the place of long_poll.c. */
void
long_poll_resume(struct request *request, bool last)
{
	const char number[] = { (char)('0' + (request - requests)), '\0' };

	assert_false(request->call.parked);
	strcat(told, number);
	strcat(told, last ? "!" : "");
	if (park_again)
		watch_park(watch, request);
}

static int
set_up(void **state)
{
	int i;

	(void)state;
	memset(requests, 0, sizeof(requests));
	memset(told, 0, sizeof(told));
	park_again = false;
	watch = watch_new();
	for (i = 0; i < 3; i++) {
		watch_park(watch, &requests[i]);
		assert_true(requests[i].call.parked);
	}
	return (0);
}

static int
tear_down(void **state)
{
	(void)state;
	watch_free(watch);
	return (0);
}

static void
test_ring(void **state)
{
	(void)state;
	watch_ring(watch);
	assert_string_equal(told, "012");
	watch_ring(watch);
	assert_string_equal(told, "012");
}

/* Who finds nothing waits on, and is not called twice in a round. */
static void
test_parked_again(void **state)
{
	(void)state;
	park_again = true;
	watch_ring(watch);
	assert_string_equal(told, "012");
	assert_true(requests[0].call.parked);
	park_again = false;
	watch_end(watch);
	assert_string_equal(told, "0120!1!2!");
}

static void
test_leave(void **state)
{
	(void)state;
	watch_leave(watch, &requests[1]);
	assert_false(requests[1].call.parked);
	watch_leave(watch, &requests[1]);
	watch_ring(watch);
	assert_string_equal(told, "02");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_ring, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_parked_again, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_leave, set_up, tear_down),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
