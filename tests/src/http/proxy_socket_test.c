#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http/proxy_socket.h"
#include "tests/src/test.h"

#define HEADER "PROXY TCP4 192.0.2.7 192.0.2.8 1234 80\r\n"

static struct event_base *base;
static struct proxy_socket *reader;
static int ends[2]; /* what is read, and what is written */
static int calls;
static enum proxy_state found;
static char client[ADDRESS_TEXT_SIZE];

static void
done(void *arg, enum proxy_state state, const struct proxy *proxy)
{
	assert_ptr_equal(arg, &calls);
	calls++;
	found = state;
	assert_int_equal(proxy != NULL, state == PROXY_WHOLE);
	if (proxy != NULL)
		memcpy(client, proxy->client, sizeof(client));
	/* Its owner may free it here. */
	proxy_socket_free(reader);
	reader = NULL;
}

static int
set_up(void **state)
{
	(void)state;
	calls = 0;
	base = event_base_new();
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	evutil_make_socket_nonblocking(ends[0]);
	reader = proxy_socket_new(base, ends[0], done, &calls);
	return (0);
}

static int
tear_down(void **state)
{
	(void)state;
	proxy_socket_free(reader);
	close(ends[0]);
	if (ends[1] >= 0)
		close(ends[1]);
	event_base_free(base);
	return (0);
}

static void
give(const char *bytes)
{
	assert_int_equal(
	    write(ends[1], bytes, strlen(bytes)), (ssize_t)strlen(bytes));
	event_base_loop(base, EVLOOP_NONBLOCK);
}

/* What comes after the header is left where it is. */
static void
assert_left(const char *expected)
{
	char left[64] = "";

	assert_int_equal(recv(ends[0], left, sizeof(left) - 1, MSG_DONTWAIT),
	    (ssize_t)strlen(expected));
	assert_string_equal(left, expected);
}

static void
test_header_with_more_behind_it(void **state)
{
	(void)state;
	give(HEADER "GET / HTTP/1.1\r\n");
	assert_int_equal(calls, 1);
	assert_int_equal(found, PROXY_WHOLE);
	assert_string_equal(client, "192.0.2.7");
	assert_left("GET / HTTP/1.1\r\n");
}

static void
test_header_in_pieces(void **state)
{
	(void)state;
	give("PROXY TCP4 192.0.");
	give("2.7 192.0.2.8 1234 80\r");
	assert_int_equal(calls, 0);
	give("\nG");
	assert_int_equal(calls, 1);
	assert_int_equal(found, PROXY_WHOLE);
	assert_left("G");
}

static void
test_no_header(void **state)
{
	(void)state;
	give("GET / HTTP/1.1\r\n");
	assert_int_equal(calls, 1);
	assert_int_equal(found, PROXY_FAULT);
}

static void
test_end_before_the_header(void **state)
{
	(void)state;
	give("PROXY");
	close(ends[1]);
	ends[1] = -1;
	event_base_loop(base, EVLOOP_NONBLOCK);
	assert_int_equal(calls, 1);
	assert_int_equal(found, PROXY_MORE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    test_header_with_more_behind_it, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_header_in_pieces, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_no_header, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_end_before_the_header, set_up, tear_down),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
