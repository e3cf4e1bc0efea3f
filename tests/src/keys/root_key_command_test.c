#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "keys/root_key_command.h"
#include "tests/src/test.h"

#define ID "4f66d70271577fed"
#define LINE ID " AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
#define TIMEOUT 60 /* seconds, of which none shall pass */

static struct event_base *base;
static int dones;
static char id[ROOT_KEY_ID_SIZE];
static char cause[256];

static void
done(void *owner, const struct root_keys *keys, const char *why)
{
	assert_ptr_equal(owner, &dones);
	assert_true((keys == NULL) == (why != NULL));
	snprintf(id, sizeof(id), "%s", keys != NULL ? keys->keys[0].id : "");
	snprintf(cause, sizeof(cause), "%s", why != NULL ? why : "");
	dones++;
}

static int
set_up(void **state)
{
	(void)state;
	base = event_base_new();
	dones = 0;
	return (0);
}

static int
tear_down(void **state)
{
	(void)state;
	event_base_free(base);
	return (0);
}

static struct root_key_command *
run(const char *text, long seconds)
{
	return (root_key_command_new(base, text, seconds, done, &dones));
}

static void
test_keys(void **state)
{
	struct root_key_command *command = run("/bin/echo " LINE, TIMEOUT);

	(void)state;
	assert_int_equal(dones, 0);
	event_base_dispatch(base);
	assert_int_equal(dones, 1);
	assert_string_equal(id, ID);
	root_key_command_free(command);
	assert_int_equal(dones, 1);
}

/* Nothing is said before the loop runs, whatever is wrong. */
static void
test_cannot_be_run(void **state)
{
	struct root_key_command *command = run("/nonexistent", TIMEOUT);

	(void)state;
	assert_int_equal(dones, 0);
	event_base_dispatch(base);
	assert_int_equal(dones, 1);
	assert_non_null(strstr(cause, "it cannot be run"));
	root_key_command_free(command);
}

/*
 * A script that hangs, with another process that it has started and whose
 * number it says first.
 */
static void
write_script(const char *script, const char *said)
{
	FILE *file = fopen(script, "w");

	assert_non_null(file);
	fprintf(file, "sleep 600 &\necho $! >%s.new\nmv %s.new %s\nwait\n",
	    said, said, said);
	fclose(file);
}

/* Where nobody waits for orphans they stay so. */
static bool
is_zombie(pid_t pid)
{
	char path[64], line[256] = "";
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%ld/stat", (long)pid);
	file = fopen(path, "r");
	if (file == NULL)
		return (true);
	if (fgets(line, sizeof(line), file) == NULL)
		line[0] = '\0';
	fclose(file);
	return (strstr(line, ") Z") != NULL);
}

static pid_t
started(const char *said)
{
	long pid = 0;
	FILE *file;

	/* The loop goes on meanwhile: that it is left shows that. */
	while ((file = fopen(said, "r")) == NULL)
		event_base_loop(base, EVLOOP_NONBLOCK);
	assert_int_equal(fscanf(file, "%ld", &pid), 1);
	fclose(file);
	return ((pid_t)pid);
}

static void
hang(bool until_late)
{
	char script[64], said[80], text[96];
	struct root_key_command *command;
	pid_t pid;

	snprintf(script, sizeof(script), "command_test.%ld", (long)getpid());
	snprintf(said, sizeof(said), "%s.said", script);
	snprintf(text, sizeof(text), "/bin/sh %s", script);
	write_script(script, said);
	command = run(text, until_late ? 1 : TIMEOUT);
	pid = started(said);
	assert_int_equal(kill(pid, 0), 0);
	assert_int_equal(dones, 0);
	if (until_late) {
		event_base_dispatch(base);
		assert_int_equal(dones, 1);
		assert_string_equal(cause, "it takes longer than 1 s");
	}
	root_key_command_free(command);
	/* It was killed, and is gone as soon as init has looked. */
	while (kill(pid, 0) == 0 && !is_zombie(pid))
		usleep(1000);
	assert_int_equal(dones, until_late);
	unlink(script);
	unlink(said);
}

static void
test_late(void **state)
{
	(void)state;
	hang(true);
}

static void
test_freed_while_it_runs(void **state)
{
	(void)state;
	hang(false);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_keys, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_cannot_be_run, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_late, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_freed_while_it_runs, set_up, tear_down),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
