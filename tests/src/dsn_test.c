#include <string.h>

#include "../../src/dsn.h"
#include "test.h"

/* What libpq would take: the last value of a keyword. */
static const char *
value_of(const struct dsn *dsn, const char *keyword)
{
	const char *value = NULL;
	size_t i;

	for (i = 0; i < dsn->count; i++) {
		if (strcmp(dsn->keywords[i], keyword) == 0)
			value = dsn->values[i];
	}
	assert_null(dsn->keywords[dsn->count]);
	return (value);
}

static void
test_both_forms(void **state)
{
	static const char *const texts[] = {
		"host=db user=u password='p w' keepalives_idle=99",
		"postgresql://u:p%20w@db/?keepalives_idle=99",
	};
	struct dsn *dsn;
	size_t i;

	(void)state;
	for (i = 0; i < 2; i++) {
		dsn = dsn_new(texts[i], "coffer/x");
		assert_non_null(dsn);
		assert_string_equal(value_of(dsn, "host"), "db");
		assert_string_equal(value_of(dsn, "password"), "p w");
		assert_string_equal(value_of(dsn, "keepalives_idle"), "99");
		assert_string_equal(
		    value_of(dsn, "application_name"), "coffer/x");
		assert_null(value_of(dsn, "port"));
		dsn_free(dsn);
	}
}

static void
test_ours_win(void **state)
{
	struct dsn *dsn =
	    dsn_new("application_name=mine client_encoding=LATIN1", "coffer/x");

	(void)state;
	assert_string_equal(value_of(dsn, "application_name"), "coffer/x");
	assert_string_equal(value_of(dsn, "client_encoding"), "UTF8");
	dsn_free(dsn);
	dsn_free(NULL);
}

static void
test_refused(void **state)
{
	(void)state;
	assert_null(dsn_new("host", "coffer/x"));
	assert_null(dsn_new("nonsense=1", "coffer/x"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_both_forms),
		cmocka_unit_test(test_ours_win),
		cmocka_unit_test(test_refused),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
