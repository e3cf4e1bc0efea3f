#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/load.h"
#include "tests/src/test.h"

static char path[64];
static char cause[256];
static struct settings values;

static int
set_up(void **state)
{
	(void)state;
	snprintf(path, sizeof(path), "load_test.%ld", (long)getpid());
	cause[0] = '\0';
	return (0);
}

static int
tear_down(void **state)
{
	(void)state;
	unlink(path);
	load_free(&values);
	return (0);
}

static bool
load(const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
	load_free(&values);
	return (load_settings(&values, path, cause, sizeof(cause)));
}

static void
test_standards(void **state)
{
	(void)state;
	assert_true(load_settings(&values, NULL, cause, sizeof(cause)));
	assert_string_equal(values.listen, "127.0.0.1:8080");
	assert_int_equal(values.pool_size, 16);
	assert_null(values.dsn);
}

static void
test_file(void **state)
{
	(void)state;
	assert_true(
	    load("# comment\n\n  pool_size=3  \nregions = fr-par,nl-ams\n"
		 "dsn = host=a password='b = c'\npool_size = 4"));
	assert_int_equal(values.pool_size, 4);
	assert_string_equal(values.regions, "fr-par,nl-ams");
	assert_string_equal(values.dsn, "host=a password='b = c'");
}

static void
test_environment_wins_and_is_cleared(void **state)
{
	const char *left;

	(void)state;
	setenv("COFFER_POOL_SIZE", "5", 1);
	setenv("COFFER_DSN", "password=canary", 1);
	left = getenv("COFFER_DSN");
	assert_true(load("pool_size = 4\ndsn = x\n"));
	assert_int_equal(values.pool_size, 5);
	assert_string_equal(values.dsn, "password=canary");
	assert_null(getenv("COFFER_POOL_SIZE"));
	assert_null(getenv("COFFER_DSN"));
	assert_string_equal(left, "");
	setenv("COFFER_POOL_SIZES", "5", 1);
	assert_false(load(""));
	assert_string_equal(cause,
	    "unknown setting COFFER_POOL_SIZES in the environment (did you "
	    "mean pool_size?)");
	assert_null(getenv("COFFER_POOL_SIZES"));
	setenv("COFFER_DSN_OPERATOR", "password=canary", 1);
	assert_true(load("dsn = x\n"));
	assert_string_equal(values.dsn, "x");
	assert_string_equal(values.dsn_operator, "password=canary");
	assert_null(getenv("COFFER_DSN_OPERATOR"));
	setenv("COFFER_OPERATOR_DSN", "password=canary", 1);
	assert_false(load("dsn = x\n"));
	assert_string_equal(cause,
	    "setting operator_dsn in the environment is now named "
	    "COFFER_DSN_OPERATOR");
	assert_null(getenv("COFFER_OPERATOR_DSN"));
}

static void
test_long_line(void **state)
{
	char text[5000];

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	memcpy(text, "dsn = ", 6);
	assert_false(load(text));
	assert_non_null(strstr(cause, "too long"));
}

static void
test_refused_by_name(void **state)
{
	static const struct {
		const char *line;
		const char *name;
	} lines[] = {
		{ "pool_size = 0", "pool_size" },
		{ "pool_size = 257", "pool_size" },
		{ "pool_size = 3x", "pool_size" },
		{ "pool_size =", "pool_size" },
		{ "max_body = 99999999999999999999", "max_body" },
		{ "regions = fr-par,", "regions" },
		{ "regions = FR-PAR", "regions" },
		{ "regions =", "regions" },
		{ "listen = 8080", "listen" },
		{ "listen =", "listen" },
		{ "listen = 127.0.0.1", "listen" },
		{ "listen = [::1]", "listen" },
		{ "dsn =", "dsn" },
		{ "domain =", "domain" },
		{ "listen = localhost:8080", "listen" },
		{ "listen = 127.0.0.1:80800", "listen" },
		{ "log_level = loud", "log_level" },
		{ "poolsize = 3", "poolsize" },
		{ "poolsize = 3", "(did you mean pool_size?)" },
		{ "nothing_of_this_kind = 3", "nothing_of_this_kind" },
		{ "operator_dsn = x", "is now named dsn_operator" },
		{ "auditor_dsn = x", "is now named dsn_auditor" },
		{ "recover_dsn = x", "is now named dsn_owner" },
		{ "rate_cache = 8", "rate_cache is obsolete" },
		{ "pool_size = 3s", "a whole number from 1 to 256" },
		{ "drain_delay = 1m", "drain_delay must be from 0 to 5min" },
		{ "drain_delay = 1500ms", "a whole number of s" },
		{ "drain_delay = 1.5s", "ms, s, min, h or d" },
		{ "drain_delay = 6min", "drain_delay must be from 0 to 5min" },
		{ "max_body = 2MB", "max_body must be from 1kB to 1MB" },
		{ "max_body = 64KB", "B, kB, MB, GB or TB" },
		{ "pool_size 3", "name = value" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		assert_false(load(lines[i].line));
		assert_non_null(strstr(cause, lines[i].name));
	}
	unlink(path);
	load_free(&values);
	assert_false(load_settings(&values, path, cause, sizeof(cause)));
	assert_non_null(strstr(cause, path));
}

static void
test_units(void **state)
{
	(void)state;
	assert_true(load("connect_timeout = 250ms\nrequest_deadline = 2000\n"
			 "drain_timeout = 5min\nidle_timeout = 75\n"
			 "max_body = 64kB\nrequest_memory = 1 GB\n"));
	assert_int_equal(values.connect_timeout, 250);
	assert_int_equal(values.request_deadline, 2000);
	assert_int_equal(values.drain_timeout, 300);
	assert_int_equal(values.idle_timeout, 75);
	assert_int_equal(values.max_body, 65536);
	assert_int_equal(values.request_memory, 1073741824);
	assert_int_equal(values.header_timeout, 10);
}

static void
test_variables(void **state)
{
	char variable[LOAD_VARIABLE_SIZE];

	(void)state;
	load_variable("pool_size", variable);
	assert_string_equal(variable, "COFFER_POOL_SIZE");
}

static void
test_addresses(void **state)
{
	static const char *const sound[] = { "127.0.0.1:8080", "0.0.0.0:1",
		"[::1]:8080", "[::]:65535", "[::ffff:127.0.0.1]:8080" };
	static const char *const faulty[] = { "127.0.0.1:0", "[::1]:0", ":00",
		"127.0.0.1:00", ":8080", "::1", "::1:8080", "1::8080", "[::1]",
		"[::1]:", "[::1]8080", "[::1]]:8080", "[::1]x:8080",
		"[::1:8080", "[127.0.0.1]:8080", "127.0.0.1",
		"127.0.0.1:", "127.0.0.1:8080x",
		"127.0.0.1:8080:", "127.0.0.1: 8247", "127.0.0.1:+8247",
		"127.0.0.1:-1", "127.0.0.1:65536", "127.0.0.1:008247" };
	char line[64];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(sound) / sizeof(sound[0]); i++) {
		snprintf(line, sizeof(line), "metrics_listen = %s", sound[i]);
		assert_true(load(line));
		assert_string_equal(values.metrics_listen, sound[i]);
	}
	for (i = 0; i < sizeof(faulty) / sizeof(faulty[0]); i++) {
		snprintf(line, sizeof(line), "metrics_listen = %s", faulty[i]);
		assert_false(load(line));
		snprintf(line, sizeof(line), "listen = %s", faulty[i]);
		assert_false(load(line));
		assert_non_null(strstr(cause, "listen must be an address"));
	}
}

static void
test_regions(void **state)
{
	(void)state;
	assert_true(load("regions = fr-par,nl-ams\n"));
	assert_true(load_has_region(values.regions, "fr-par/x", 6));
	assert_true(load_has_region(values.regions, "nl-ams", 6));
	assert_false(load_has_region(values.regions, "pl-waw", 6));
	assert_false(load_has_region(values.regions, "fr-pa", 5));
	assert_false(load_has_region(values.regions, "fr-par,", 7));
	assert_false(load_has_region(values.regions, "", 0));
	assert_true(load_has_region(values.regions_listed_empty, "pl-waw", 6));
	/* The last part has three to seven letters. */
	assert_true(load("regions = us-east,fr-parisxx\n"));
	assert_true(load_has_region(values.regions, "us-east", 7));
	assert_false(load_has_region(values.regions, "us-eas", 6));
	assert_false(load("regions = fr-parisxxx\n"));
	assert_false(load("regions = fr-pa\n"));
	assert_false(load("regions_listed_empty = fr-pa\n"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    test_standards, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_file, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_environment_wins_and_is_cleared, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_long_line, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_refused_by_name, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_units, set_up, tear_down),
		cmocka_unit_test(test_variables),
		cmocka_unit_test_setup_teardown(
		    test_addresses, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_regions, set_up, tear_down),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
