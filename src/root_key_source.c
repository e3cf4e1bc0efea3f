#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "memory.h"
#include "root_key_source.h"

#define SOURCE_WORDS_MAX 32
#define SOURCE_PATH_SIZE 4096
#define SOURCE_PATIENCE 5 /* ms between two looks whether it has ended */

/* Files ---------------------------------------------------------------------- */

/* Systemd gives a service a directory that nobody else can look into. */
static bool
source_credential(
    const char *name, struct root_keys *keys, char *cause, size_t size)
{
	const char *directory = getenv("CREDENTIALS_DIRECTORY");
	char path[SOURCE_PATH_SIZE];
	int length;

	if (directory == NULL) {
		snprintf(cause, size,
		    "systemd gives no credentials: use LoadCredential=");
		return (false);
	}
	length = snprintf(path, sizeof(path), "%s/%s", directory, name);
	if (length < 0 || (size_t)length >= sizeof(path) ||
	    strchr(name, '/') != NULL) {
		snprintf(cause, size, "it is not the name of a credential");
		return (false);
	}
	return (root_key_load_credential(path, keys, cause, size));
}

/* A command -------------------------------------------------------------------- */

/* Words between blanks: without a shell, nothing in them has a meaning. */
static bool
source_words(char *text, char *words[SOURCE_WORDS_MAX])
{
	size_t count = 0;
	char *word;

	while ((word = strsep(&text, " \t")) != NULL) {
		if (*word == '\0')
			continue;
		if (count == SOURCE_WORDS_MAX - 1)
			return (false);
		words[count++] = word;
	}
	words[count] = NULL;
	return (count > 0);
}

static long
source_milliseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (now.tv_sec * 1000 + now.tv_nsec / 1000000);
}

/* Reads what the command says until it says no more; false: it is late. */
static bool
source_hear(int from, char *text, size_t size, long end)
{
	struct pollfd poll_from = { .fd = from, .events = POLLIN };
	size_t used = 0;
	ssize_t length;
	long left;

	while ((left = end - source_milliseconds()) > 0) {
		if (poll(&poll_from, 1, (int)left) <= 0)
			continue;
		length = read(from, text + used, size - 1 - used);
		if (length < 0 && errno == EINTR)
			continue;
		if (length <= 0 || used == size - 1)
			break;
		used += (size_t)length;
	}
	text[used] = '\0';
	return (left > 0 && used < size - 1);
}

/* Waits until it has ended; when it is late, it and all of its group are. */
static bool
source_ended(pid_t child, bool in_time, long end)
{
	int status = 0;
	pid_t ended = 0;

	while (in_time &&
	    ((ended = waitpid(child, &status, WNOHANG)) == 0 ||
		(ended < 0 && errno == EINTR)) &&
	    source_milliseconds() < end)
		poll(NULL, 0, SOURCE_PATIENCE);
	if (ended != child) {
		kill(-child, SIGKILL);
		while (waitpid(child, &status, 0) < 0 && errno == EINTR)
			continue;
	}
	return (WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* In a group of its own, so that all it has started can be ended with it. */
static int
source_spawn(char *const words[], int out, pid_t *child)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t signals;
	int failure;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(
	    &actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
	posix_spawnattr_init(&attributes);
	sigemptyset(&signals);
	sigaddset(&signals, SIGPIPE);
	posix_spawnattr_setsigdefault(&attributes, &signals);
	posix_spawnattr_setflags(
	    &attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF);
	failure =
	    posix_spawn(child, words[0], &actions, &attributes, words, environ);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	return (failure);
}

static bool
source_run(char *const words[], long seconds, char *text, size_t text_size,
    char *cause, size_t size)
{
	const long end = source_milliseconds() + seconds * 1000;
	int pipe_ends[2], failure;
	bool heard, ended;
	pid_t child;

	if (pipe2(pipe_ends, O_CLOEXEC) != 0) {
		snprintf(cause, size, "%s", strerror(errno));
		return (false);
	}
	failure = source_spawn(words, pipe_ends[1], &child);
	close(pipe_ends[1]);
	if (failure != 0) {
		snprintf(
		    cause, size, "it cannot be run: %s", strerror(failure));
		close(pipe_ends[0]);
		return (false);
	}
	heard = source_hear(pipe_ends[0], text, text_size, end);
	close(pipe_ends[0]);
	ended = source_ended(child, heard, end);
	if (!heard)
		snprintf(cause, size,
		    "it says too much, or takes longer than %ld s", seconds);
	else if (!ended)
		snprintf(cause, size, "it fails");
	return (heard && ended);
}

static bool
source_command(const char *command, long seconds, struct root_keys *keys,
    char *cause, size_t size)
{
	char *copy = memory_copy(command);
	char *words[SOURCE_WORDS_MAX], *text;
	bool loaded = false;

	text = memory_new_locked(ROOT_KEY_TEXT_MAX);
	if (!source_words(copy, words) || words[0][0] != '/')
		snprintf(cause, size, "it does not begin with a path");
	else if (source_run(
		     words, seconds, text, ROOT_KEY_TEXT_MAX, cause, size))
		loaded = root_key_parse(text, keys, cause, size);
	memory_free_locked(text, ROOT_KEY_TEXT_MAX);
	memory_free(copy);
	return (loaded);
}

/* The environment ------------------------------------------------------------ */

static bool
source_text(const char *value, struct root_keys *keys, char *cause, size_t size)
{
	char *text = memory_copy(value), *comma;
	bool loaded;

	for (comma = text; (comma = strchr(comma, ',')) != NULL;)
		*comma = '\n';
	loaded = root_key_parse(text, keys, cause, size);
	memory_wipe_free(text, strlen(value));
	return (loaded);
}

/* ---------------------------------------------------------------------------- */

bool
root_key_source_load(const struct settings *settings, struct root_keys *keys,
    char *cause, size_t size)
{
	const struct {
		const char *name;
		const char *value;
	} sources[] = {
		{ "root_key_file", settings->root_key_file },
		{ "root_key_credential", settings->root_key_credential },
		{ "root_key_command", settings->root_key_command },
		{ "root_keys", settings->root_keys },
	};
	const char *name = NULL, *value = NULL;
	char why[160] = "";
	bool loaded = false;
	size_t i;

	for (i = 0; i < sizeof(sources) / sizeof(sources[0]); i++) {
		if (sources[i].value == NULL)
			continue;
		if (name != NULL) {
			snprintf(cause, size, "%s: %s is set too", name,
			    sources[i].name);
			return (false);
		}
		name = sources[i].name;
		value = sources[i].value;
	}
	if (name == NULL) {
		snprintf(cause, size,
		    "root_key_file: it is not set, nor is "
		    "root_key_credential or root_key_command");
		return (false);
	}
	if (value == settings->root_key_file)
		loaded = root_key_load(value, keys, why, sizeof(why));
	else if (value == settings->root_key_credential)
		loaded = source_credential(value, keys, why, sizeof(why));
	else if (value == settings->root_key_command)
		loaded = source_command(value,
		    settings->root_key_command_timeout, keys, why, sizeof(why));
	else if (settings->insecure_root_key_env)
		loaded = source_text(value, keys, why, sizeof(why));
	else
		snprintf(why, sizeof(why),
		    "root keys in the environment are for a try-out: "
		    "--insecure-root-key-env allows it");
	if (!loaded)
		snprintf(cause, size, "%s: %s", name, why);
	return (loaded);
}
