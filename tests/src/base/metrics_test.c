#include <event2/buffer.h>
#include <stdbool.h>
#include <string.h>

#include "base/metrics.h"
#include "tests/src/test.h"

static struct evbuffer *page;

static int
set_up(void **state)
{
	(void)state;
	page = evbuffer_new();
	return (0);
}

static int
tear_down(void **state)
{
	(void)state;
	evbuffer_free(page);
	return (0);
}

static void
answer(
    const struct endpoint *endpoint, int status, int64_t time, const char *text)
{
	struct evbuffer *body = evbuffer_new();

	evbuffer_add(body, text, strlen(text));
	metrics_request(endpoint, status, time, body);
	evbuffer_free(body);
}

/* A line of the page, whole. */
static bool
has(const char *line)
{
	struct metrics_now now = { .pool_size = 8,
		.queue = 3,
		.warnings = json_tokener_parse("{\"seal_lag\":\"late\"}"),
		.jobs = { { "version_warn", "57014", 7 } },
		.jobs_count = 1 };
	const char *text, *found;
	size_t size = strlen(line);

	evbuffer_drain(page, evbuffer_get_length(page));
	metrics_write(page, &now);
	json_object_put(now.warnings);
	evbuffer_add(page, "", 1);
	text = (const char *)evbuffer_pullup(page, -1);
	for (found = strstr(text, line); found != NULL;
	     found = strstr(found + 1, line)) {
		if (found[-1] == '\n' && found[size] == '\n')
			return (true);
	}
	return (false);
}

static void
test_requests(void **state)
{
	(void)state;
	answer(&endpoints[0], 200, 250, "{}");
	answer(&endpoints[0], 200, 251, "{}");
	answer(NULL, 404, 20000000, "{\"type\":\"not_found\"}");
	assert_true(has("coffer_requests_total{endpoint=\"secret_create\","
			"status=\"200\"} 2"));
	assert_true(has("coffer_request_seconds_bucket{endpoint=\"secret_"
			"create\",le=\"0.00025\"} 1"));
	assert_true(has("coffer_request_seconds_bucket{endpoint=\"secret_"
			"create\",le=\"0.0005\"} 2"));
	assert_true(has("coffer_request_seconds_sum{endpoint=\"secret_create\""
			"} 0.000501"));
	assert_true(
	    has("coffer_requests_total{endpoint=\"none\",status=\"404\"} 1"));
	assert_true(has("coffer_request_seconds_bucket{endpoint=\"none\",le="
			"\"10\"} 0"));
	assert_true(has("coffer_request_seconds_bucket{endpoint=\"none\",le="
			"\"+Inf\"} 1"));
}

/* What a client has sent, and is in the body, gets no place of its own. */
static void
test_refusals(void **state)
{
	(void)state;
	answer(NULL, 400, 1,
	    "{\"resource_id\":\"\\\"type\\\":\\\"x\",\"type\":\"locked\"}");
	answer(NULL, 400, 1, "{\"type\":\"locked\",\"type\":\"gone\"}");
	answer(NULL, 400, 1, "no JSON");
	assert_true(has("coffer_refusals_total{type=\"locked\"} 1"));
	assert_true(has("coffer_refusals_total{type=\"gone\"} 1"));
	assert_false(has("coffer_refusals_total{type=\"x\"} 1"));
}

static void
test_names_are_bounded(void **state)
{
	char sqlstate[] = "A0000";
	int i;

	(void)state;
	for (i = 0; i < 26; i++) {
		sqlstate[0] = (char)('A' + i);
		metrics_sqlstate(sqlstate);
		sqlstate[1] = '1';
		metrics_sqlstate(sqlstate);
		sqlstate[1] = '0';
	}
	assert_true(has("coffer_database_errors_total{class=\"A0\"} 1"));
	assert_true(has("coffer_database_errors_total{class=\"other\"} 21"));
}

static void
test_groups_and_waits(void **state)
{
	(void)state;
	metrics_group(1);
	metrics_group(32);
	metrics_waited(0);
	assert_true(has("coffer_group_size_bucket{le=\"1\"} 1"));
	assert_true(has("coffer_group_size_bucket{le=\"16\"} 1"));
	assert_true(has("coffer_group_size_bucket{le=\"32\"} 2"));
	assert_true(has("coffer_group_size_sum 33.000000"));
	assert_true(has("coffer_queue_seconds_count 1"));
	assert_true(has("coffer_queue_length 3"));
	assert_true(has("coffer_pool_size 8"));
	assert_true(has("coffer_warning{name=\"seal_lag\"} 1"));
}

static void
test_jobs_that_fail(void **state)
{
	(void)state;
	assert_true(has("# TYPE coffer_job_failing gauge"));
	assert_true(has("coffer_job_failing{job=\"version_warn\","
			"sqlstate=\"57014\"} 7"));
}

/* The last place is for requests that came to no endpoint. */
static void
test_endpoints_have_room(void **state)
{
	(void)state;
	assert_true(endpoints_count < METRICS_ENDPOINTS);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    test_requests, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_refusals, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_names_are_bounded, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_groups_and_waits, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_jobs_that_fail, set_up, tear_down),
		cmocka_unit_test(test_endpoints_have_room),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
