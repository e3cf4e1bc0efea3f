#include <stdio.h>
#include <string.h>

#include "http/chunk.h"
#include "tests/src/test.h"

#define LIMIT 64

/* Reads all of text, in pieces of so many bytes; the data is put into data. */
static struct chunk
read_pieces(const char *text, size_t piece, char *data, size_t *used)
{
	struct chunk chunk = { 0 };
	size_t size = strlen(text), at = 0, next, n;

	*data = '\0';
	while (at < size && chunk.state != CHUNK_WHOLE &&
	    chunk.state != CHUNK_FAULT) {
		next = piece < size - at ? piece : size - at;
		if (chunk.state == CHUNK_DATA) {
			n = chunk.left < next ? chunk.left : next;
			strncat(data, text + at, n);
			chunk_take(&chunk, n);
		} else
			n = chunk_read(&chunk, text + at, next, LIMIT);
		at += n;
	}
	*used = at;
	return (chunk);
}

static void
assert_body(const char *text, const char *rest, const char *expected)
{
	char data[LIMIT + 1], all[256];
	size_t piece, used;
	struct chunk chunk;

	snprintf(all, sizeof(all), "%s%s", text, rest);
	for (piece = 1; piece <= strlen(all); piece++) {
		chunk = read_pieces(all, piece, data, &used);
		assert_int_equal(chunk.state, CHUNK_WHOLE);
		assert_string_equal(data, expected);
		assert_int_equal(chunk.body, strlen(expected));
		assert_int_equal(used, strlen(text));
	}
}

static void
assert_fault(const char *text, enum error_id error, const char *fault)
{
	char data[LIMIT + 1];
	size_t piece, used;
	struct chunk chunk;

	for (piece = 1; piece <= strlen(text); piece++) {
		chunk = read_pieces(text, piece, data, &used);
		assert_int_equal(chunk.state, CHUNK_FAULT);
		assert_int_equal(chunk.error, error);
		assert_string_equal(chunk.fault, fault);
		assert_true(strlen(fault) < 65);
	}
}

static void
test_bodies(void **state)
{
	(void)state;
	assert_body("0\r\n\r\n", "", "");
	assert_body("2\r\n{}\r\n0\r\n\r\n", "GET / HTTP/1.1\r\n", "{}");
	assert_body("1\r\n{\r\n1\r\n}\r\n00\r\n\r\n", "0\r\n\r\n", "{}");
	assert_body("0000000a\r\n0123456789\r\nA\r\n0123456789\r\n0\r\n\r\n",
	    "\r\n", "01234567890123456789");
	/* Data may look like framing. */
	assert_body("5\r\n0\r\n\r\n\r\n0\r\n\r\n", "", "0\r\n\r\n");
}

static void
test_faults(void **state)
{
	static const char size[] =
	    "the size of a chunk is not a few hexadecimal digits";
	static const char *const sizes[] = { "\r\n", "0x2\r\n", "+2\r\n",
		"-2\r\n", " 2\r\n", "2 \r\n", "2;a=b\r\n", "2;\r\n", "2\n",
		"g\r\n", "\n", "000000002\r\n", "2\t\r\n", "\"2\"\r\n" };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		assert_fault(sizes[i], ERROR_REQUEST, size);
	assert_fault(
	    "2\r{", ERROR_REQUEST, "the size of a chunk does not end its line");
	assert_fault(
	    "2\r\n{}0\r\n", ERROR_REQUEST, "a chunk is longer than its size");
	assert_fault(
	    "2\r\n{}\n0", ERROR_REQUEST, "a chunk is longer than its size");
	assert_fault(
	    "2\r\n{}\r0", ERROR_REQUEST, "a chunk is longer than its size");
	assert_fault("0\r\nX-Auth-Token: x\r\n\r\n", ERROR_REQUEST,
	    "trailers are not taken");
	assert_fault("0\r\n\n", ERROR_REQUEST, "trailers are not taken");
	assert_fault(
	    "0\r\n\rG", ERROR_REQUEST, "the last chunk does not end its line");
}

static void
test_limits(void **state)
{
	static const char large[] = "the body is too large";
	static const char small[] = "the chunks of the body are too small";
	char text[512] = "";
	size_t i;

	(void)state;
	assert_fault("41\r\n", ERROR_BODY_TOO_LARGE, large);
	assert_fault("ffffffff\r\n", ERROR_BODY_TOO_LARGE, large);
	assert_fault("2\r\n{}\r\n3f\r\n", ERROR_BODY_TOO_LARGE, large);
	for (i = 0; i < 20; i++)
		strncat(text, "1\r\nx\r\n", sizeof(text) - strlen(text) - 1);
	assert_fault(text, ERROR_BODY_TOO_LARGE, small);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bodies),
		cmocka_unit_test(test_faults),
		cmocka_unit_test(test_limits),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
