#include <event2/http.h>
#include <event2/http_struct.h>
#include <string.h>

#include "../../src/address.h"
#include "test.h"

static void
test_lists(void **state)
{
	static const char *const sound[] = { "127.0.0.1", "10.0.0.0/8",
		"::1,10.0.0.1", " 10.0.0.1 , fd00::/8 ", "0.0.0.0/0", "::/0",
		"::ffff:10.0.0.0/104", "10.0.0.1/8" };
	static const char *const broken[] = { "", ",", " ", "10.0.0", "a",
		"10.0.0.1/33", "10.0.0.1/-1", "10.0.0.1/", "10.0.0.1/8x",
		"10.0.0.1/ 8", "::/129", "10.0.0.1 10.0.0.2", "10.0.0.1,,::1",
		"10.0.0.1:80", "[::1]", "fe80::1%eth0" };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(sound) / sizeof(sound[0]); i++)
		assert_true(address_are_all(sound[i]));
	for (i = 0; i < sizeof(broken) / sizeof(broken[0]); i++)
		assert_false(address_are_all(broken[i]));
}

static void
assert_client(const char *peer, const char *header, const char *trusted,
    const char *client)
{
	struct evhttp_request *http = evhttp_request_new(NULL, NULL);
	char found[ADDRESS_TEXT_SIZE];

	evhttp_add_header(
	    evhttp_request_get_input_headers(http), "X-Forwarded-For", header);
	address_of_client(peer, http, trusted, found);
	assert_string_equal(found, client);
	evhttp_request_free(http);
}

static void
test_client(void **state)
{
	(void)state;
	assert_client("10.0.0.1", "192.0.2.1", NULL, "10.0.0.1");
	assert_client("10.0.0.1", "192.0.2.1", "10.0.0.2", "10.0.0.1");
	assert_client("10.0.0.1", "192.0.2.1", "10.0.0.0/31", "192.0.2.1");
	assert_client("10.0.0.2", "192.0.2.1", "10.0.0.0/31", "10.0.0.2");
	assert_client("::1", "192.0.2.1", "10.0.0.1, ::1", "192.0.2.1");
	assert_client("::1", "2001:DB8::1", "::/64", "2001:db8::1");
	assert_client("fe80::1%eth0", "", NULL, "fe80::1");
	/* IPv4 on a socket of IPv6 is IPv4. */
	assert_client("::ffff:10.0.0.1", "192.0.2.1", "10.0.0.1", "192.0.2.1");
	assert_client("::ffff:10.0.0.1", "192.0.2.1", NULL, "10.0.0.1");
}

static void
test_network(void **state)
{
	unsigned char one[16], other[16];

	(void)state;
	assert_true(address_of_network("2001:db8::1", one));
	assert_true(address_of_network("2001:db8::ffff:0:0:2", other));
	assert_memory_equal(one, other, sizeof(one));
	assert_true(address_of_network("2001:db8:0:1::1", other));
	assert_memory_not_equal(one, other, sizeof(one));
	assert_true(address_of_network("192.0.2.1", one));
	assert_true(address_of_network("192.0.2.2", other));
	assert_memory_not_equal(one, other, sizeof(one));
	assert_true(address_of_network("::ffff:192.0.2.2", one));
	assert_memory_equal(one, other, sizeof(one));
	assert_false(address_of_network("x", one));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_client),
		cmocka_unit_test(test_network),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
