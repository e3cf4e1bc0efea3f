#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "audit/journal.h"
#include "tests/src/test.h"

static char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
static char written[2048];
static bool is_there;

/* In the place of the C library's: there may be no syslog here. */
ssize_t
sendto(int fd, const void *bytes, size_t size, int flags,
    const struct sockaddr *address, socklen_t length)
{
	(void)fd;
	(void)flags;
	assert_int_equal(length, sizeof(struct sockaddr_un));
	memcpy(path,
	    ((const struct sockaddr_un *)(const void *)address)->sun_path,
	    sizeof(path));
	assert_true(size < sizeof(written));
	memcpy(written, bytes, size);
	written[size] = '\0';
	if (is_there)
		return ((ssize_t)size);
	errno = ENOENT;
	return (-1);
}

/* As long as is said, and what is in it is no format; 85 is authpriv.notice. */
static void
test_line(void **state)
{
	const char *text;

	(void)state;
	is_there = true;
	assert_true(journal_write("{\"a\":\"%s%n\"} and more", 12));
	assert_string_equal(path, "/dev/log");
	assert_memory_equal(written, "<85>", 4);
	text = strstr(written, " coffer[");
	assert_ptr_equal(text, written + 4 + strlen("Jan 31 12:00:00"));
	assert_string_equal(strchr(text, ']'), "]: {\"a\":\"%s%n\"}");
}

static void
test_nobody_takes_it(void **state)
{
	(void)state;
	is_there = false;
	assert_false(journal_write("{}", 2));
}

/* Not a part of it. */
static void
test_too_long(void **state)
{
	static char line[4096];

	(void)state;
	is_there = true;
	memset(line, 'x', sizeof(line));
	assert_false(journal_write(line, sizeof(line)));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_line),
		cmocka_unit_test(test_nobody_takes_it),
		cmocka_unit_test(test_too_long),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
