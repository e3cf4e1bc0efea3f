#include <string.h>

#include "base/log.h"
#include "db/pool.h"
#include "db/probe.h"
#include "tests/src/test.h"

static struct event_base *base;
static struct probe *probe;
static struct query *sent; /* NULL: none runs */
static int runs;
static bool away; /* the pool has no connection */

bool
pool_run(struct pool *pool, struct query *query)
{
	(void)pool;
	if (away)
		return (false);
	assert_null(sent);
	sent = query;
	runs++;
	return (true);
}

void
pool_abandon(struct query *query)
{
	(void)query;
	sent = NULL;
}

static int
set_up(void **state)
{
	(void)state;
	assert_true(log_set_level("error"));
	base = event_base_new();
	probe = probe_new(base, NULL);
	sent = NULL;
	runs = 0;
	away = false;
	return (0);
}

static int
tear_down(void **state)
{
	(void)state;
	probe_free(probe);
	probe_free(NULL);
	event_base_free(base);
	return (0);
}

static void
answer(const struct error *error)
{
	struct query *query = sent;

	assert_string_equal(query->statement, STATEMENT_AUDIT_PROBE);
	sent = NULL;
	query->done(query, NULL, error);
}

static int
fire(const struct event_base *one, const struct event *event, void *arg)
{
	(void)one;
	(void)arg;
	event_active((struct event *)(uintptr_t)event, EV_TIMEOUT, 0);
	return (0);
}

/* Its timer fires, if it is set. */
static void
a_second_passes(void)
{
	event_base_foreach_event(base, fire, NULL);
	event_base_loop(base, EVLOOP_NONBLOCK);
}

static void
test_nothing_is_tried_before_a_call_fails(void **state)
{
	(void)state;
	probe_call_succeeded(probe);
	assert_int_equal(event_base_loop(base, EVLOOP_NONBLOCK), 1);
	assert_int_equal(runs, 0);
	assert_null(probe_fault(probe));
}

static void
test_call_that_fails_for_a_reason_of_its_own(void **state)
{
	(void)state;
	probe_call_failed(probe);
	assert_int_equal(runs, 1);
	answer(NULL);
	assert_null(probe_fault(probe));
	/* The next is not tried at once, but it is. */
	probe_call_failed(probe);
	probe_call_failed(probe);
	assert_int_equal(runs, 1);
	a_second_passes();
	assert_int_equal(runs, 2);
	answer(NULL);
	a_second_passes();
	assert_int_equal(runs, 2);
}

static void
test_all_calls_fail(void **state)
{
	(void)state;
	probe_call_failed(probe);
	probe_call_failed(probe);
	assert_int_equal(runs, 1);
	answer(&errors[ERROR_UNAVAILABLE]);
	assert_non_null(probe_fault(probe));
	/* Nobody calls any more; it ends all the same. */
	a_second_passes();
	assert_int_equal(runs, 2);
	answer(NULL);
	assert_null(probe_fault(probe));
}

static void
test_call_succeeds_before_the_probe(void **state)
{
	(void)state;
	probe_call_failed(probe);
	answer(&errors[ERROR_UNAVAILABLE]);
	probe_call_succeeded(probe);
	assert_null(probe_fault(probe));
}

static void
test_without_a_connection(void **state)
{
	(void)state;
	probe_call_failed(probe);
	answer(&errors[ERROR_UNAVAILABLE]);
	away = true;
	a_second_passes();
	assert_non_null(probe_fault(probe));
	away = false;
	a_second_passes();
	assert_int_equal(runs, 2);
	answer(NULL);
	assert_null(probe_fault(probe));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    test_nothing_is_tried_before_a_call_fails, set_up,
		    tear_down),
		cmocka_unit_test_setup_teardown(
		    test_call_that_fails_for_a_reason_of_its_own, set_up,
		    tear_down),
		cmocka_unit_test_setup_teardown(
		    test_all_calls_fail, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_call_succeeds_before_the_probe, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_without_a_connection, set_up, tear_down),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
