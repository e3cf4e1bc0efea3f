#include <event2/event.h>
#include <string.h>

#include "call/long_poll.h"
#include "tests/src/test.h"

#define CALLS 3

static struct event_base *base;
static struct long_polls *polls;
static struct call {
	struct long_poll poll;
	struct json_object *document;
} calls[CALLS];
static char resumed[16]; /* by their numbers; "!": for the last time */
static bool waits_again;

/* Whether the API function is told that the call may not wait. */
static bool
is_last(const struct call *call)
{
	const char *text = json_object_to_json_string_ext(
	    call->document, JSON_C_TO_STRING_PLAIN);

	if (strcmp(text, "{\"query\":{\"wait\":[\"0\"]}}") == 0)
		return (true);
	assert_string_equal(text, "{\"query\":{}}");
	return (false);
}

static enum request_next
wait_for(int i, int64_t seconds)
{
	return (long_poll_wait(&calls[i].poll, calls[i].document, seconds));
}

static void
note(void *owner)
{
	struct call *call = owner;
	const char number[] = { (char)('0' + (call - calls)), '\0' };

	strcat(resumed, number);
	strcat(resumed, is_last(call) ? "!" : "");
	if (waits_again)
		assert_int_equal(
		    wait_for((int)(call - calls), 60), REQUEST_WAITS);
}

static int
set_up(void **state)
{
	int i;

	(void)state;
	memset(calls, 0, sizeof(calls));
	memset(resumed, 0, sizeof(resumed));
	waits_again = false;
	base = event_base_new();
	polls = long_polls_new(base);
	for (i = 0; i < CALLS; i++) {
		calls[i].document = json_tokener_parse("{\"query\":{}}");
		calls[i].poll.polls = polls;
		calls[i].poll.resumed = note;
		calls[i].poll.owner = &calls[i];
		long_poll_sent(&calls[i].poll);
	}
	return (0);
}

static int
tear_down(void **state)
{
	int i;

	(void)state;
	for (i = 0; i < CALLS; i++) {
		long_poll_free(&calls[i].poll);
		json_object_put(calls[i].document);
	}
	long_polls_free(polls);
	event_base_free(base);
	return (0);
}

static void
wait_for_all(void)
{
	int i;

	for (i = 0; i < CALLS; i++)
		assert_int_equal(wait_for(i, 60), REQUEST_WAITS);
}

static void
test_a_change_comes(void **state)
{
	(void)state;
	wait_for_all();
	long_polls_notify(polls, 1);
	assert_string_equal(resumed, "012");
	/* Nobody waits; and it is the same change. */
	long_polls_notify(polls, 2);
	long_poll_sent(&calls[0].poll);
	assert_int_equal(wait_for(0, 60), REQUEST_WAITS);
	long_polls_notify(polls, 2);
	assert_string_equal(resumed, "012");
	long_polls_end(polls);
	assert_string_equal(resumed, "0120!");
}

/* A call that finds nothing waits on, and is not called twice in a round. */
static void
test_waits_again(void **state)
{
	int i;

	(void)state;
	wait_for_all();
	waits_again = true;
	/* The change is known before the calls are sent again. */
	for (i = 0; i < CALLS; i++)
		calls[i].poll.last_change = 1;
	long_polls_notify(polls, 1);
	assert_string_equal(resumed, "012");
	waits_again = false;
	long_polls_end(polls);
	assert_string_equal(resumed, "0120!1!2!");
}

static void
test_one_that_is_freed_is_not_resumed(void **state)
{
	(void)state;
	wait_for_all();
	long_poll_free(&calls[1].poll);
	calls[1].poll.end = NULL;
	long_poll_free(&calls[1].poll);
	long_polls_notify(polls, 1);
	assert_string_equal(resumed, "02");
}

static void
test_time_is_over(void **state)
{
	(void)state;
	assert_int_equal(wait_for(0, 0), REQUEST_WAITS);
	event_base_loop(base, EVLOOP_ONCE);
	assert_string_equal(resumed, "0!");
	/* The API function may ask again, in vain. */
	assert_int_equal(wait_for(0, 60), REQUEST_RESTART);
	assert_true(is_last(&calls[0]));
	assert_string_equal(resumed, "0!");
}

static void
test_time_is_over_while_it_runs(void **state)
{
	(void)state;
	assert_int_equal(wait_for(0, 0), REQUEST_WAITS);
	long_polls_notify(polls, 1);
	assert_string_equal(resumed, "0");
	event_base_loop(base, EVLOOP_ONCE);
	assert_string_equal(resumed, "0");
	long_poll_sent(&calls[0].poll);
	assert_int_equal(wait_for(0, 60), REQUEST_RESTART);
	assert_true(is_last(&calls[0]));
}

static void
test_a_change_came_before(void **state)
{
	(void)state;
	long_polls_notify(polls, 1);
	assert_int_equal(wait_for(0, 60), REQUEST_RESTART);
	assert_false(is_last(&calls[0]));
	long_poll_sent(&calls[0].poll);
	assert_int_equal(wait_for(0, 60), REQUEST_WAITS);
	assert_string_equal(resumed, "");
}

static void
test_nobody_waits_in_vain(void **state)
{
	(void)state;
	assert_int_equal(wait_for(0, -1), REQUEST_RESTART);
	assert_true(is_last(&calls[0]));
	long_polls_end(polls);
	assert_int_equal(wait_for(1, 60), REQUEST_RESTART);
	assert_true(is_last(&calls[1]));
	assert_string_equal(resumed, "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    test_a_change_comes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_waits_again, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_one_that_is_freed_is_not_resumed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_time_is_over, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_time_is_over_while_it_runs, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_a_change_came_before, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_nobody_waits_in_vain, set_up, tear_down),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
