#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "audit/anchor.h"
#include "audit/journal.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"

#define ANCHOR_LINE_SIZE 1024
#define ANCHOR_TIMEOUT 30 /* seconds that the command may take */
#define ANCHOR_LOG_WAIT 64 /* ms: the longest of a row that doubles */

struct anchor {
	const char *command;
	bool to_syslog;
	void (*done)(void *owner, bool left);
	void *owner;
	struct event *child; /* SIGCHLD */
	struct event *timer; /* look at the log; the command is late */
	pid_t pid; /* 0: no command runs */
	/* The seal given last, and who has it. */
	unsigned char hash[CRYPTO_SHA256_SIZE];
	bool in_log, in_syslog;
	bool given; /* to the log, where it may wait */
	int log_wait; /* ms until the next look at it */
	char line[ANCHOR_LINE_SIZE];
	size_t size;
};

static void
anchor_child(evutil_socket_t number, short what, void *arg)
{
	struct anchor *anchor = arg;
	int status;

	(void)number;
	(void)what;
	if (anchor->pid == 0 || waitpid(anchor->pid, &status, WNOHANG) <= 0)
		return;
	anchor->pid = 0;
	evtimer_del(anchor->timer);
	if (status != 0)
		log_error("anchor_command failed",
		    log_number("status",
			WIFEXITED(status) ? WEXITSTATUS(status) : -1));
	anchor->done(anchor->owner, status == 0);
}

static bool
anchor_is_written(const struct anchor *anchor)
{
	return (anchor->in_log && (anchor->in_syslog || !anchor->to_syslog));
}

/* A shell with the line for input, which fits into a pipe as a whole. */
static bool
anchor_spawn(struct anchor *anchor)
{
	char *const arguments[] = { (char *)(uintptr_t) "sh",
		(char *)(uintptr_t) "-c", (char *)(uintptr_t)anchor->command,
		NULL };
	posix_spawn_file_actions_t actions;
	bool started = false;
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) != 0)
		return (false);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, ends[0], STDIN_FILENO);
	posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);
	if (write(ends[1], anchor->line, anchor->size) == (ssize_t)anchor->size)
		started = posix_spawn(&anchor->pid, "/bin/sh", &actions, NULL,
			      arguments, environ) == 0;
	posix_spawn_file_actions_destroy(&actions);
	close(ends[0]);
	close(ends[1]);
	if (!started)
		anchor->pid = 0;
	return (started);
}

static void
anchor_wait(struct anchor *anchor, int milliseconds)
{
	struct timeval time = clock_timeval(milliseconds);

	evtimer_add(anchor->timer, &time);
}

/* The log may take the line later, or not at all; it is given again then. */
static void
anchor_look(struct anchor *anchor)
{
	enum log_fate fate = log_fate();

	anchor->in_log = anchor->in_log || fate == LOG_WRITTEN;
	anchor->given = anchor->in_log || fate == LOG_WAITS;
	if (!anchor->in_log && fate == LOG_WAITS &&
	    anchor->log_wait <= ANCHOR_LOG_WAIT) {
		anchor_wait(anchor, anchor->log_wait);
		anchor->log_wait *= 2;
	} else if (!anchor_is_written(anchor) || anchor->command == NULL) {
		anchor->done(anchor->owner, anchor_is_written(anchor));
	} else if (anchor_spawn(anchor)) {
		anchor_wait(anchor, ANCHOR_TIMEOUT * 1000);
	} else {
		log_error("unable to start anchor_command");
		anchor->done(anchor->owner, false);
	}
}

static void
anchor_timer(evutil_socket_t fd, short what, void *arg)
{
	struct anchor *anchor = arg;

	(void)fd;
	(void)what;
	if (anchor->pid != 0)
		kill(anchor->pid, SIGKILL); /* anchor_child hears of it */
	else
		anchor_look(anchor);
}

struct anchor *
anchor_new(struct event_base *base, const struct settings *settings,
    void (*done)(void *owner, bool left), void *owner)
{
	struct anchor *anchor = memory_new(sizeof(*anchor));

	anchor->command = settings->anchor_command;
	anchor->to_syslog = settings->anchor_syslog != 0;
	anchor->done = done;
	anchor->owner = owner;
	anchor->timer = evtimer_new(base, anchor_timer, anchor);
	anchor->child = evsignal_new(base, SIGCHLD, anchor_child, anchor);
	evsignal_add(anchor->child, NULL);
	return (anchor);
}

void
anchor_free(struct anchor *anchor)
{
	if (anchor == NULL)
		return;
	event_free(anchor->child);
	event_free(anchor->timer);
	memory_free(anchor);
}

void
anchor_write(struct anchor *anchor, const struct anchor_seal *seal)
{
	const struct log_field *fields = LOG_FIELDS(log_number("no", seal->no),
	    log_number("epoch", seal->epoch),
	    log_hex("hash", seal->hash, sizeof(seal->hash)),
	    log_text("signer", seal->signer),
	    log_hex("signature", seal->signature, sizeof(seal->signature)));

	if (memcmp(anchor->hash, seal->hash, sizeof(seal->hash)) != 0) {
		memcpy(anchor->hash, seal->hash, sizeof(seal->hash));
		anchor->in_log = anchor->in_syslog = anchor->given = false;
	}
	anchor->size = log_format(
	    anchor->line, sizeof(anchor->line), LOG_EVIDENCE, "seal", fields);
	if (!anchor->given)
		log_write_marked(LOG_EVIDENCE, "seal", fields);
	if (anchor->to_syslog && !anchor->in_syslog) {
		anchor->in_syslog =
		    journal_write(anchor->line, anchor->size - 1);
		if (!anchor->in_syslog)
			log_error("syslog does not take a seal");
	}
	anchor->log_wait = 1;
	anchor_wait(anchor, 0);
}
