#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "keys/root_key.h"
#include "tests/src/test.h"

/* Bytes 0 to 31, and its id as another implementation has it. */
#define ID "4f66d70271577fed"
#define LINE ID " AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n"

static char path[64];
static struct root_keys keys;
static char cause[256];

static int
set_up(void **state)
{
	(void)state;
	snprintf(path, sizeof(path), "root_key_test.%ld", (long)getpid());
	unlink(path);
	return (0);
}

static int
tear_down(void **state)
{
	(void)state;
	unlink(path);
	return (0);
}

static bool
load(const char *text, mode_t mode)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
	chmod(path, mode);
	return (root_key_load(path, &keys, cause, sizeof(cause)));
}

static void
test_load(void **state)
{
	(void)state;
	assert_true(load("# made by hand\n\n" LINE, 0400));
	assert_int_equal(keys.count, 1);
	assert_string_equal(keys.keys[0].id, ID);
	assert_int_equal(keys.keys[0].key[31], 31);
	assert_non_null(root_key_find(&keys, ID));
	assert_null(root_key_find(&keys, "4f66d70271577fee"));
}

static void
test_refused_for_its_text(void **state)
{
	static const char *const texts[] = {
		"",
		"# nothing\n",
		ID "\n",
		/* another key than the id says */
		"4f66d70271577fee AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
		ID " AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",
		ID " AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8= ",
		ID "  AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
		ID " AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHg==",
		/* twice the same */
		LINE LINE,
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		assert_false(load(texts[i], 0400));
		assert_null(strstr(cause, "AAEC"));
		unlink(path);
	}
}

static void
test_refused_for_its_mode(void **state)
{
	static const mode_t modes[] = { 0440, 0404, 0420, 0402, 0410, 0401 };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		assert_false(load(LINE, modes[i]));
		assert_non_null(strstr(cause, "mode"));
		unlink(path);
	}
	assert_true(load(LINE, 0600));
}

static void
test_refused_for_its_kind(void **state)
{
	char link[80];

	(void)state;
	assert_false(root_key_load("/", &keys, cause, sizeof(cause)));
	assert_false(root_key_load(path, &keys, cause, sizeof(cause)));
	assert_true(load(LINE, 0400));
	snprintf(link, sizeof(link), "%s.link", path);
	assert_int_equal(symlink(path, link), 0);
	assert_false(root_key_load(link, &keys, cause, sizeof(cause)));
	unlink(link);
}

static void
test_generate(void **state)
{
	char id[ROOT_KEY_ID_SIZE];
	struct stat status;

	(void)state;
	assert_true(root_key_generate(path, id, cause, sizeof(cause)));
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0400);
	assert_true(root_key_load(path, &keys, cause, sizeof(cause)));
	assert_string_equal(keys.keys[0].id, id);
	/* A key is never overwritten. */
	assert_false(root_key_generate(path, id, cause, sizeof(cause)));
	assert_true(root_key_load(path, &keys, cause, sizeof(cause)));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_load, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_refused_for_its_text, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_refused_for_its_mode, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_refused_for_its_kind, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_generate, set_up, tear_down),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
