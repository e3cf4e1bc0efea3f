#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "command/verify/extsort.h"
#include "tests/src/test.h"

#define MANY (3 * EXTSORT_ROOM + 7)

static struct extsort *sort;

static int
set_up(void **state)
{
	(void)state;
	sort = extsort_new();
	return (0);
}

static int
tear_down(void **state)
{
	(void)state;
	extsort_free(sort);
	return (0);
}

static void
add(int64_t number)
{
	struct extsort_entry entry = { .number = number };

	memset(entry.hash, (int)(number % 251), sizeof(entry.hash));
	assert_true(extsort_add(sort, &entry));
}

/* The next is this one, with its own hash. */
static void
take(int64_t number)
{
	const struct extsort_entry *entry = extsort_next(sort);

	assert_non_null(entry);
	assert_int_equal(entry->number, number);
	assert_int_equal(entry->hash[0], number % 251);
	assert_int_equal(entry->hash[31], number % 251);
	extsort_take(sort);
}

static void
test_nothing(void **state)
{
	(void)state;
	assert_true(extsort_begin(sort));
	assert_null(extsort_next(sort));
	assert_false(extsort_failed(sort));
	extsort_free(NULL);
}

static void
test_few(void **state)
{
	(void)state;
	add(3);
	add(1);
	add(3);
	add(2);
	assert_true(extsort_begin(sort));
	take(1);
	take(2);
	take(3);
	take(3);
	assert_null(extsort_next(sort));
}

/* All numbers once, in an order in which each run has some of everywhere. */
static void
test_more_than_there_is_room_for(void **state)
{
	int64_t i;

	(void)state;
	for (i = 0; i < MANY; i++)
		add(i * 100003 % MANY);
	assert_true(extsort_begin(sort));
	for (i = 0; i < MANY; i++)
		take(i);
	assert_null(extsort_next(sort));
	assert_false(extsort_failed(sort));
}

static void
test_as_many_as_there_is_room_for(void **state)
{
	int64_t i;

	(void)state;
	for (i = EXTSORT_ROOM; i > 0; i--)
		add(i);
	assert_true(extsort_begin(sort));
	for (i = 1; i <= EXTSORT_ROOM; i++)
		take(i);
	assert_null(extsort_next(sort));
}

/* Where a file may have no more than a page, nothing is left out in silence. */
static void
test_no_room_on_disk(void **state)
{
	struct extsort_entry entry = { .number = 1 };
	struct rlimit before, page;
	bool added = true;
	int64_t i;

	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &before);
	page = before;
	page.rlim_cur = 4096;
	setrlimit(RLIMIT_FSIZE, &page);
	for (i = 0; i <= EXTSORT_ROOM && added; i++)
		added = extsort_add(sort, &entry);
	setrlimit(RLIMIT_FSIZE, &before);
	assert_false(added);
}

/* The file is where TMPDIR says, and nowhere else. */
static void
test_no_directory(void **state)
{
	struct extsort_entry entry = { .number = 1 };
	bool added = true;
	int64_t i;

	(void)state;
	assert_int_equal(setenv("TMPDIR", "/proc", 1), 0);
	for (i = 0; i <= EXTSORT_ROOM && added; i++)
		added = extsort_add(sort, &entry);
	assert_int_equal(unsetenv("TMPDIR"), 0);
	assert_false(added);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define EXTSORT_TEST(name) \
	cmocka_unit_test_setup_teardown(test_##name, set_up, tear_down)
		EXTSORT_TEST(nothing),
		EXTSORT_TEST(few),
		EXTSORT_TEST(more_than_there_is_room_for),
		EXTSORT_TEST(as_many_as_there_is_room_for),
		EXTSORT_TEST(no_room_on_disk),
		EXTSORT_TEST(no_directory),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
