#include <event2/event.h>
#include <string.h>

#include "call/budget.h"
#include "tests/src/test.h"

#define ANSWER ((size_t)8 << 20)

static struct event_base *base;
static struct budget *budget;
static bool stopping;
static size_t memory;
static char decided[16];

struct call {
	struct budget_call call;
	char name;
};

static void
note(void *owner, bool passes)
{
	const struct call *call = owner;

	decided[strlen(decided)] = passes ? call->name : '-';
}

static void
start(struct call *call, char name, bool large)
{
	memset(call, 0, sizeof(*call));
	call->call.decided = note;
	call->call.owner = call;
	call->name = name;
	budget_begin(budget, &call->call, large);
}

static void
end(struct call *call)
{
	budget_end(budget, &call->call);
}

static size_t
used(void *owner)
{
	assert_ptr_equal(owner, &memory);
	return (memory);
}

static void
assert_decided(const char *expected)
{
	event_base_loop(base, EVLOOP_NONBLOCK);
	assert_string_equal(decided, expected);
}

/* Room for so many pages of the largest size. */
static int
set_up(void **state)
{
	(void)state;
	memset(decided, 0, sizeof(decided));
	stopping = false;
	memory = 0;
	base = event_base_new();
	budget = budget_new(base, 2 * ANSWER * 2, &stopping, used, &memory);
	return (0);
}

static int
tear_down(void **state)
{
	(void)state;
	budget_free(budget);
	event_base_free(base);
	return (0);
}

static void
test_lists_wait_for_each_other(void **state)
{
	struct call requests[6];

	(void)state;
	start(&requests[0], 'a', true);
	start(&requests[1], 'b', true);
	start(&requests[2], 'c', true);
	start(&requests[3], 'd', true);
	assert_decided("ab");
	/* Others have nothing to do with that. */
	start(&requests[4], 'e', false);
	assert_decided("abe");
	end(&requests[4]);
	assert_decided("abe");
	end(&requests[1]);
	assert_decided("abec");
	/* Twice is once. */
	end(&requests[1]);
	assert_decided("abec");
	end(&requests[0]);
	end(&requests[2]);
	assert_decided("abecd");
	start(&requests[5], 'f', true);
	assert_decided("abecdf");
}

static void
test_one_that_waits_may_leave(void **state)
{
	struct call requests[4];

	(void)state;
	start(&requests[0], 'a', true);
	start(&requests[1], 'b', true);
	start(&requests[2], 'c', true);
	start(&requests[3], 'd', true);
	end(&requests[2]);
	end(&requests[0]);
	assert_decided("abd");
}

static void
test_all_go_on_when_the_daemon_stops(void **state)
{
	struct call requests[4];

	(void)state;
	start(&requests[0], 'a', true);
	start(&requests[1], 'b', true);
	start(&requests[2], 'c', true);
	start(&requests[3], 'd', true);
	assert_decided("ab");
	stopping = true;
	end(&requests[0]);
	assert_decided("abcd");
}

static void
test_memory_is_spent(void **state)
{
	struct call calls[3];

	(void)state;
	memory = 2 * ANSWER * 2 + 1;
	start(&calls[0], 'a', false);
	assert_decided("-");
	start(&calls[1], 'b', true);
	assert_decided("-");
	memory = 0;
	start(&calls[2], 'c', true);
	assert_decided("-bc");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    test_lists_wait_for_each_other, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_one_that_waits_may_leave, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_memory_is_spent, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_all_go_on_when_the_daemon_stops, set_up, tear_down),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
