#include "base/log.h"
#include "base/metrics.h"
#include "db/failover.h"
#include "db/pool.h"
#include "tests/src/db/session_fake.h"

#define INTERNAL_MS 10000

static struct settings settings;
static struct event_base *base;
static struct dsn *dsn;
static struct keyring *keyring;
static struct newest newest;
static struct pool *pool;
static int settled;

/* A query, and what its owner was told. */
static struct caller {
	struct query query;
	int answered;
	int failed;
	const struct error *error;
} callers[10];

static void
told_settled(void *owner)
{
	assert_ptr_equal(owner, &settled);
	settled++;
}

static void
done(struct query *query, const PGresult *result, const struct error *error)
{
	struct caller *caller = query->owner;

	assert_true((result == NULL) != (error == NULL));
	caller->answered += error == NULL;
	caller->failed += error != NULL;
	caller->error = error;
}

static int
set_up(void **state)
{
	size_t i;

	(void)state;
	assert_true(log_set_level("error"));
	fake_settings(&settings);
	memset(&newest, 0, sizeof(newest));
	memset(callers, 0, sizeof(callers));
	for (i = 0; i < sizeof(callers) / sizeof(callers[0]); i++)
		callers[i].query = (struct query){ .statement = "secret_get",
			.label = "test",
			.repeatable = true,
			.done = done,
			.owner = &callers[i] };
	settled = 0;
	base = event_base_new();
	dsn = dsn_new("host=a,b user=coffer_api", "coffer");
	keyring = fake_keyring(&settings);
	pool = pool_new(base, &settings, dsn, keyring, &newest,
	    "11111111-1111-4111-8111-111111111111", told_settled, &settled);
	return (0);
}

static int
tear_down(void **state)
{
	(void)state;
	pool_close(pool);
	pool_free(pool);
	keyring_free(keyring);
	dsn_free(dsn);
	event_base_free(base);
	return (0);
}

/* A pool whose connections are all open. */
static int
set_up_open(void **state)
{
	size_t i;

	set_up(state);
	for (i = 0; i < fakes_count; i++)
		fake_open(fakes[i]);
	return (0);
}

static struct caller *
run(size_t i)
{
	assert_true(pool_run(pool, &callers[i].query));
	return (&callers[i]);
}

static struct metrics_now
count(void)
{
	struct metrics_now now;

	memset(&now, 0, sizeof(now));
	pool_count(pool, &now);
	return (now);
}

/* The sessions that run something. */
static size_t
running(void)
{
	size_t i, number = 0;

	for (i = 0; i < fakes_count; i++)
		number += fakes[i]->running;
	return (number);
}

/* The one session that runs something. */
static struct session *
session_of_query(void)
{
	size_t i;

	assert_int_equal(running(), 1);
	for (i = 0; !fakes[i]->running; i++)
		;
	return (fakes[i]);
}

/* The start ---------------------------------------------------------------- */

static void
test_start(void **state)
{
	(void)state;
	/* One alone tries; the others follow once it serves. */
	assert_int_equal(fakes[0]->connects, 1);
	assert_int_equal(fakes[1]->connects, 0);
	assert_false(pool_is_ready(pool));
	assert_false(pool_run(pool, &callers[0].query));
	fake_open(fakes[0]);
	assert_int_equal(settled, 1);
	assert_true(pool_is_ready(pool));
	assert_true(pool_takes_writes(pool));
	assert_int_equal(fakes[1]->connects, 1);
	assert_int_equal(fakes[3]->connects, 1);
	fake_open(fakes[1]);
	assert_int_equal(settled, 1);
	assert_int_equal(count().pool_size, 4);
	assert_int_equal(count().pool_open, 2);
	assert_int_equal(count().pool_running, 0);
}

static void
test_start_refused(void **state)
{
	(void)state;
	fake_refuse(fakes[0], "[\"one fault: mend it\"]", NULL);
	assert_int_equal(settled, 1);
	assert_false(pool_is_ready(pool));
	assert_string_equal(pool_fault(pool), "one fault: mend it");
	assert_false(pool_is_locked_out(pool));
	fake_pass(base, 3000, 7000);
	assert_int_equal(fakes[0]->connects, 2);
	fake_open(fakes[0]);
	assert_null(pool_fault(pool));
	assert_int_equal(settled, 1);
}

static void
test_start_locked_out(void **state)
{
	(void)state;
	fake_refuse(fakes[0], "[\"root key 0 is missing: load it\"]",
	    "root key 0 is missing: load it");
	assert_true(pool_is_locked_out(pool));
	assert_int_equal(settled, 0);
}

/* A daemon that has served waits for the key to come back. */
static void
test_locked_out_later(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < fakes_count; i++)
		fake_lose(fakes[i], "connection lost");
	fake_pass(base, 0, 200);
	fake_refuse(fakes[0], "[\"root key 0 is missing: load it\"]",
	    "root key 0 is missing: load it");
	assert_false(pool_is_locked_out(pool));
}

/* Who gets a connection ---------------------------------------------------- */

static void
test_query_runs_at_once(void **state)
{
	struct caller *caller = run(0);

	(void)state;
	assert_int_equal(count().pool_running, 1);
	fake_answer(session_of_query());
	assert_int_equal(caller->answered, 1);
	assert_int_equal(count().pool_running, 0);
}

static void
test_queue(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < 6; i++)
		run(i);
	assert_int_equal(running(), 4);
	assert_int_equal(count().queue, 2);
	/* An answer makes room for the first that waits. */
	for (i = 0; i < fakes_count; i++)
		fake_answer(fakes[i]);
	assert_int_equal(running(), 2);
	assert_int_equal(count().queue, 0);
	for (i = 0; i < fakes_count; i++) {
		if (fakes[i]->running)
			fake_answer(fakes[i]);
	}
	for (i = 0; i < 6; i++)
		assert_int_equal(callers[i].answered, 1);
}

static void
test_full_queue(void **state)
{
	size_t i;

	(void)state;
	settings.queue_limit = 2;
	for (i = 0; i < 6; i++)
		run(i);
	assert_false(pool_run(pool, &callers[6].query));
	assert_int_equal(callers[6].failed, 0);
}

/* Reads use two connections of four, and go together on them. */
static void
test_reads(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < 7; i++) {
		callers[i].query.groups = true;
		run(i);
	}
	event_base_loop(base, EVLOOP_NONBLOCK);
	assert_int_equal(running(), 2);
	/* The first went alone, three with the second; three wait. */
	assert_int_equal(count().queue, 3);
	/* A change does not wait for them. */
	run(7);
	assert_int_equal(running(), 3);
}

static void
test_abandoned_in_the_queue(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < 5; i++)
		run(i);
	pool_abandon(&callers[4].query);
	assert_int_equal(count().queue, 0);
	for (i = 0; i < fakes_count; i++)
		fake_answer(fakes[i]);
	assert_int_equal(callers[4].answered + callers[4].failed, 0);
	/* It may be called again. */
	pool_abandon(&callers[4].query);
}

static void
test_abandoned_while_it_runs(void **state)
{
	struct caller *caller = run(0);
	struct session *session = session_of_query();

	(void)state;
	pool_abandon(&caller->query);
	assert_true(session->running);
	fake_answer(session);
	assert_int_equal(caller->answered + caller->failed, 0);
	assert_int_equal(count().pool_running, 0);
}

static void
test_overdue(void **state)
{
	struct caller *caller = &callers[0];

	(void)state;
	caller->query.internal = true;
	run(0);
	fake_pass(base, INTERNAL_MS - 1000, INTERNAL_MS + 1000);
	assert_int_equal(caller->failed, 1);
	assert_ptr_equal(caller->error, &errors[ERROR_UNAVAILABLE]);
	/* Its late answer is for nobody, and its connection serves again. */
	fake_answer(session_of_query());
	assert_int_equal(caller->answered, 0);
	assert_int_equal(count().pool_running, 0);
	/* One that is answered is not overdue later. */
	run(0);
	fake_answer(session_of_query());
	fake_pass(base, INTERNAL_MS - 1000, INTERNAL_MS + 1000);
	assert_int_equal(caller->failed, 1);
}

/* Failures ----------------------------------------------------------------- */

static void
test_lost(void **state)
{
	struct caller *caller = run(0);

	(void)state;
	fake_lose(session_of_query(), "connection lost");
	/* Another connection carries it out. */
	assert_int_equal(caller->failed, 0);
	assert_int_equal(count().pool_open, 3);
	fake_answer(session_of_query());
	assert_int_equal(caller->answered, 1);
}

static void
test_all_lost(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < 6; i++) {
		callers[i].query.once = i < 1;
		run(i);
	}
	for (i = 0; i < fakes_count; i++)
		fake_lose(fakes[i], "connection lost");
	/* The change waits for a connection, the others do not. */
	assert_int_equal(callers[0].failed, 0);
	for (i = 1; i < 6; i++)
		assert_ptr_equal(callers[i].error, &errors[ERROR_UNAVAILABLE]);
	assert_false(pool_is_ready(pool));
	/* Those that were lost before the last try once; then one alone. */
	fake_pass(base, 0, 200);
	for (i = 0; i < fakes_count - 1; i++)
		fake_lose(fakes[i], "connection lost");
	fake_pass(base, 0, 900);
	assert_int_equal(fakes[0]->connects, 3);
	assert_int_equal(fakes[1]->connects, 2);
	fake_open(fakes[0]);
	assert_int_equal(fakes[1]->connects, 3);
	fake_answer(session_of_query());
	assert_int_equal(callers[0].answered, 1);
}

static void
test_group_fails(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < 4; i++) {
		callers[i].query.groups = true;
		run(i);
	}
	event_base_loop(base, EVLOOP_NONBLOCK);
	assert_int_equal(running(), 2);
	/* Of the group of three, each is sent alone. */
	for (i = 0; fakes[i]->statements != 3; i++)
		;
	fake_error(fakes[i], "22012");
	fake_finish(fakes[i]);
	assert_int_equal(running(), 4);
	for (i = 0; i < fakes_count; i++)
		fake_answer(fakes[i]);
	for (i = 0; i < 4; i++)
		assert_int_equal(callers[i].answered, 1);
}

static void
test_disconnect(void **state)
{
	struct caller *caller = run(0);

	(void)state;
	caller->query.once = true;
	pool_disconnect(pool);
	assert_int_equal(count().pool_open, 0);
	assert_false(pool_is_ready(pool));
	/* None of the connections that were being closed has got the query. */
	assert_int_equal(running(), 0);
	assert_int_equal(count().queue, 1);
	fake_pass(base, 0, 1000);
	fake_open(fakes[0]);
	fake_answer(session_of_query());
	assert_int_equal(caller->answered, 1);
}

/* Hosts -------------------------------------------------------------------- */

/* A connection comes up on another host: all leave the one before. */
static void
test_host_changes(void **state)
{
	struct caller *caller = run(0);
	size_t i;

	(void)state;
	for (i = 0; fakes[i]->running; i++)
		;
	fake_lose(fakes[i], "connection lost");
	fake_pass(base, 0, 200);
	assert_int_equal(fakes[i]->connects, 2);
	fakes[i]->host = 1;
	fake_open(fakes[i]);
	assert_int_equal(dsn->serving, 1);
	assert_int_equal(count().pool_open, 1);
	/* What ran there runs here. */
	assert_true(fakes[i]->running);
	fake_answer(fakes[i]);
	assert_int_equal(caller->answered, 1);
}

/* The host that serves has answered meanwhile: it was only busy. */
static void
test_host_was_busy(void **state)
{
	struct caller *caller = run(0);
	size_t i;

	(void)state;
	for (i = 0; fakes[i]->running; i++)
		;
	fake_lose(fakes[i], "connection lost");
	fake_pass(base, 0, 200);
	fakes[i]->host = 1;
	fake_answer(session_of_query());
	failover_note_answer(pool_failover(pool), &caller->query);
	fake_open(fakes[i]);
	assert_int_equal(dsn->serving, 0);
	assert_int_equal(count().pool_open, 4);
}

static void
test_standby(void **state)
{
	(void)state;
	run(0);
	session_of_query()->standby = true;
	fake_answer(session_of_query());
	assert_false(pool_takes_writes(pool));
}

/* Timers and the end ------------------------------------------------------- */

static void
test_clean(void **state)
{
	(void)state;
	fakes[1]->soiled = true;
	fake_pass(base, 500, 1500);
	assert_int_equal(running(), 1);
	assert_string_equal(fakes[1]->sent, "clean");
	assert_int_equal(count().pool_running, 1);
}

/* One link after the other. */
static void
test_examine(void **state)
{
	(void)state;
	fake_pass(base, 24000, 26000);
	assert_int_equal(running(), 1);
	assert_string_equal(fakes[0]->sent, STATEMENT_SESSION_FAULTS);
	fake_pass(base, 24000, 51000);
	assert_int_equal(running(), 2);
	assert_string_equal(fakes[1]->sent, STATEMENT_SESSION_FAULTS);
}

static void
test_close(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < 6; i++) {
		callers[i].query.once = i < 1;
		run(i);
	}
	pool_close(pool);
	assert_ptr_equal(callers[0].error, &errors[ERROR_IN_DOUBT]);
	for (i = 1; i < 6; i++)
		assert_ptr_equal(callers[i].error, &errors[ERROR_UNAVAILABLE]);
	assert_int_equal(count().pool_open, 0);
	assert_false(pool_run(pool, &callers[6].query));
	/* Nothing connects any more. */
	fake_pass(base, 0, 10000);
	for (i = 0; i < fakes_count; i++)
		assert_int_equal(fakes[i]->connects, 1);
}

#define CLOSED(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
#define OPEN(test) cmocka_unit_test_setup_teardown(test, set_up_open, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CLOSED(test_start),
		CLOSED(test_start_refused),
		CLOSED(test_start_locked_out),
		OPEN(test_locked_out_later),
		OPEN(test_query_runs_at_once),
		OPEN(test_queue),
		OPEN(test_full_queue),
		OPEN(test_reads),
		OPEN(test_abandoned_in_the_queue),
		OPEN(test_abandoned_while_it_runs),
		OPEN(test_overdue),
		OPEN(test_lost),
		OPEN(test_all_lost),
		OPEN(test_group_fails),
		OPEN(test_disconnect),
		OPEN(test_host_changes),
		OPEN(test_host_was_busy),
		OPEN(test_standby),
		OPEN(test_clean),
		OPEN(test_examine),
		OPEN(test_close),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
