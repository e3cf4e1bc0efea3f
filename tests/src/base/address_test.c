#include <event2/http.h>
#include <event2/http_struct.h>
#include <stdio.h>
#include <string.h>

#include "base/address.h"
#include "tests/src/test.h"

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
	address_of_client(peer, http, trusted, "X-Forwarded-For", found);
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

/* Two lines of the header, of which the proxy has written the end. */
static void
assert_forwarded(
    const char *name, const char *first, const char *second, const char *client)
{
	struct evhttp_request *http = evhttp_request_new(NULL, NULL);
	char found[ADDRESS_TEXT_SIZE];

	evhttp_add_header(evhttp_request_get_input_headers(http), name, first);
	evhttp_add_header(evhttp_request_get_input_headers(http), name, second);
	address_of_client("10.0.0.1", http, "10.0.0.0/8", name, found);
	assert_string_equal(found, client);
	evhttp_request_free(http);
}

/* The element of a trusted proxy, and the client that it names. */
static void
assert_element(const char *name, const char *element, const char *client)
{
	assert_forwarded(name, "", element, client);
}

static void
test_elements_of_x_forwarded_for(void **state)
{
	static const char name[] = "X-Forwarded-For";
	static const char *const nobody[] = { "unknown", "_hidden", "", " ",
		"192.0.2.1:", "192.0.2.1:x", "192.0.2.1:123456",
		"192.0.2.1:80:", "192.0.2.1 192.0.2.2", "[192.0.2.1]",
		"[192.0.2.1]:80", "[2001:db8::1", "2001:db8::1]",
		"[2001:db8::1]80", "[2001:db8::1]:", "[2001:db8::1]:x", "[]",
		"[", ":80", "\"192.0.2.1\"", "for=192.0.2.1", "fe80::1%eth0" };
	size_t i;

	(void)state;
	assert_element(name, "192.0.2.1", "192.0.2.1");
	assert_element(name, "192.0.2.1:51008", "192.0.2.1");
	assert_element(name, "[2001:db8::7]:443", "2001:db8::7");
	assert_element(name, "[2001:db8::7]", "2001:db8::7");
	assert_element(name, "2001:db8::7", "2001:db8::7");
	assert_element(name, "2001:db8::7:443", "2001:db8::7:443");
	assert_element(name, "[::ffff:192.0.2.1]:80", "192.0.2.1");
	for (i = 0; i < sizeof(nobody) / sizeof(nobody[0]); i++)
		assert_element(name, nobody[i], "10.0.0.1");
	/* Back to the first that is not trusted, and no further. */
	assert_forwarded(name, "192.0.2.9, 192.0.2.1:1", "10.0.0.2:2 ,10.0.0.3",
	    "192.0.2.1");
	assert_forwarded(name, "192.0.2.1", "unknown, 10.0.0.3", "10.0.0.3");
	assert_forwarded(name, "192.0.2.1", "192.0.2.2", "192.0.2.2");
}

static void
test_elements_of_forwarded(void **state)
{
	static const char name[] = "Forwarded";
	static const char *const nobody[] = { "for=unknown", "for=_hidden",
		"for=\"_hidden:80\"", "by=192.0.2.1", "192.0.2.1",
		"for=", "for", "for=192.0.2.1;for=192.0.2.2", "for=192.0.2.1;",
		"for=192.0.2.1:80", "for=[2001:db8::7]", "for=\"192.0.2.1",
		"for=192.0.2.1 by=x", "for=192.0.2.1;by=", ";for=192.0.2.1",
		"for =192.0.2.1", "for= 192.0.2.1", "for=\"192.0.2.1\"x",
		"for=\"192.0.2.1\\" };
	size_t i;

	(void)state;
	assert_element(name, "for=192.0.2.1", "192.0.2.1");
	assert_element(
	    name, "by=10.0.0.9 ; For=\"192.0.2.1:80\";proto=http", "192.0.2.1");
	assert_element(name, "for=\"[2001:db8::7]:4711\"", "2001:db8::7");
	assert_element(name, "for=\"[2001:db8::7]:_port\"", "2001:db8::7");
	assert_element(name, "for=\"192.0.\\2.1\"", "192.0.2.1");
	assert_element(name, "for=192.0.2.1;host=\"a,b\\\",c\"", "192.0.2.1");
	for (i = 0; i < sizeof(nobody) / sizeof(nobody[0]); i++)
		assert_element(name, nobody[i], "10.0.0.1");
	assert_forwarded(name, "for=192.0.2.9,for=192.0.2.1",
	    "for=10.0.0.2;by=_x, for=\"10.0.0.3:80\"", "192.0.2.1");
	assert_forwarded(
	    name, "for=192.0.2.1", "for=unknown, for=10.0.0.3", "10.0.0.3");
}

/* What a client sends stands before what its proxy says of it. */
static void
test_clients_do_not_choose(void **state)
{
	static const char *const sent[] = { "for=198.51.100.1", "for=\"",
		"for=\"198.51.100.1", "for=\"a\\", "\\", "for=198.51.100.1;",
		"for=198.51.100.1;host=\"", "\",for=198.51.100.1,\"" };
	char value[256];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(sent) / sizeof(sent[0]); i++) {
		snprintf(value, sizeof(value), "%s, for=192.0.2.1", sent[i]);
		assert_forwarded("Forwarded", sent[i], value, "192.0.2.1");
		snprintf(value, sizeof(value),
		    "%s, for=\"[2001:db8::7]:80\";proto=http", sent[i]);
		assert_forwarded("Forwarded", sent[i], value, "2001:db8::7");
	}
	/* In a string that the proxy has quoted. */
	assert_element("Forwarded",
	    "for=192.0.2.1;host=\"a\\\", for=198.51.100.1;b=\\\"c\"",
	    "192.0.2.1");
}

static void
test_names_and_networks(void **state)
{
	(void)state;
	assert_true(address_is_header("X-Forwarded-For"));
	assert_true(address_is_header("forwarded"));
	assert_false(address_is_header("X-Real-IP"));
	assert_true(address_is_in("10.1.2.3", "::1, 10.0.0.0/8"));
	assert_true(address_is_in("::ffff:10.1.2.3", "10.0.0.0/8"));
	assert_false(address_is_in("11.0.0.1", "::1, 10.0.0.0/8"));
	assert_false(address_is_in("", "0.0.0.0/0,::/0"));
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
		cmocka_unit_test(test_elements_of_x_forwarded_for),
		cmocka_unit_test(test_elements_of_forwarded),
		cmocka_unit_test(test_clients_do_not_choose),
		cmocka_unit_test(test_names_and_networks),
		cmocka_unit_test(test_network),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
