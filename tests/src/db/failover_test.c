#include "db/failover.h"
#include "tests/src/db/session_fake.h"

static struct failover failover;
static struct session *serving, *other;
static struct dsn *dsn;

/* One session on each of two hosts; the first of them serves. */
static int
set_up(void **state)
{
	(void)state;
	memset(&failover, 0, sizeof(failover));
	fakes_count = 0;
	dsn = dsn_new("host=a,b user=coffer_api", "coffer");
	assert_non_null(dsn);
	serving = session_new(NULL, NULL, NULL);
	session_connect(serving, dsn, 1000);
	assert_false(failover_is_due(&failover, serving));
	other = session_new(NULL, NULL, NULL);
	session_connect(other, dsn, 1000);
	other->host = 1;
	return (0);
}

static int
tear_down(void **state)
{
	(void)state;
	session_free(serving);
	session_free(other);
	dsn_free(dsn);
	return (0);
}

static void
answer(bool settled)
{
	failover_note_answer(&failover, &(struct query){ .settled = settled });
}

static void
test_the_other_host_takes_over(void **state)
{
	(void)state;
	assert_false(failover_has_answered(&failover, other));
	assert_true(failover_is_due(&failover, other));
	assert_int_equal(dsn->first, 1);
	/* Once it serves, it is not another one. */
	assert_false(failover_is_due(&failover, other));
	assert_true(failover_is_due(&failover, serving));
}

static void
test_the_host_that_serves_was_only_busy(void **state)
{
	(void)state;
	answer(true);
	assert_true(failover_has_answered(&failover, other));
	assert_false(failover_is_due(&failover, other));
	assert_int_equal(dsn->first, 0);
}

static void
test_an_answer_of_before(void **state)
{
	(void)state;
	answer(true);
	session_close(other);
	session_connect(other, dsn, 1000);
	other->since++;
	other->host = 1;
	assert_false(failover_has_answered(&failover, other));
	assert_true(failover_is_due(&failover, other));
}

/* What another host answers says nothing of the one that serves. */
static void
test_answers_of_the_other_host(void **state)
{
	(void)state;
	answer(false);
	assert_false(failover_has_answered(&failover, other));
	failover_hear(&failover, other);
	assert_false(failover_was_heard(&failover, other));
	failover_hear(&failover, serving);
	assert_true(failover_was_heard(&failover, other));
	/* A query that is no call may be answered without a commit. */
	assert_false(failover_has_answered(&failover, other));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    test_the_other_host_takes_over, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_the_host_that_serves_was_only_busy, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_an_answer_of_before, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_answers_of_the_other_host, set_up, tear_down),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
