#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/memory.h"
#include "call/member.h"
#include "command/backup.h"
#include "tests/src/test.h"

#define FIRST "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"
#define SECOND "aaaaaaaa-bbbb-4ccc-8ddd-ffffffffffff"
#define LINE(id, more, data) \
	"{\"secret_id\":\"" id "\"," more "\"data\":\"" data "\"}\n"

static int
file_of(const char *text, size_t size)
{
	int file = memfd_create("backup", MFD_CLOEXEC);

	assert_true(file >= 0);
	assert_int_equal(write(file, text, size), size);
	assert_int_equal(lseek(file, 0, SEEK_SET), 0);
	return (file);
}

/* What it says of the first secret. */
static void
expect_fault(const char *text, size_t size, const char *expected)
{
	const int file = file_of(text, size);
	struct backup *backup = backup_new(file);
	char fault[BACKUP_FAULT_SIZE] = "";
	struct backup_secret secret;

	assert_int_equal(backup_next(backup, &secret, fault), BACKUP_FAULT);
	assert_string_equal(fault, expected);
	backup_secret_free(&secret);
	backup_free(backup);
	close(file);
}

static void
expect_secret(struct backup *backup, const char *id, size_t versions,
    const char *data, size_t size)
{
	struct json_object *first;
	struct backup_secret secret;
	char fault[BACKUP_FAULT_SIZE] = "";

	assert_int_equal(backup_next(backup, &secret, fault), BACKUP_SECRET);
	assert_int_equal(secret.data.count, versions);
	assert_int_equal(json_object_array_length(secret.versions), versions);
	first = json_object_array_get_idx(secret.versions, 0);
	assert_string_equal(member_text(first, "secret_id"), id);
	assert_false(json_object_object_get_ex(first, "data", NULL));
	assert_int_equal(secret.data.size, 20 + size);
	assert_memory_equal(secret.data.bytes + 20, data, size);
	backup_secret_free(&secret);
}

static void
test_secrets(void **state)
{
	static const char text[] = LINE(FIRST, "", "YQ==")
	    LINE(FIRST, "\"revision\":2,", "YmM=") LINE(SECOND, "", "");
	const int file = file_of(text, sizeof(text) - 2); /* no last line end */
	struct backup *backup = backup_new(file);
	struct backup_secret secret;
	char fault[BACKUP_FAULT_SIZE] = "";

	(void)state;
	expect_secret(backup, FIRST, 2, "\0\0\0\1a\0\0\0\2bc", 11);
	expect_secret(backup, SECOND, 1, "\0\0\0\0", 4);
	assert_int_equal(backup_next(backup, &secret, fault), BACKUP_END);
	assert_int_equal(secret.data.count, 0);
	assert_string_equal(fault, "");
	backup_secret_free(&secret);
	backup_free(backup);
	close(file);
}

static void
test_faults(void **state)
{
	static const char nul[] = LINE(FIRST, "\"a\":\"\0\",", "YQ==");
	static const struct {
		const char *text;
		const char *fault;
	} faults[] = {
		{ "\n", "line 1 is not one JSON object" },
		{ "[]\n", "line 1 is not one JSON object" },
		{ "{\"secret_id\":\"" FIRST "\",\"data\":\"YQ==\"} {}",
		    "line 1 is not one JSON object" },
		{ LINE(FIRST, "", "YQ==") "{\"secret_id\":\"" FIRST "\"",
		    "line 2 is not one JSON object" },
		{ LINE(FIRST, "", "YQ==") LINE("x", "", "YQ=="),
		    "line 2 has no secret_id" },
		{ "{\"data\":\"YQ==\"}", "line 1 has no secret_id" },
		{ "{\"secret_id\":1,\"data\":\"YQ==\"}",
		    "line 1 has no secret_id" },
		{ "{\"secret_id\":\"" FIRST "\"}",
		    "line 1 has no data in base64" },
		{ LINE(FIRST, "", "YQ="), "line 1 has no data in base64" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
		expect_fault(
		    faults[i].text, strlen(faults[i].text), faults[i].fault);
	expect_fault(nul, sizeof(nul) - 1, "line 1 is not one JSON object");
}

static void
test_unreadable(void **state)
{
	struct backup *backup = backup_new(-1);
	char fault[BACKUP_FAULT_SIZE] = "";
	struct backup_secret secret;

	(void)state;
	assert_int_equal(backup_next(backup, &secret, fault), BACKUP_FAULT);
	assert_string_equal(fault, "line 1 cannot be read");
	backup_secret_free(&secret);
	backup_free(backup);
	backup_free(NULL);
}

/* A line of the size that is given, without its end. */
static char *
long_line(size_t size)
{
	static const char head[] = "{\"secret_id\":\"" FIRST "\",\"filler\":\"";
	static const char tail[] = "\",\"data\":\"eHh4eA==\"}";
	char *text = memory_new(size + 1);

	memset(text, 'x', size);
	memcpy(text, head, sizeof(head) - 1);
	memcpy(text + size - sizeof(tail) + 1, tail, sizeof(tail) - 1);
	return (text);
}

static void
test_long_lines(void **state)
{
	char *text = long_line(BACKUP_LINE_MAX - 1);
	int file = file_of(text, BACKUP_LINE_MAX - 1);
	struct backup *backup = backup_new(file);

	(void)state;
	expect_secret(backup, FIRST, 1, "\0\0\0\4xxxx", 8);
	backup_free(backup);
	close(file);
	memory_free(text);

	text = long_line(BACKUP_LINE_MAX);
	expect_fault(text, BACKUP_LINE_MAX, "line 1 is longer than 1 MiB");
	memory_free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_secrets),
		cmocka_unit_test(test_faults),
		cmocka_unit_test(test_unreadable),
		cmocka_unit_test(test_long_lines),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
