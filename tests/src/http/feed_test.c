#include <string.h>

#include "http/feed.h"
#include "tests/src/test.h"

#define TOKEN "X-Auth-Token: 11111111-1111-4111-8111-111111111111\r\n"
#define GET "GET / HTTP/1.1\r\nHost: x\r\n\r\n"
#define POST "POST / HTTP/1.1\r\nHost: x\r\n" TOKEN
#define PLAIN "GET / HTTP/1.1\r\nConnection: close\r\n\r\n"

static const struct http_head_limits limits = { 512, 8, 10000 };

static struct feed feed;
static struct evbuffer *input; /* what evhttp reads */

static int
set_up(void **state)
{
	(void)state;
	feed_init(&feed, &limits);
	input = evbuffer_new();
	return (0);
}

static int
tear_down(void **state)
{
	(void)state;
	feed_free(&feed);
	evbuffer_free(input);
	return (0);
}

static void
give_bytes(const char *bytes, size_t size)
{
	evbuffer_add(input, bytes, size);
	feed_hold(&feed, input, size);
	feed_read(&feed, input);
}

static void
give(const char *text)
{
	give_bytes(text, strlen(text));
}

/* What evhttp has got since the last time. */
static void
assert_fed(const char *expected)
{
	const size_t size = evbuffer_get_length(input);

	assert_int_equal(size, strlen(expected));
	if (size > 0)
		assert_memory_equal(evbuffer_pullup(input, -1), expected, size);
	evbuffer_drain(input, size);
}

static void
test_whole_requests_alone(void **state)
{
	(void)state;
	assert_int_equal(feed.state, FEED_IDLE);
	give("GET / HTTP/1.1\r\nHo");
	assert_int_equal(feed.state, FEED_HEAD);
	assert_fed("");
	give("st: x\r\n\r\n");
	assert_int_equal(feed.state, FEED_GIVEN);
	assert_int_equal(feed.given, strlen(GET) - 2);
	assert_fed(GET);
	assert_int_equal(feed_size(&feed), 0);
}

static void
test_one_request_at_a_time(void **state)
{
	(void)state;
	give(GET POST "Content-Length: 2\r\n\r\n{}G");
	assert_fed(GET);
	give("E");
	assert_fed("");
	feed_answered(&feed);
	assert_int_equal(feed.given, 0);
	feed_read(&feed, input);
	assert_int_equal(feed.state, FEED_GIVEN);
	assert_fed(POST "Content-Length: 2\r\n\r\n{}");
	feed_answered(&feed);
	feed_read(&feed, input);
	assert_int_equal(feed.state, FEED_HEAD);
	assert_int_equal(feed_size(&feed), 2);
}

static void
test_body_in_chunks(void **state)
{
	(void)state;
	give(POST "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
	assert_int_equal(feed.state, FEED_BODY);
	give("1\r\nd\r\n0\r\n");
	assert_fed("");
	give("\r\n");
	assert_fed(POST "Content-Length: 4\r\n\r\nabcd");
}

static void
test_byte_by_byte(void **state)
{
	const char *text =
	    POST "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";

	(void)state;
	for (; *text != '\0'; text++)
		give_bytes(text, 1);
	assert_fed(POST "Content-Length: 3\r\n\r\nabc");
	assert_int_equal(feed.state, FEED_GIVEN);
}

static void
test_large_body(void **state)
{
	static char body[9000];
	size_t i;

	(void)state;
	memset(body, 'b', sizeof(body));
	give(POST "Content-Length: 9000\r\n\r\n");
	for (i = 0; i < sizeof(body); i += 4500)
		give_bytes(body + i, 4500);
	assert_int_equal(feed.state, FEED_GIVEN);
	assert_int_equal(
	    feed.given, strlen(POST "Content-Length: 9000\r\n") + 9000);
}

static void
test_client_that_waits_for_100(void **state)
{
	(void)state;
	give(POST "Expect: 100-continue\r\nContent-Length: 1\r\n\r\n");
	assert_int_equal(feed.state, FEED_EXPECTS);
	feed_proceed(&feed);
	assert_int_equal(feed.state, FEED_BODY);
	give("1");
	assert_fed(POST "Content-Length: 1\r\n\r\n1");
}

static void
test_client_that_does_not_wait_for_100(void **state)
{
	(void)state;
	give(POST "Expect: 100-continue\r\nContent-Length: 2\r\n\r\n1");
	assert_int_equal(feed.state, FEED_BODY);
	give("2");
	assert_int_equal(feed.state, FEED_GIVEN);
	evbuffer_drain(input, evbuffer_get_length(input));
	feed_answered(&feed);
	give(POST "Expect: 100-continue\r\nContent-Length: 2\r\n\r\n");
	assert_int_equal(feed.state, FEED_EXPECTS);
	give("12");
	assert_int_equal(feed.state, FEED_GIVEN);
}

static void
assert_refused(enum error_id error)
{
	assert_int_equal(feed.state, FEED_GIVEN);
	assert_non_null(feed_fault(&feed));
	assert_int_equal(feed_fault(&feed)->error, error);
	assert_int_equal(feed_size(&feed), 0);
	assert_fed(PLAIN);
}

static void
test_faulty_head(void **state)
{
	(void)state;
	assert_null(feed_fault(&feed));
	give("GET / HTTP/1.1\nHost: x\r\n\r\n" GET);
	assert_refused(ERROR_REQUEST);
	/* Nothing after it is known to be a request. */
	give(GET);
	feed_drop(&feed);
	feed_read(&feed, input);
	assert_fed("");
}

static void
test_faulty_chunk(void **state)
{
	(void)state;
	give(POST "Transfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n");
	assert_refused(ERROR_REQUEST);
}

static void
test_refused_body(void **state)
{
	(void)state;
	give(POST "Content-Length: 5\r\n\r\n123");
	feed_refuse(&feed, input, ERROR_UNAVAILABLE, "there is no memory");
	assert_refused(ERROR_UNAVAILABLE);
}

static void
test_full(void **state)
{
	char text[513];

	(void)state;
	give(GET);
	memset(text, 'x', sizeof(text));
	give_bytes(text, 512);
	assert_false(feed_is_full(&feed));
	give_bytes(text, 1);
	assert_true(feed_is_full(&feed));
}

/* evhttp has not read the end of the request before. */
static void
test_bytes_behind_others(void **state)
{
	(void)state;
	evbuffer_add(input, "unread", 6);
	give("GET");
	assert_fed("unread");
	assert_int_equal(feed_size(&feed), 3);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    test_whole_requests_alone, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_one_request_at_a_time, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_body_in_chunks, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_byte_by_byte, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_large_body, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_client_that_waits_for_100, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_client_that_does_not_wait_for_100, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_faulty_head, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_faulty_chunk, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_refused_body, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_full, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_bytes_behind_others, set_up, tear_down),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
