#include <string.h>

#include "db/dsn.h"
#include "tests/src/test.h"

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
	/* Lists that do not match. */
	assert_null(dsn_new("host=a,b hostaddr=10.0.0.1", "coffer/x"));
	assert_null(dsn_new("host=a,b,c port=1,2", "coffer/x"));
	assert_null(dsn_new("port=1,2", "coffer/x"));
}

/* A keyword is named, but not what may be a part of a password. */
static void
test_cause(void **state)
{
	static const struct {
		const char *text;
		const char *cause;
	} cases[] = {
		{ "host=a nonsense=1 password=b",
		    "it has the unknown keyword nonsense" },
		{ "postgresql://u:pw@host/db?sslmod=x",
		    "it has the unknown keyword sslmod" },
		{ "host=a,b,c port=1,2",
		    "it has different numbers of hosts, addresses or ports" },
		{ "host=a user=x pass canary",
		    "it is not a connection string" },
		{ "postgresql://u:canary@[host",
		    "it is not a connection string" },
	};
	static const char *const secrets[] = {
		"host=a password=b canary=c",
		"host=canary password=b canary=c",
		"postgresql://u@host/db?password=b&canary=c",
		"postgresql://u:p@ss?canary=c@host",
	};
	char cause[256];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_null(dsn_new(cases[i].text, "coffer/x"));
		dsn_cause(cases[i].text, cause, sizeof(cause));
		assert_string_equal(cause, cases[i].cause);
	}
	for (i = 0; i < sizeof(secrets) / sizeof(secrets[0]); i++) {
		assert_null(dsn_new(secrets[i], "coffer/x"));
		dsn_cause(secrets[i], cause, sizeof(cause));
		assert_non_null(strstr(cause, "after the password"));
		assert_null(strstr(cause, "canary"));
	}
}

/* What libpq would take of one host; "" when nothing is said. */
static const char *
value_at(const struct dsn *dsn, size_t place, const char *keyword)
{
	const struct dsn_host *host = &dsn->hosts[place];
	const char *value = "";
	size_t i;

	for (i = 0; host->keywords[i] != NULL; i++) {
		if (strcmp(host->keywords[i], keyword) == 0)
			value = host->values[i];
	}
	assert_null(host->values[i]);
	return (value);
}

static void
test_hosts(void **state)
{
	static const struct {
		const char *text;
		size_t place, count;
		const char *host, *address, *port, *name;
	} cases[] = {
		{ "user=u", 0, 1, "", "", "", "local" },
		{ "host=a", 0, 1, "a", "", "", "a" },
		{ "host=a port=1", 0, 1, "a", "", "1", "a:1" },
		{ "host=a,b", 1, 2, "b", "", "", "b" },
		{ "host=a,b port=1", 1, 2, "b", "", "1", "b:1" },
		{ "host=a,b,c port=1,2,3", 0, 3, "a", "", "1", "a:1" },
		{ "host=a,b,c port=1,2,3", 1, 3, "b", "", "2", "b:2" },
		{ "host=a,b,c port=1,2,3", 2, 3, "c", "", "3", "c:3" },
		{ "host=a,,c port=1,,3", 1, 3, "", "", "", "local" },
		{ "host=a,b hostaddr=10.0.0.1,10.0.0.2", 1, 2, "b", "10.0.0.2",
		    "", "b" },
		{ "hostaddr=10.0.0.1,10.0.0.2 port=5,6", 1, 2, "", "10.0.0.2",
		    "6", "10.0.0.2:6" },
		{ "postgresql://u@a:1,b:2/d", 1, 2, "b", "", "2", "b:2" },
		{ "postgresql://u@[::1]:1,b:2/d", 0, 2, "::1", "", "1",
		    "::1:1" },
	};
	struct dsn *dsn;
	size_t i, place;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		place = cases[i].place;
		dsn = dsn_new(cases[i].text, "coffer/x");
		assert_non_null(dsn);
		assert_int_equal(dsn->hosts_count, cases[i].count);
		assert_string_equal(
		    value_at(dsn, place, "host"), cases[i].host);
		assert_string_equal(
		    value_at(dsn, place, "hostaddr"), cases[i].address);
		assert_string_equal(
		    value_at(dsn, place, "port"), cases[i].port);
		assert_string_equal(
		    value_at(dsn, place, "application_name"), "coffer/x");
		assert_string_equal(dsn->hosts[place].name, cases[i].name);
		dsn_free(dsn);
	}
}

static void
test_host_to_begin_with(void **state)
{
	struct dsn *dsn = dsn_new("host=a,b,c", "coffer/x");

	(void)state;
	assert_int_equal(dsn->first, 0);
	assert_false(dsn_settle(dsn, 0));
	assert_true(dsn_settle(dsn, 2));
	assert_int_equal(dsn->first, 2);
	assert_false(dsn_settle(dsn, 2));
	/* Another than the one to begin with has been left behind already. */
	dsn_pass(dsn, 1);
	assert_int_equal(dsn->first, 2);
	dsn_pass(dsn, 2);
	assert_int_equal(dsn->first, 0);
	/* Who serves on the one before is to be told all the same. */
	assert_true(dsn_settle(dsn, 0));
	dsn_free(dsn);
}

static void
test_connect_timeout(void **state)
{
	static const struct {
		const char *text;
		long milliseconds;
	} cases[] = {
		{ "host=a", 0 },
		{ "connect_timeout=0", 0 },
		{ "connect_timeout=-1", 0 },
		{ "connect_timeout=x", 0 },
		{ "connect_timeout=5", 5000 },
		{ "connect_timeout=99999999999999999999", 3600000 },
	};
	struct dsn *dsn;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		dsn = dsn_new(cases[i].text, "coffer/x");
		assert_int_equal(dsn->connect_timeout, cases[i].milliseconds);
		dsn_free(dsn);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_both_forms),
		cmocka_unit_test(test_ours_win),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_cause),
		cmocka_unit_test(test_hosts),
		cmocka_unit_test(test_host_to_begin_with),
		cmocka_unit_test(test_connect_timeout),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
