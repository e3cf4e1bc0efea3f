#include <event2/event.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "tests/src/test.h"

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
	    "\"number\":-5,\"hex\":\"00ff\"}\n"));
	assert_null(strstr(line, "none"));
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

/* Evidence is info that no level keeps out. */
static void
test_evidence(void **state)
{
	FILE *file = tmpfile();
	int out = dup(STDERR_FILENO);

	(void)state;
	dup2(fileno(file), STDERR_FILENO);
	assert_true(log_set_level("error"));
	log_info("request");
	log_evidence("receipt");
	assert_true(log_set_level("info"));
	dup2(out, STDERR_FILENO);
	close(out);
	rewind(file);
	assert_non_null(fgets(line, sizeof(line), file));
	assert_member(strlen(line), "event", "receipt");
	assert_member(strlen(line), "level", "info");
	assert_null(fgets(line, sizeof(line), file));
	fclose(file);
}

static void
test_levels(void **state)
{
	(void)state;
	assert_true(log_set_level("debug"));
	assert_true(log_set_level("info"));
	assert_false(log_set_level("loud"));
	assert_false(log_set_level("evidence"));
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

static enum log_fate
fate_of(const char *event)
{
	log_write_marked(LOG_ERROR, event, LOG_FIELDS());
	return (log_fate());
}

/* As on a disk that is full, and then is not. */
static void
test_a_line_that_is_cut_off(void **state)
{
	static const char *const events[] = { "first", NULL, "last",
		"log lines were lost" };
	FILE *file = tmpfile();
	int errors = dup(STDERR_FILENO), count = 0, i;
	enum log_fate fates[4];
	bool takes[4];
	struct stat now;

	(void)state;
	assert_true(errors >= 0 && file != NULL);
	signal(SIGXFSZ, SIG_IGN);
	dup2(fileno(file), STDERR_FILENO);
	fates[0] = fate_of("first");
	takes[0] = log_takes_lines();
	fstat(STDERR_FILENO, &now);
	limit_log((rlim_t)now.st_size + 10);
	fates[1] = fate_of("torn");
	takes[1] = log_takes_lines();
	fates[2] = fate_of("not begun");
	takes[2] = log_takes_lines();
	limit_log(RLIM_INFINITY);
	fates[3] = fate_of("last");
	takes[3] = log_takes_lines();
	dup2(errors, STDERR_FILENO);
	close(errors);
	for (i = 0; i < 4; i++) {
		assert_int_equal(
		    fates[i], i == 0 || i == 3 ? LOG_WRITTEN : LOG_LOST);
		assert_int_equal(takes[i], fates[i] == LOG_WRITTEN);
	}
	assert_int_equal(log_lost(), 2);

	rewind(file);
	for (; fgets(line, sizeof(line), file) != NULL; count++) {
		if (count != 1)
			assert_member(strlen(line), "event", events[count]);
	}
	assert_member(strlen(line), "lines", "2");
	assert_int_equal(count, 4);
	fclose(file);
}

#define STALL_LINES 20000 /* more than 1 MiB of them */

static int errors;
static struct event_base *base;

/* In the place of standard error, for the daemon that writes to end. */
static void
begin_log(int end)
{
	errors = dup(STDERR_FILENO);
	dup2(end, STDERR_FILENO);
	close(end);
	base = event_base_new();
	log_start(base, "an instance");
}

static void
end_log(void)
{
	log_stop(0);
	event_base_free(base);
	dup2(errors, STDERR_FILENO);
	close(errors);
}

/* Reads what there is, and again, until nothing comes. */
static void
read_log(int fd, FILE *file)
{
	char bytes[8192];
	ssize_t n;

	fcntl(fd, F_SETFL, O_NONBLOCK);
	do {
		event_base_loop(base, EVLOOP_NONBLOCK);
		n = read(fd, bytes, sizeof(bytes));
		if (n > 0)
			fwrite(bytes, 1, (size_t)n, file);
	} while (n > 0);
}

static void
assert_next_member(FILE *file, const char *name, const char *expected)
{
	assert_non_null(fgets(line, sizeof(line), file));
	assert_member(strlen(line), name, expected);
}

/*
 * More lines than there is room for, of which nothing is read; then all of it is,
 * and the log takes lines again.  Those that were kept are whole, in their order
 * and followed by how many are lost.
 */
static void
assert_stall_loses_no_more_than_it_must(int read_end, int write_end)
{
	FILE *file = tmpfile();
	const uint64_t before = log_lost();
	uint64_t lost;
	char number[24];
	int64_t i;

	begin_log(write_end);
	assert_int_equal(fate_of("first"), LOG_WRITTEN);
	for (i = 0; i < STALL_LINES; i++)
		log_error("line", log_number("i", i));
	lost = log_lost() - before;
	assert_false(log_takes_lines());
	assert_int_equal(fate_of("dropped"), LOG_LOST);
	read_log(read_end, file);
	assert_true(log_takes_lines());
	assert_int_equal(log_lost() - before, lost + 1);
	assert_int_equal(fate_of("last"), LOG_WRITTEN);
	read_log(read_end, file);
	end_log();

	assert_in_range(lost, 1, STALL_LINES - 1024 * 1024 / 200);
	rewind(file);
	assert_next_member(file, "event", "first");
	for (i = 0; i < (int64_t)(STALL_LINES - lost); i++) {
		snprintf(number, sizeof(number), "%lld", (long long)i);
		assert_next_member(file, "i", number);
	}
	snprintf(number, sizeof(number), "%llu",
	    (unsigned long long)(before + lost + 1));
	assert_next_member(file, "lines", number);
	assert_member(strlen(line), "event", "log lines were lost");
	assert_member(strlen(line), "instance", "an instance");
	assert_next_member(file, "event", "last");
	assert_null(fgets(line, sizeof(line), file));
	fclose(file);
	close(read_end);
}

static void
test_a_pipe_whose_reader_stalls(void **state)
{
	int ends[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	assert_stall_loses_no_more_than_it_must(ends[0], ends[1]);
}

/* Of another user, as it is in a container: it cannot be opened once more. */
static void
test_a_pipe_that_is_not_ours(void **state)
{
	uid_t self = geteuid();
	int ends[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	fchmod(ends[1], 0);
	if (self == 0)
		setfsuid(65534);
	assert_stall_loses_no_more_than_it_must(ends[0], ends[1]);
	setfsuid(self);
}

static void
test_a_socket_whose_reader_stalls(void **state)
{
	int ends[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	assert_stall_loses_no_more_than_it_must(ends[0], ends[1]);
}

/* What others do with the same pipe does not change. */
static void
test_flags_of_standard_error_stay(void **state)
{
	int ends[2], flags;

	(void)state;
	assert_int_equal(pipe(ends), 0);
	flags = fcntl(ends[1], F_GETFL);
	begin_log(ends[1]);
	log_error("line");
	assert_int_equal(fcntl(STDERR_FILENO, F_GETFL), flags);
	end_log();
	close(ends[0]);
}

/* The last lines of a daemon get their time, and no more. */
static void
test_lines_that_are_left_at_the_end(void **state)
{
	FILE *file = tmpfile();
	int ends[2], i, count = 0;
	pid_t reader;

	(void)state;
	assert_int_equal(pipe(ends), 0);
	reader = fork();
	if (reader == 0) {
		char bytes[8192];
		ssize_t n;

		close(ends[1]);
		usleep(50000);
		while ((n = read(ends[0], bytes, sizeof(bytes))) > 0)
			if (write(fileno(file), bytes, (size_t)n) != n)
				_exit(1);
		_exit(0);
	}
	begin_log(ends[1]);
	for (i = 0; i < 2000; i++)
		log_error("line", log_number("i", i));
	log_stop(60000);
	end_log();
	waitpid(reader, NULL, 0);
	rewind(file);
	while (fgets(line, sizeof(line), file) != NULL)
		count++;
	assert_int_equal(count, 2000);
	fclose(file);

	/* Nobody reads: it comes back all the same. */
	close(ends[0]);
	assert_int_equal(pipe(ends), 0);
	begin_log(ends[1]);
	for (i = 0; i < 2000; i++)
		log_error("line", log_number("i", i));
	end_log();
	close(ends[0]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_escapes),
		cmocka_unit_test(test_too_long_is_still_json),
		cmocka_unit_test(test_levels),
		cmocka_unit_test(test_evidence),
		cmocka_unit_test(test_a_line_that_is_cut_off),
		cmocka_unit_test(test_a_pipe_whose_reader_stalls),
		cmocka_unit_test(test_a_pipe_that_is_not_ours),
		cmocka_unit_test(test_a_socket_whose_reader_stalls),
		cmocka_unit_test(test_flags_of_standard_error_stay),
		cmocka_unit_test(test_lines_that_are_left_at_the_end),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
