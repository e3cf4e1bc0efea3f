#include <string.h>

#include "http/phase.h"
#include "tests/src/test.h"

static const struct settings settings = {
	.header_timeout = 10,
	.body_timeout = 20,
	.send_timeout = 30,
	.idle_timeout = 40,
};

static void
test_each_list_has_the_oldest_first(void **state)
{
	struct phase_member one = { .since = 0 }, two = { .since = 0 };
	struct phases phases;

	(void)state;
	phases_init(&phases, &settings);
	assert_null(phase_oldest(&phases, PHASE_NEW));
	phase_begin(&phases, &one, 1);
	phase_begin(&phases, &two, 2);
	assert_ptr_equal(phase_oldest(&phases, PHASE_NEW), &one);
	phase_enter(&phases, &one, PHASE_IDLE, 3);
	assert_ptr_equal(phase_oldest(&phases, PHASE_NEW), &two);
	phase_enter(&phases, &two, PHASE_IDLE, 4);
	assert_null(phase_oldest(&phases, PHASE_NEW));
	assert_ptr_equal(phase_oldest(&phases, PHASE_IDLE), &one);
	/* Who enters again is the youngest. */
	phase_enter(&phases, &one, PHASE_IDLE, 5);
	assert_ptr_equal(phase_oldest(&phases, PHASE_IDLE), &two);
	phase_leave(&phases, &two);
	assert_ptr_equal(phase_oldest(&phases, PHASE_IDLE), &one);
}

static void
test_each_phase_has_its_time(void **state)
{
	static const struct {
		enum phase phase;
		int64_t seconds; /* 0: any number */
	} times[] = {
		{ PHASE_NEW, 0 },
		{ PHASE_PROXY, 10 },
		{ PHASE_HANDSHAKE, 10 },
		{ PHASE_IDLE, 40 },
		{ PHASE_HEAD, 10 },
		{ PHASE_EXPECTS, 20 },
		{ PHASE_BODY, 20 },
		{ PHASE_CALL, 0 },
		{ PHASE_ANSWER, 30 },
		{ PHASE_CUT, 0 },
		{ PHASE_LEFT, 0 },
		{ PHASE_LINGER, 2 },
	};
	struct phase_member member = { .since = 0 };
	struct phases phases;
	int64_t limit;
	size_t i;

	(void)state;
	assert_int_equal(sizeof(times) / sizeof(times[0]), PHASES);
	phases_init(&phases, &settings);
	phase_begin(&phases, &member, 0);
	for (i = 0; i < PHASES; i++) {
		phase_enter(&phases, &member, times[i].phase, 1000);
		limit = times[i].seconds * 1000;
		assert_false(
		    phase_is_overdue(&phases, &member, 1000 + limit - 1));
		assert_int_equal(
		    phase_is_overdue(&phases, &member, 1000 + limit),
		    limit > 0);
		assert_int_equal(
		    phase_is_overdue(&phases, &member, INT64_MAX), limit > 0);
	}
}

static void
test_what_a_phase_is(void **state)
{
	(void)state;
	assert_false(phase_reads(PHASE_NEW) || phase_reads(PHASE_PROXY));
	assert_true(phase_reads(PHASE_HANDSHAKE) && phase_reads(PHASE_BODY));
	assert_false(phase_reads(PHASE_CALL) || phase_reads(PHASE_LINGER));
	assert_false(phase_ends(PHASE_ANSWER));
	assert_true(phase_ends(PHASE_CUT) && phase_ends(PHASE_LEFT));
	assert_true(phase_ends(PHASE_LINGER));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_list_has_the_oldest_first),
		cmocka_unit_test(test_each_phase_has_its_time),
		cmocka_unit_test(test_what_a_phase_is),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
