#include <event2/event.h>
#include <string.h>

#include "call/budget.h"
#include "http/request.h"
#include "service.h"
#include "tests/src/test.h"

#define ANSWER (8L << 20)

static const struct endpoint list = { EVHTTP_REQ_GET, "/", "list",
	ENDPOINT_READS | ENDPOINT_LISTS | ENDPOINT_LARGE };
static const struct endpoint read_one = { EVHTTP_REQ_GET, "/", "read",
	ENDPOINT_READS };

static struct service service;
static char decided[16];

/* Each request bears its name where its argument would be. */
static void
note(struct request *request, bool passes)
{
	assert_true(passes);
	decided[strlen(decided)] = request->argument[0];
}

static void
start(
    struct request *request, const char *name, const struct endpoint *endpoint)
{
	memset(request, 0, sizeof(*request));
	request->service = &service;
	request->route.endpoint = endpoint;
	request->argument[0] = *name;
	budget_request(request, note);
}

static void
assert_decided(const char *expected)
{
	event_base_loop(service.base, EVLOOP_NONBLOCK);
	assert_string_equal(decided, expected);
}

/* Room for so many pages of the largest size. */
static int
set_up(void **state)
{
	(void)state;
	memset(&service, 0, sizeof(service));
	memset(decided, 0, sizeof(decided));
	service.settings.request_memory = 2 * ANSWER * 2;
	service.base = event_base_new();
	service.budget = budget_new(&service);
	return (0);
}

static int
tear_down(void **state)
{
	(void)state;
	budget_free(service.budget);
	event_base_free(service.base);
	return (0);
}

static void
test_lists_wait_for_each_other(void **state)
{
	struct request requests[6];

	(void)state;
	start(&requests[0], "a", &list);
	start(&requests[1], "b", &list);
	start(&requests[2], "c", &list);
	start(&requests[3], "d", &list);
	assert_decided("ab");
	/* Others have nothing to do with that. */
	start(&requests[4], "e", &read_one);
	assert_decided("abe");
	budget_leave(&requests[4]);
	assert_decided("abe");
	budget_leave(&requests[1]);
	assert_decided("abec");
	/* Twice is once. */
	budget_leave(&requests[1]);
	assert_decided("abec");
	budget_leave(&requests[0]);
	budget_leave(&requests[2]);
	assert_decided("abecd");
	start(&requests[5], "f", &list);
	assert_decided("abecdf");
}

static void
test_one_that_waits_may_leave(void **state)
{
	struct request requests[4];

	(void)state;
	start(&requests[0], "a", &list);
	start(&requests[1], "b", &list);
	start(&requests[2], "c", &list);
	start(&requests[3], "d", &list);
	budget_leave(&requests[2]);
	budget_leave(&requests[0]);
	assert_decided("abd");
}

static void
test_all_go_on_when_the_daemon_stops(void **state)
{
	struct request requests[4];

	(void)state;
	start(&requests[0], "a", &list);
	start(&requests[1], "b", &list);
	start(&requests[2], "c", &list);
	start(&requests[3], "d", &list);
	assert_decided("ab");
	service.draining = true;
	budget_leave(&requests[0]);
	assert_decided("abcd");
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
		    test_all_go_on_when_the_daemon_stops, set_up, tear_down),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
