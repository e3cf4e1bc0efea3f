#include <stdio.h>
#include <string.h>

#include "base/route.h"
#include "tests/src/test.h"

#define BASE "/secret-manager/v1beta1/regions/fr-par"
#define ID "11111111-2222-4333-8444-555555555555"

/* A path that fits pattern, with samples in the place of names. */
static void
sample(const char *pattern, char *path, size_t size)
{
	size_t used = 0, name;

	while (*pattern != '\0') {
		name = 0;
		if (*pattern == '{') {
			name = strcspn(pattern, "}") + 1;
			used += (size_t)snprintf(
			    path + used, size - used, "sample%zu", name);
			pattern += name;
		} else {
			path[used++] = *pattern++;
		}
	}
	path[used] = '\0';
}

static void
test_every_row_is_reached(void **state)
{
	struct route route;
	char path[256];
	size_t i;

	(void)state;
	for (i = 0; i < endpoints_count; i++) {
		sample(endpoints[i].path, path, sizeof(path));
		route_find(endpoints[i].method, path, &route);
		assert_ptr_equal(route.endpoint, &endpoints[i]);
	}
}

static void
assert_route(enum evhttp_cmd_type method, const char *path,
    const char *function, unsigned int methods)
{
	struct route route;

	route_find(method, path, &route);
	if (function != NULL) {
		assert_non_null(route.endpoint);
		assert_string_equal(route.endpoint->function, function);
	} else {
		assert_null(route.endpoint);
		assert_int_equal(route.methods, methods);
	}
}

static void
test_first_match_wins(void **state)
{
	(void)state;
	assert_route(
	    EVHTTP_REQ_GET, BASE "/secrets/browse", "secret_browse", 0);
	assert_route(EVHTTP_REQ_GET, BASE "/secrets/brows", "secret_get", 0);
}

static void
test_methods_of_a_path(void **state)
{
	(void)state;
	assert_route(EVHTTP_REQ_PUT, BASE "/secrets", NULL,
	    EVHTTP_REQ_GET | EVHTTP_REQ_POST);
	assert_route(EVHTTP_REQ_POST, BASE "/secrets/" ID, NULL,
	    EVHTTP_REQ_GET | EVHTTP_REQ_PATCH | EVHTTP_REQ_DELETE);
	assert_route(EVHTTP_REQ_HEAD, BASE "/tags", NULL, EVHTTP_REQ_GET);
	/* HEAD is for checks of health. */
	assert_route(EVHTTP_REQ_HEAD, "/live", "live", 0);
	assert_route(
	    EVHTTP_REQ_POST, "/live", NULL, EVHTTP_REQ_GET | EVHTTP_REQ_HEAD);
}

static void
test_no_route(void **state)
{
	static const char *const paths[] = { "", "/", "*", "/secrets", BASE,
		BASE "/", BASE "/secrets/", BASE "//secrets",
		"/" BASE "/secrets", BASE "/secrets/" ID "/",
		BASE "/secrets/" ID "/versions/",
		BASE "/secrets/" ID "/versions/1/access/x", BASE "/SECRETS",
		BASE "/tag", BASE "/tagss", "/metadata/", "live",
		"/secret-manager/v1beta1/regions//secrets" };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		assert_route(EVHTTP_REQ_GET, paths[i], NULL, 0);
}

static void
test_captures(void **state)
{
	struct route route;

	(void)state;
	route_find(
	    EVHTTP_REQ_GET, BASE "/secrets/a%2Fb/versions/1/access", &route);
	assert_int_equal(route.count, 3);
	assert_memory_equal(route.captures[0].name, "region", 6);
	assert_memory_equal(route.captures[0].value, "fr-par", 6);
	assert_int_equal(route.captures[1].name_size, strlen("secret_id"));
	assert_int_equal(route.captures[1].value_size, strlen("a%2Fb"));
	assert_memory_equal(route.captures[1].value, "a%2Fb", 5);
	assert_memory_equal(route.captures[2].name, "revision", 8);
	assert_int_equal(route.captures[2].value_size, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_row_is_reached),
		cmocka_unit_test(test_first_match_wins),
		cmocka_unit_test(test_methods_of_a_path),
		cmocka_unit_test(test_no_route),
		cmocka_unit_test(test_captures),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
