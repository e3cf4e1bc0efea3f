#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "keys/root_key_source.h"
#include "tests/src/test.h"

/* Bytes 0 to 31, and its id as another implementation has it. */
#define ID "4f66d70271577fed"
#define LINE ID " AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="

static struct root_keys keys;
static char cause[256];

static bool
load(struct settings settings)
{
	cause[0] = '\0';
	if (settings.root_key_command_timeout == 0)
		settings.root_key_command_timeout = 10;
	return (root_key_source_load(&settings, &keys, cause, sizeof(cause)));
}

static void
write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static void
test_exactly_one(void **state)
{
	(void)state;
	assert_false(load((struct settings){ .dsn = NULL }));
	assert_non_null(strstr(cause, "root_key_file: it is not set"));
	assert_false(load((struct settings){
	    .root_key_file = (char *)"a", .root_key_command = (char *)"/b" }));
	assert_string_equal(
	    cause, "root_key_file: root_key_command is set too");
}

static void
test_command(void **state)
{
	char command[128];

	(void)state;
	assert_true(load((struct settings){
	    .root_key_command = (char *)"/bin/echo  " LINE }));
	assert_int_equal(keys.count, 1);
	assert_string_equal(keys.keys[0].id, ID);
	/* No shell: nothing in a word has a meaning. */
	snprintf(command, sizeof(command), "/bin/echo $(echo %s)", LINE);
	assert_false(load((struct settings){ .root_key_command = command }));
}

static void
test_command_refused(void **state)
{
	static const struct {
		const char *command;
		const char *why;
	} rows[] = {
		{ "/bin/false", "it fails" },
		{ "/nonexistent/command", "it cannot be run" },
		{ "echo " LINE, "it does not begin with a path" },
		{ "/bin/echo", "it holds no root key" },
		{ "/usr/bin/seq 5000", "it says too much" },
		{ "/bin/sleep 60", "it takes longer than 1 s" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_false(load((struct settings){
		    .root_key_command = (char *)rows[i].command,
		    .root_key_command_timeout = 1 }));
		assert_non_null(strstr(cause, rows[i].why));
		assert_non_null(strstr(cause, "root_key_command: "));
	}
}

static void
test_environment(void **state)
{
	struct settings settings = { .root_keys = (char *)LINE };

	(void)state;
	assert_false(load(settings));
	assert_non_null(strstr(cause, "--insecure-root-key-env"));
	settings.insecure_root_key_env = true;
	assert_true(load(settings));
	settings.root_keys = (char *)"# none,," LINE ",";
	assert_true(load(settings));
	assert_string_equal(keys.keys[0].id, ID);
	settings.root_keys = (char *)LINE "," LINE;
	assert_false(load(settings));
	assert_null(strstr(cause, "AAEC"));
}

static void
test_credential(void **state)
{
	struct settings settings = { .root_key_credential = (char *)"root" };
	char directory[] = "root_key_source_test.XXXXXX", path[64];

	(void)state;
	unsetenv("CREDENTIALS_DIRECTORY");
	assert_false(load(settings));
	assert_non_null(strstr(cause, "LoadCredential="));
	assert_non_null(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/root", directory);
	write_file(path, LINE "\n");
	setenv("CREDENTIALS_DIRECTORY", directory, 1);
	assert_int_equal(chmod(path, 0404), 0);
	assert_false(load(settings));
	/* As an access list shows in the mode. */
	assert_int_equal(chmod(path, 0440), 0);
	assert_true(load(settings));
	settings.root_key_credential = (char *)"../root";
	assert_false(load(settings));
	unlink(path);
	rmdir(directory);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_exactly_one),
		cmocka_unit_test(test_command),
		cmocka_unit_test(test_command_refused),
		cmocka_unit_test(test_environment),
		cmocka_unit_test(test_credential),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
