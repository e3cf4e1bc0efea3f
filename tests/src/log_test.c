#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "../../src/log.h"
#include "test.h"

static char line[4096];

/* The member of a line, which must be one JSON object and a line end. */
static void
assert_member(size_t length, const char *name, const char *expected)
{
	struct json_object *object, *value;

	assert_int_equal(strlen(line), length);
	assert_int_equal(line[length - 1], '\n');
	assert_ptr_equal(strchr(line, '\n'), line + length - 1);
	object = json_tokener_parse(line);
	assert_non_null(object);
	assert_true(json_object_object_get_ex(object, name, &value));
	assert_string_equal(json_object_get_string(value), expected);
	json_object_put(object);
}

static void
test_kinds(void **state)
{
	size_t length = log_format(line, sizeof(line), LOG_WARNING, "event",
	    LOG_FIELDS(log_text("text", "t"), log_number("number", -5),
		log_hex("hex", "\x00\xff", 2), log_text("none", NULL)));

	(void)state;
	assert_non_null(strstr(line,
	    "\"level\":\"warning\",\"event\":\"event\",\"text\":\"t\","
	    "\"number\":-5,\"hex\":\"00ff\",\"none\":null}\n"));
	assert_int_equal(length, strlen(line));
	/* 2026-01-02T03:04:05.678901Z */
	assert_int_equal(strcspn(line, "Z"), strlen("{\"time\":\"") + 26);
}

static void
test_escapes(void **state)
{
	size_t length;

	(void)state;
	length = log_format(line, sizeof(line), LOG_INFO, "a\"b\\c",
	    LOG_FIELDS(log_text("text", "\n\x01\t\"\\\xc3\xa9")));
	assert_member(length, "event", "a\"b\\c");
	assert_member(length, "text", "\n\x01\t\"\\\xc3\xa9");
	length = log_format(line, sizeof(line), LOG_INFO, "e",
	    LOG_FIELDS(log_text("text", "a\xff\xed\xa0\x80z")));
	assert_member(length, "text", "a????z");
}

static void
test_too_long_is_still_json(void **state)
{
	char small[160], text[200];
	size_t length;

	(void)state;
	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	length = log_format(small, sizeof(small), LOG_INFO, "event",
	    LOG_FIELDS(log_number("kept", 1), log_text("lost", text),
		log_number("after", 2)));
	memcpy(line, small, length + 1);
	assert_member(length, "kept", "1");
	assert_null(strstr(line, "lost"));
}

static void
test_levels(void **state)
{
	(void)state;
	assert_true(log_set_level("debug"));
	assert_true(log_set_level("info"));
	assert_false(log_set_level("loud"));
	assert_false(log_set_level(""));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_escapes),
		cmocka_unit_test(test_too_long_is_still_json),
		cmocka_unit_test(test_levels),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
