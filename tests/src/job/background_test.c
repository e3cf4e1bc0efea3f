#include <event2/event.h>
#include <string.h>

#include "db/pool.h"
#include "job/background.h"
#include "tests/src/test.h"

#define STATEMENT "statement"

static bool stopping;
static struct background_host host = { .stopping = &stopping };
static struct background background;
static struct query *sent; /* NULL: none runs */
static bool full; /* the pool takes nothing */
static int begun;

bool
pool_run(struct pool *pool, struct query *query)
{
	assert_ptr_equal(pool, host.pool);
	if (full)
		return (false);
	sent = query;
	query->pool = pool;
	return (true);
}

void
pool_abandon(struct query *query)
{
	assert_ptr_equal(query, &background.query);
	query->pool = NULL;
	sent = NULL;
}

static void
begin(void *owner)
{
	assert_ptr_equal(owner, &begun);
	begun++;
}

static void
done(struct query *query, const PGresult *result, const struct error *error)
{
	(void)query;
	(void)result;
	(void)error;
	fail();
}

static int
set_up(void **state)
{
	static char pool;

	(void)state;
	memset(&background, 0, sizeof(background));
	host.base = event_base_new();
	host.pool = (struct pool *)&pool;
	stopping = false;
	full = false;
	sent = NULL;
	begun = 0;
	background_start(&background, &host, "label", 0, begin, &begun);
	return (0);
}

static int
tear_down(void **state)
{
	(void)state;
	background_stop(&background);
	event_base_free(host.base);
	return (0);
}

static void
assert_begins(int expected)
{
	event_base_loop(host.base, EVLOOP_NONBLOCK);
	assert_int_equal(begun, expected);
}

static void
test_begins_once_for_each_wait(void **state)
{
	(void)state;
	assert_begins(1);
	assert_begins(1);
	background_wait(&background);
	assert_begins(2);
	background_pause(&background, 0);
	background_wait(&background);
	assert_begins(3);
	background_pause(&background, 3600000);
	assert_begins(3);
}

static void
test_query(void **state)
{
	static const unsigned char bytes[] = { 1, 2 };

	(void)state;
	assert_begins(1);
	assert_false(background_is_running(&background));
	background_text(&background, 0, "text");
	background_text(&background, 1, NULL);
	background_bytes(&background, 2, bytes, sizeof(bytes));
	strcpy(background.query.sqlstate, "57014");
	assert_true(background_query(&background, STATEMENT, 3, done));
	assert_true(background_is_running(&background));
	assert_ptr_equal(sent, &background.query);
	assert_string_equal(sent->statement, STATEMENT);
	assert_string_equal(sent->label, "label");
	assert_ptr_equal(sent->owner, &begun);
	assert_ptr_equal(sent->done, done);
	assert_true(sent->repeatable && sent->internal);
	assert_false(sent->groups || sent->once);
	assert_string_equal(sent->sqlstate, "");
	assert_int_equal(sent->count, 3);
	assert_string_equal(sent->parameters[0].value, "text");
	assert_false(sent->parameters[0].binary);
	assert_null(sent->parameters[1].value);
	assert_ptr_equal(sent->parameters[2].value, bytes);
	assert_int_equal(sent->parameters[2].size, 2);
	assert_true(sent->parameters[2].binary);
	/* While it runs, its owner decides when to begin again. */
	assert_begins(1);
}

static void
test_pool_takes_nothing(void **state)
{
	(void)state;
	assert_begins(1);
	full = true;
	assert_false(background_query(&background, STATEMENT, 0, done));
	assert_false(background_is_running(&background));
	assert_begins(2);
}

static void
test_daemon_stops(void **state)
{
	(void)state;
	assert_false(background_is_stopping(&background));
	stopping = true;
	assert_true(background_is_stopping(&background));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    test_begins_once_for_each_wait, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_query, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_pool_takes_nothing, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_daemon_stops, set_up, tear_down),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
