#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "http/http_head.h"
#include "tests/src/test.h"

#define LINE "GET / HTTP/1.1\r\n"
#define HOST "Host: x\r\n"
#define TOKEN "X-Auth-Token: 11111111-1111-4111-8111-111111111111\r\n"
#define CHUNKED "Transfer-Encoding: chunked\r\n"
#define EXPECT "Expect: 100-continue\r\n"

static const struct http_head_limits limits = { 200, 4, 1000 };

static struct http_head
read_whole(const char *text, enum http_head_state expected)
{
	struct http_head head = { 0 };

	assert_int_equal(
	    http_head_read(&head, text, strlen(text), &limits), expected);
	return (head);
}

static void
assert_fault(const char *text, enum error_id error)
{
	struct http_head head = read_whole(text, HTTP_HEAD_FAULT);

	assert_int_equal(head.error, error);
	assert_non_null(head.fault);
}

/* The fault is told in an answer, within the room that a request has for it. */
static void
assert_malformed(const char *text, const char *fault)
{
	struct http_head head = read_whole(text, HTTP_HEAD_FAULT);

	assert_int_equal(head.error, ERROR_REQUEST);
	assert_string_equal(head.fault, fault);
	assert_true(strlen(fault) < 65);
}

static void
test_sizes(void **state)
{
	struct http_head head;

	(void)state;
	head = read_whole(LINE HOST "\r\n", HTTP_HEAD_WHOLE);
	assert_int_equal(head.size, strlen(LINE HOST "\r\n"));
	assert_int_equal(head.body, 0);
	head = read_whole(
	    LINE HOST TOKEN "Content-Length: 0012\r\n\r\nGET", HTTP_HEAD_WHOLE);
	assert_int_equal(
	    head.size, strlen(LINE HOST TOKEN "Content-Length: 0012\r\n\r\n"));
	assert_int_equal(head.body, 12);
	head = read_whole("GET / HTTP/1.0\r\n\r\n", HTTP_HEAD_WHOLE);
	assert_int_equal(head.size, strlen("GET / HTTP/1.0\r\n\r\n"));
}

static void
test_any_piece_is_more_or_a_fault_at_once(void **state)
{
	static const char text[] = LINE HOST "X: y\r\n\r\n";
	struct http_head head = { 0 };
	size_t size;

	(void)state;
	for (size = 0; size < strlen(text); size++)
		assert_int_equal(
		    http_head_read(&head, text, size, &limits), HTTP_HEAD_MORE);
	assert_int_equal(
	    http_head_read(&head, text, size, &limits), HTTP_HEAD_WHOLE);
	assert_malformed("\x16", "this is no HTTP");
	assert_malformed(LINE "a\n", "a line ends without a carriage return");
	assert_malformed(LINE "a\rb", "a carriage return does not end a line");
	assert_malformed(LINE "\x7f", "a control character is in the head");
}

static void
test_first_line(void **state)
{
	(void)state;
	assert_malformed("GET /\r\n\r\n",
	    "the first line is not a method, a target and a version");
	assert_malformed("GET / HTTP/1.1\r\n\r\n", "Host is missing");
	assert_malformed(
	    "GET a HTTP/1.1\r\n\r\n", "the target does not begin with a slash");
	assert_malformed("GET /\xc3\xa9 HTTP/1.1\r\n\r\n",
	    "the target is not visible ASCII");
	assert_malformed(
	    "GET /#a HTTP/1.1\r\n\r\n", "the target has a fragment");
	assert_malformed(
	    "GET /a/../b HTTP/1.1\r\n\r\n", "the path has dotted segments");
	assert_malformed(
	    "GET //a HTTP/1.1\r\n\r\n", "the path begins with two slashes");
	assert_malformed("GET /a%00 HTTP/1.1\r\n\r\n", "the path has a NUL");
	assert_fault("GET / HTTP/1.2\r\n\r\n", ERROR_VERSION);
	assert_fault("G / HTTP/1.1\r\n\r\n", ERROR_NO_METHOD);
}

static void
test_headers(void **state)
{
	(void)state;
	assert_malformed(
	    LINE HOST " a\r\n\r\n", "a header goes over two lines");
	assert_malformed(
	    LINE HOST "a b: c\r\n\r\n", "a header has no name, or no colon");
	assert_malformed(
	    LINE HOST HOST "\r\n", "a header is there more than once");
	assert_malformed(LINE HOST "Content-Length: +1\r\n\r\n",
	    "Content-Length is no number");
	assert_malformed(LINE HOST
	    "Content-Length: 1\r\ncontent-length: 1\r\n\r\n",
	    "Content-Length is there more than once");
	assert_malformed("HEAD / HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\n",
	    "this method must not have a body");
}

static void
test_chunks(void **state)
{
	struct http_head head;

	(void)state;
	head = read_whole(LINE HOST CHUNKED TOKEN "\r\n", HTTP_HEAD_WHOLE);
	assert_true(head.chunked && !head.expects);
	assert_int_equal(head.removed_count, 1);
	assert_int_equal(head.removed[0].at, strlen(LINE HOST));
	assert_int_equal(head.removed[0].size, strlen(CHUNKED));
	read_whole(LINE HOST TOKEN "transfer-encoding:CHUNKED\r\n\r\n",
	    HTTP_HEAD_WHOLE);
	assert_malformed(LINE HOST TOKEN CHUNKED CHUNKED "\r\n",
	    "Transfer-Encoding is there more than once");
	assert_malformed(LINE HOST TOKEN CHUNKED "Content-Length: 0\r\n\r\n",
	    "Transfer-Encoding and Content-Length are there");
	assert_malformed(LINE HOST TOKEN "Content-Length: 2\r\n" CHUNKED "\r\n",
	    "Transfer-Encoding and Content-Length are there");
	assert_malformed("POST / HTTP/1.0\r\n" HOST TOKEN CHUNKED "\r\n",
	    "HTTP/1.0 does not have Transfer-Encoding");
	assert_malformed("HEAD / HTTP/1.1\r\n" HOST TOKEN CHUNKED "\r\n",
	    "this method must not have a body");
	assert_fault(LINE HOST TOKEN "Transfer-Encoding: gzip, chunked\r\n\r\n",
	    ERROR_ENCODING);
	assert_fault(
	    LINE HOST TOKEN "Transfer-Encoding: \r\n\r\n", ERROR_ENCODING);
}

static void
test_expectations(void **state)
{
	struct http_head head;

	(void)state;
	head = read_whole(LINE EXPECT HOST TOKEN "Content-Length: 2\r\n\r\n",
	    HTTP_HEAD_WHOLE);
	assert_true(head.expects);
	assert_int_equal(head.removed_count, 1);
	assert_int_equal(head.removed[0].at, strlen(LINE));
	assert_int_equal(head.removed[0].size, strlen(EXPECT));
	head =
	    read_whole(LINE HOST TOKEN CHUNKED "expect: 100-Continue\r\n\r\n",
		HTTP_HEAD_WHOLE);
	assert_int_equal(head.removed_count, 2);
	assert_int_equal(head.removed[1].at, strlen(LINE HOST TOKEN CHUNKED));
	head = read_whole("POST / HTTP/1.0\r\n" EXPECT TOKEN
			  "Content-Length: 2\r\n\r\n",
	    HTTP_HEAD_WHOLE);
	assert_false(head.expects);
	assert_malformed(
	    LINE HOST EXPECT EXPECT "\r\n", "Expect is there more than once");
	assert_fault(LINE HOST "Expect: tea\r\n\r\n", ERROR_EXPECTATION);
	assert_fault(LINE HOST "Expect: \r\n\r\n", ERROR_EXPECTATION);
}

/* Only with one token, and a well-formed one, is a body read. */
static void
test_tokens(void **state)
{
	(void)state;
	read_whole(LINE HOST "\r\n", HTTP_HEAD_WHOLE);
	read_whole(LINE HOST "Content-Length: 0\r\n\r\n", HTTP_HEAD_WHOLE);
	assert_fault(LINE HOST "Content-Length: 2\r\n\r\n", ERROR_NO_TOKEN);
	assert_fault(LINE HOST CHUNKED "\r\n", ERROR_NO_TOKEN);
	assert_fault(LINE HOST "X-Auth-Token: x\r\nContent-Length: 2\r\n\r\n",
	    ERROR_BAD_TOKEN);
	assert_fault(
	    LINE HOST TOKEN TOKEN "Content-Length: 2\r\n\r\n", ERROR_BAD_TOKEN);
	/* It is too large with any token. */
	assert_fault(
	    LINE HOST "Content-Length: 1001\r\n\r\n", ERROR_BODY_TOO_LARGE);
}

static void
test_limits(void **state)
{
	char text[512];

	(void)state;
	read_whole(
	    LINE HOST TOKEN "Content-Length: 1000\r\n\r\n", HTTP_HEAD_WHOLE);
	assert_fault(
	    LINE HOST "Content-Length: 1001\r\n\r\n", ERROR_BODY_TOO_LARGE);
	assert_fault(LINE HOST "Content-Length: 9999999999\r\n\r\n",
	    ERROR_BODY_TOO_LARGE);
	read_whole(LINE HOST "a: \r\nb: \r\nc: \r\n\r\n", HTTP_HEAD_WHOLE);
	assert_fault(LINE HOST "a: \r\nb: \r\nc: \r\nd: \r\n\r\n",
	    ERROR_HEADERS_TOO_LARGE);
	snprintf(text, sizeof(text), LINE HOST "a: %0*d\r\n\r\n",
	    200 - (int)strlen(LINE HOST "a: \r\n\r\n"), 0);
	read_whole(text, HTTP_HEAD_WHOLE);
	snprintf(text, sizeof(text), LINE HOST "a: %0*d", 200, 0);
	assert_fault(text, ERROR_HEADERS_TOO_LARGE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_any_piece_is_more_or_a_fault_at_once),
		cmocka_unit_test(test_first_line),
		cmocka_unit_test(test_headers),
		cmocka_unit_test(test_chunks),
		cmocka_unit_test(test_expectations),
		cmocka_unit_test(test_tokens),
		cmocka_unit_test(test_limits),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
