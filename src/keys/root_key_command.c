#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/memory.h"
#include "keys/root_key_command.h"

#define COMMAND_WORDS_MAX 32
#define COMMAND_CAUSE_SIZE 160
#define COMMAND_INTERVAL 5000 /* us between two looks whether it has ended */

struct root_key_command {
	void (*done)(
	    void *owner, const struct root_keys *keys, const char *cause);
	void *owner;
	long seconds;
	struct event *output; /* NULL: it has said all */
	struct event *ended; /* a timer, then: SIGCHLD may be somebody else's */
	struct event *late;
	int from;
	pid_t pid; /* 0: none runs */
	size_t used;
	char *text; /* in locked memory, as the keys */
	struct root_keys *keys;
	char cause[COMMAND_CAUSE_SIZE];
};

/* Words between blanks: without a shell, nothing in them has a meaning. */
static bool
command_words(char *text, char *words[COMMAND_WORDS_MAX])
{
	size_t count = 0;
	char *word;

	while ((word = strsep(&text, " \t")) != NULL) {
		if (*word == '\0')
			continue;
		if (count == COMMAND_WORDS_MAX - 1)
			return (false);
		words[count++] = word;
	}
	words[count] = NULL;
	return (count > 0);
}

/* In a group of its own, so that all it has started can be ended with it. */
static int
command_spawn(char *const words[], int out, pid_t *child)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t signals;
	int failure;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(
	    &actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
	posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);
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

static void
command_forget_output(struct root_key_command *command)
{
	if (command->output == NULL)
		return;
	event_free(command->output);
	command->output = NULL;
	close(command->from);
}

static void
command_kill(struct root_key_command *command)
{
	if (command->pid == 0)
		return;
	kill(-command->pid, SIGKILL);
	while (waitpid(command->pid, NULL, 0) < 0 && errno == EINTR)
		continue;
	command->pid = 0;
}

static void
command_finish(struct root_key_command *command, const char *cause)
{
	command_forget_output(command);
	command_kill(command);
	evtimer_del(command->ended);
	evtimer_del(command->late);
	command->done(
	    command->owner, cause == NULL ? command->keys : NULL, cause);
}

/* Also when it could not be started: then the cause is there already. */
static void
command_late(evutil_socket_t fd, short what, void *arg)
{
	struct root_key_command *command = arg;

	(void)fd;
	(void)what;
	if (command->cause[0] == '\0')
		snprintf(command->cause, sizeof(command->cause),
		    "it takes longer than %ld s", command->seconds);
	command_finish(command, command->cause);
}

static void
command_ended(evutil_socket_t fd, short what, void *arg)
{
	const struct timeval time = { 0, COMMAND_INTERVAL };
	struct root_key_command *command = arg;
	pid_t ended;
	int status;

	(void)fd;
	(void)what;
	ended = waitpid(command->pid, &status, WNOHANG);
	if (ended == 0 || (ended < 0 && errno == EINTR)) {
		evtimer_add(command->ended, &time);
		return;
	}
	command->pid = 0;
	if (ended < 0 || !WIFEXITED(status) || WEXITSTATUS(status) != 0)
		return (command_finish(command, "it fails"));
	if (!root_key_parse(command->text, command->keys, command->cause,
		sizeof(command->cause)))
		return (command_finish(command, command->cause));
	command_finish(command, NULL);
}

static void
command_output(evutil_socket_t fd, short what, void *arg)
{
	struct root_key_command *command = arg;
	ssize_t length = read(fd, command->text + command->used,
	    ROOT_KEY_TEXT_MAX - 1 - command->used);

	(void)what;
	if (length < 0 && errno == EINTR)
		return;
	if (length > 0)
		command->used += (size_t)length;
	if (command->used == ROOT_KEY_TEXT_MAX - 1)
		return (command_finish(command, "it says too much"));
	if (length > 0)
		return;
	command_forget_output(command);
	command_ended(-1, 0, command);
}

/* False: it does not run, and the cause says why. */
static bool
command_start(
    struct root_key_command *command, struct event_base *base, char *text)
{
	char *words[COMMAND_WORDS_MAX];
	int ends[2], failure;

	if (!command_words(text, words) || words[0][0] != '/') {
		snprintf(command->cause, sizeof(command->cause),
		    "it does not begin with a path");
		return (false);
	}
	if (pipe2(ends, O_CLOEXEC) != 0) {
		snprintf(command->cause, sizeof(command->cause), "%s",
		    strerror(errno));
		return (false);
	}
	failure = command_spawn(words, ends[1], &command->pid);
	close(ends[1]);
	if (failure != 0) {
		command->pid = 0;
		snprintf(command->cause, sizeof(command->cause),
		    "it cannot be run: %s", strerror(failure));
		close(ends[0]);
		return (false);
	}
	command->from = ends[0];
	command->output = event_new(
	    base, command->from, EV_READ | EV_PERSIST, command_output, command);
	event_add(command->output, NULL);
	return (true);
}

struct root_key_command *
root_key_command_new(struct event_base *base, const char *text, long seconds,
    void (*done)(void *owner, const struct root_keys *keys, const char *cause),
    void *owner)
{
	struct root_key_command *command = memory_new(sizeof(*command));
	struct timeval time = { seconds, 0 };
	char *copy = memory_copy(text);

	command->done = done;
	command->owner = owner;
	command->seconds = seconds;
	command->text = memory_new_locked(ROOT_KEY_TEXT_MAX);
	command->keys = memory_new_locked(sizeof(*command->keys));
	command->ended = evtimer_new(base, command_ended, command);
	command->late = evtimer_new(base, command_late, command);
	if (!command_start(command, base, copy))
		time.tv_sec = 0;
	evtimer_add(command->late, &time);
	memory_free(copy);
	return (command);
}

void
root_key_command_free(struct root_key_command *command)
{
	if (command == NULL)
		return;
	command_forget_output(command);
	command_kill(command);
	event_free(command->ended);
	event_free(command->late);
	memory_free_locked(command->text, ROOT_KEY_TEXT_MAX);
	memory_free_locked(command->keys, sizeof(*command->keys));
	memory_free(command);
}
