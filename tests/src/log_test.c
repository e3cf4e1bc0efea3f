#include <json-c/json.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

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

/* A file that may have so many bytes, in the place of standard error. */
static void
limit_log(rlim_t size)
{
	struct rlimit limit;

	getrlimit(RLIMIT_FSIZE, &limit);
	limit.rlim_cur = size;
	setrlimit(RLIMIT_FSIZE, &limit);
}

/* As on a disk that is full, and then is not. */
static void
test_a_line_that_is_cut_off(void **state)
{
	FILE *file = tmpfile();
	int errors = dup(STDERR_FILENO), count = 0;
	bool written[4], takes[4];
	struct stat now;

	(void)state;
	assert_true(errors >= 0 && file != NULL);
	signal(SIGXFSZ, SIG_IGN);
	dup2(fileno(file), STDERR_FILENO);
	written[0] = log_error("first");
	takes[0] = log_takes_lines();
	fstat(STDERR_FILENO, &now);
	limit_log((rlim_t)now.st_size + 10);
	written[1] = log_error("torn");
	takes[1] = log_takes_lines();
	written[2] = log_error("not begun");
	takes[2] = log_takes_lines();
	limit_log(RLIM_INFINITY);
	written[3] = log_error("last");
	takes[3] = log_takes_lines();
	dup2(errors, STDERR_FILENO);
	close(errors);
	assert_memory_equal(written, ((bool[]){ true, false, false, true }), 4);
	assert_memory_equal(takes, written, 4);
	assert_int_equal(log_lost(), 2);

	rewind(file);
	for (; fgets(line, sizeof(line), file) != NULL; count++) {
		if (count != 1)
			assert_member(strlen(line), "event",
			    count == 0 ? "first" : "last");
	}
	assert_int_equal(count, 3);
	fclose(file);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_escapes),
		cmocka_unit_test(test_too_long_is_still_json),
		cmocka_unit_test(test_levels),
		cmocka_unit_test(test_a_line_that_is_cut_off),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
