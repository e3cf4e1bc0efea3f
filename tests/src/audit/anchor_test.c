#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "audit/anchor.h"
#include "base/log.h"
#include "tests/src/test.h"

#define PATH "anchor_test.tmp"
#define LINE_MAX_SIZE 2048

static struct event_base *base;
static struct anchor *anchor;
static int calls;
static bool left;

static void
done(void *owner, bool has_left)
{
	assert_ptr_equal(owner, &calls);
	calls++;
	left = has_left;
	event_base_loopbreak(base);
}

static void
write_one(const char *command)
{
	struct anchor_seal seal = {
		.no = 42, .epoch = 3, .signer = "0123456789abcdef"
	};
	struct settings settings;

	memset(&settings, 0, sizeof(settings));
	memset(seal.hash, 0xab, sizeof(seal.hash));
	memset(seal.signature, 0xcd, sizeof(seal.signature));
	settings.anchor_command = (char *)(uintptr_t)command;
	base = event_base_new();
	anchor = anchor_new(base, &settings, done, &calls);
	calls = 0;
	anchor_write(anchor, &seal);
	assert_int_equal(calls, 0); /* not from within */
	event_base_dispatch(base);
	assert_int_equal(calls, 1);
	anchor_free(anchor);
	event_base_free(base);
}

static void
test_without_a_command(void **state)
{
	(void)state;
	write_one(NULL);
	assert_true(left);
	anchor_free(NULL);
}

/* A log that takes nothing is none; the command is not asked then. */
static void
test_a_log_on_a_full_disk(void **state)
{
	int errors = dup(STDERR_FILENO), full = open("/dev/full", O_WRONLY);

	(void)state;
	assert_true(errors >= 0 && full >= 0);
	dup2(full, STDERR_FILENO);
	write_one(NULL);
	assert_false(left);
	write_one("cat >" PATH);
	assert_false(left);
	assert_int_equal(access(PATH, F_OK), -1);
	dup2(errors, STDERR_FILENO);
	close(errors);
	close(full);
}

static void
drain(int fd, char *bytes, size_t size)
{
	ssize_t n, used = 0;

	do {
		event_base_loop(base, EVLOOP_NONBLOCK);
		n = read(fd, bytes + used, size - (size_t)used - 1);
		used += n > 0 ? n : 0;
	} while (n > 0);
	bytes[used] = '\0';
}

/* A seal that waits for the log has not left, and is not given a second time. */
static void
test_a_log_that_stalls(void **state)
{
	struct anchor_seal seal = { .no = 43, .signer = "0123456789abcdef" };
	static char bytes[1024 * 1024];
	const char *found;
	struct settings settings;
	int errors = dup(STDERR_FILENO), ends[2], times;

	(void)state;
	memset(&settings, 0, sizeof(settings));
	assert_int_equal(pipe(ends), 0);
	fcntl(ends[0], F_SETFL, O_NONBLOCK);
	dup2(ends[1], STDERR_FILENO);
	base = event_base_new();
	log_start(base, NULL);
	do
		log_write_marked(LOG_ERROR, "filler", LOG_FIELDS());
	while (log_fate() == LOG_WRITTEN);
	anchor = anchor_new(base, &settings, done, &calls);
	for (times = 1; times <= 2; times++) {
		calls = 0;
		anchor_write(anchor, &seal);
		event_base_dispatch(base);
		assert_int_equal(calls, 1);
		assert_false(left);
	}
	drain(ends[0], bytes, sizeof(bytes));
	anchor_write(anchor, &seal);
	event_base_dispatch(base);
	assert_true(left);
	drain(ends[0], bytes + strlen(bytes), sizeof(bytes) - strlen(bytes));
	anchor_free(anchor);
	log_stop(0);
	event_base_free(base);
	dup2(errors, STDERR_FILENO);
	close(errors);
	close(ends[0]);
	close(ends[1]);
	found = strstr(bytes, "\"event\":\"seal\",\"no\":43");
	assert_non_null(found);
	assert_null(strstr(found + 1, "\"event\":\"seal\""));
}

static void
test_a_command_gets_the_line(void **state)
{
	static const char signature[] = "\"signature\":\"cdcdcd";
	char line[LINE_MAX_SIZE];
	FILE *file;
	size_t size;

	(void)state;
	write_one("cat >" PATH);
	assert_true(left);
	file = fopen(PATH, "r");
	assert_non_null(file);
	size = fread(line, 1, sizeof(line) - 1, file);
	line[size] = '\0';
	fclose(file);
	remove(PATH);
	assert_non_null(strstr(
	    line, "\"event\":\"seal\",\"no\":42,\"epoch\":3,\"hash\":\"abab"));
	assert_non_null(strstr(line, "\"signer\":\"0123456789abcdef\""));
	assert_non_null(strstr(line, signature));
	assert_ptr_equal(strchr(line, '\n'), line + size - 1);
}

static void
test_a_command_that_fails(void **state)
{
	(void)state;
	write_one("exit 3");
	assert_false(left);
	write_one("kill -9 $$");
	assert_false(left);
}

/* It may end without having read anything. */
static void
test_a_command_that_does_not_read(void **state)
{
	(void)state;
	write_one("exec <&-");
	assert_true(left);
}

/* Of what the daemon has open, only the three that everybody has. */
static void
test_a_command_inherits_nothing(void **state)
{
	FILE *file = fopen(PATH, "w");

	(void)state;
	assert_non_null(file);
	write_one("for n in 3 4 5 6 7 8 9; do test ! -e /proc/self/fd/$n || "
		  "exit 1; done");
	fclose(file);
	remove(PATH);
	assert_true(left);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_without_a_command),
		cmocka_unit_test(test_a_log_on_a_full_disk),
		cmocka_unit_test(test_a_log_that_stalls),
		cmocka_unit_test(test_a_command_gets_the_line),
		cmocka_unit_test(test_a_command_that_fails),
		cmocka_unit_test(test_a_command_that_does_not_read),
		cmocka_unit_test(test_a_command_inherits_nothing),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
