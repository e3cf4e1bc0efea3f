#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "http/proxy.h"
#include "tests/src/test.h"

#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"

/* Exactly as large as what may be read; each shorter piece is not whole. */
static enum proxy_state
read_pieces(const void *bytes, size_t size, struct proxy *proxy)
{
	enum proxy_state state = PROXY_MORE;
	unsigned char *copy;
	size_t given;

	for (given = 1; given <= size && state == PROXY_MORE; given++) {
		copy = malloc(given);
		memcpy(copy, bytes, given);
		state = proxy_read(copy, given, proxy);
		free(copy);
	}
	return (state);
}

static void
assert_line(const char *line, const char *client)
{
	struct proxy proxy;
	char all[256];

	assert_int_equal(read_pieces(line, strlen(line), &proxy), PROXY_WHOLE);
	assert_int_equal(proxy.size, strlen(line));
	assert_string_equal(proxy.client, client);
	/* What follows belongs to the client. */
	snprintf(all, sizeof(all), "%sGET / HTTP/1.1\r\n", line);
	assert_int_equal(
	    proxy_read((const unsigned char *)all, strlen(all), &proxy),
	    PROXY_WHOLE);
	assert_int_equal(proxy.size, strlen(line));
}

static void
test_version_1(void **state)
{
	static const char *const broken[] = { "GET / HTTP/1.1\r\n",
		"\x16\x03\x01", "proxy TCP4 ",
		"PROXY TCP4 192.0.2.1 10.0.0.1 1 2\n",
		"PROXY  TCP4 192.0.2.1 10.0.0.1 1 2\r\n",
		"PROXY TCP4  192.0.2.1 10.0.0.1 1 2\r\n",
		"PROXY TCP4 192.0.2.1 10.0.0.1 1 2 \r\n",
		"PROXY TCP4 192.0.2.1 10.0.0.1 1 2 3\r\n",
		"PROXY TCP4 192.0.2.1 10.0.0.1 1\r\n",
		"PROXY TCP4 192.0.2.1 10.0.0.1 1 65536\r\n",
		"PROXY TCP4 192.0.2.1 10.0.0.1 01 2\r\n",
		"PROXY TCP4 192.0.2.1 10.0.0.1 -1 2\r\n",
		"PROXY TCP4 192.0.2.1 10.0.0.1 1 123456\r\n",
		"PROXY TCP4 192.0.2 10.0.0.1 1 2\r\n",
		"PROXY TCP4 2001:db8::1 10.0.0.1 1 2\r\n",
		"PROXY TCP6 192.0.2.1 10.0.0.1 1 2\r\n",
		"PROXY TCP6 2001:db8::1 x 1 2\r\n",
		"PROXY UDP4 192.0.2.1 10.0.0.1 1 2\r\n", "PROXY \r\n",
		"PROXY TCP4\r\n", "PROXY TCP4 \t192.0.2.1 10.0.0.1 1 2\r\n" };
	struct proxy proxy;
	char large[200];
	size_t i;

	(void)state;
	assert_line("PROXY TCP4 192.0.2.1 10.0.0.1 51008 443\r\n", "192.0.2.1");
	assert_line("PROXY TCP4 192.0.2.1 10.0.0.1 0 65535\r\n", "192.0.2.1");
	assert_line(
	    "PROXY TCP6 2001:db8::7 2001:db8::1 51008 443\r\n", "2001:db8::7");
	assert_line("PROXY UNKNOWN\r\n", "");
	assert_line("PROXY UNKNOWN ffff::1 ffff::2 65535 65535\r\n", "");
	for (i = 0; i < sizeof(broken) / sizeof(broken[0]); i++)
		assert_int_equal(
		    read_pieces(broken[i], strlen(broken[i]), &proxy),
		    PROXY_FAULT);
	/* A NUL hides nothing, and a line has an end. */
	assert_int_equal(
	    read_pieces("PROXY UNKNOWN\0 x\r\n", 18, &proxy), PROXY_FAULT);
	snprintf(large, sizeof(large), "PROXY UNKNOWN %0*d\r\n", 91, 0);
	assert_int_equal(
	    read_pieces(large, strlen(large), &proxy), PROXY_WHOLE);
	snprintf(large, sizeof(large), "PROXY UNKNOWN %0*d\r\n", 92, 0);
	assert_int_equal(
	    read_pieces(large, strlen(large), &proxy), PROXY_FAULT);
}

/* A header of version 2; data are the addresses and what follows them. */
static size_t
binary(unsigned char *bytes, int command, int family, const void *data,
    size_t size, size_t length)
{
	memcpy(bytes, SIGNATURE, 12);
	bytes[12] = (unsigned char)command;
	bytes[13] = (unsigned char)family;
	bytes[14] = (unsigned char)(length >> 8);
	bytes[15] = (unsigned char)length;
	memcpy(bytes + 16, data, size);
	return (16 + size);
}

static void
assert_binary(
    int command, int family, const void *data, size_t size, const char *client)
{
	unsigned char bytes[PROXY_SIZE_MAX];
	size_t whole = binary(bytes, command, family, data, size, size);
	struct proxy proxy;

	assert_int_equal(read_pieces(bytes, whole, &proxy),
	    client != NULL ? PROXY_WHOLE : PROXY_FAULT);
	if (client == NULL)
		return;
	assert_int_equal(proxy.size, whole);
	assert_string_equal(proxy.client, client);
}

static void
test_version_2(void **state)
{
	static const unsigned char ipv4[12] = { 192, 0, 2, 1, 10, 0, 0, 1, 0xc7,
		0x40, 0x01, 0xbb };
	static const unsigned char ipv6[36] = { 0x20, 0x01, 0x0d,
		0xb8, [15] = 7, 0x20, 0x01, 0x0d, 0xb8, [31] = 1, 0xc7, 0x40,
		0x01, 0xbb };
	static const unsigned char path[216] = "/run/a";
	unsigned char more[64] = { 0 }, bytes[PROXY_SIZE_MAX + 1] = { 0 };
	struct proxy proxy;
	size_t size;

	(void)state;
	assert_binary(0x21, 0x11, ipv4, sizeof(ipv4), "192.0.2.1");
	assert_binary(0x21, 0x21, ipv6, sizeof(ipv6), "2001:db8::7");
	/* More fields follow the addresses. */
	memcpy(more, ipv4, sizeof(ipv4));
	assert_binary(0x21, 0x11, more, sizeof(more), "192.0.2.1");
	/* The proxy itself, whatever it says of addresses, or nobody known. */
	assert_binary(0x20, 0x00, "", 0, "");
	assert_binary(0x20, 0x11, ipv4, sizeof(ipv4), "");
	assert_binary(0x21, 0x00, "", 0, "");
	assert_binary(0x21, 0x00, more, sizeof(more), "");
	assert_binary(0x21, 0x31, path, sizeof(path), "");
	/* Too short for its addresses; other versions, commands and families. */
	assert_binary(0x21, 0x11, ipv4, sizeof(ipv4) - 1, NULL);
	assert_binary(0x21, 0x21, ipv6, sizeof(ipv6) - 1, NULL);
	assert_binary(0x21, 0x31, path, sizeof(path) - 1, NULL);
	assert_binary(0x21, 0x12, ipv4, sizeof(ipv4), NULL);
	assert_binary(0x21, 0x01, ipv4, sizeof(ipv4), NULL);
	assert_binary(0x21, 0x41, ipv4, sizeof(ipv4), NULL);
	assert_binary(0x22, 0x11, ipv4, sizeof(ipv4), NULL);
	assert_binary(0x11, 0x11, ipv4, sizeof(ipv4), NULL);
	assert_binary(0x31, 0x11, ipv4, sizeof(ipv4), NULL);
	size = binary(bytes, 0x21, 0x11, ipv4, sizeof(ipv4), 2032);
	assert_int_equal(proxy_read(bytes, size, &proxy), PROXY_MORE);
	assert_int_equal(
	    proxy_read(bytes, PROXY_SIZE_MAX, &proxy), PROXY_WHOLE);
	assert_int_equal(proxy.size, PROXY_SIZE_MAX);
	size = binary(bytes, 0x21, 0x11, ipv4, sizeof(ipv4), 2033);
	assert_int_equal(proxy_read(bytes, size, &proxy), PROXY_FAULT);
	assert_int_equal(
	    read_pieces("\r\n\r\n\0\r\nQUIX\n", 12, &proxy), PROXY_FAULT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_version_1),
		cmocka_unit_test(test_version_2),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
