#include <stdio.h>
#include <syslog.h>

#include "../../src/journal.h"
#include "test.h"

static int priority;
static char written[64];

/* In the place of the C library's, under both names that it has. */
static void
keep(int given, const char *format, va_list arguments)
{
	priority = given;
	vsnprintf(written, sizeof(written), format, arguments);
}

void __syslog_chk(int given, int flag, const char *format, ...);

void
__syslog_chk(int given, int flag, const char *format, ...)
{
	va_list arguments;

	(void)flag;
	va_start(arguments, format);
	keep(given, format, arguments);
	va_end(arguments);
}

#undef syslog
void
syslog(int given, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	keep(given, format, arguments);
	va_end(arguments);
}

/* As long as is said, and what is in it is no format. */
static void
test_line(void **state)
{
	(void)state;
	journal_write("{\"a\":\"%s%n\"} and more", 12);
	assert_string_equal(written, "coffer {\"a\":\"%s%n\"}");
	assert_int_equal(priority, LOG_AUTHPRIV | LOG_NOTICE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_line),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
