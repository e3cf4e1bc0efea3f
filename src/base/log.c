#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/utf8.h"

/* With a line end before it, it is still one write to a pipe, whole or not. */
#define LOG_LINE_SIZE (PIPE_BUF - 1)
#define LOG_QUEUE_SIZE (1024 * 1024)
#define LOG_STALL 5000000 /* microseconds */
#define LOG_TAIL "}\n"

/* Room is kept for LOG_TAIL, so that a line can always be ended. */
struct log_line {
	char *buffer;
	size_t size;
	size_t used;
	bool full;
};

static const char *const log_levels[] = {
	[LOG_DEBUG] = "debug",
	[LOG_INFO] = "info",
	[LOG_WARNING] = "warning",
	[LOG_ERROR] = "error",
	[LOG_EVIDENCE] = "info",
};

static enum log_level log_least = LOG_INFO;
static uint64_t log_lines_lost, log_lost_told;
static bool log_failed; /* the last line */
static bool log_torn; /* it has no end yet */

/* Lines that wait, the first perhaps without its beginning. */
static char log_queue[LOG_QUEUE_SIZE];
static size_t log_queue_begin, log_queue_end;
static uint64_t log_bytes_in, log_bytes_out; /* of the queue, ever */
static uint64_t log_marked; /* of these, up to the end of that line */
static bool log_marked_lost;
static int64_t log_stalled; /* since when nothing goes out; 0: it does */

/* How standard error is written to, from log_start to log_stop. */
static struct event *log_writable; /* NULL: wait for it */
static enum {
	LOG_OUT_FILE,
	LOG_OUT_SOCKET,
	LOG_OUT_OWN, /* log_own */
	LOG_OUT_POLL,
} log_out;
static int log_own = -1;
static const char *log_instance; /* NULL: this is no daemon */

bool
log_set_level(const char *name)
{
	size_t i;

	for (i = 0; i <= LOG_ERROR; i++) {
		if (strcmp(name, log_levels[i]) == 0) {
			log_least = (enum log_level)i;
			return (true);
		}
	}
	return (false);
}

static void
log_add(struct log_line *line, const char *bytes, size_t size)
{
	if (line->full || line->used + size + sizeof(LOG_TAIL) > line->size) {
		line->full = true;
		return;
	}
	memcpy(line->buffer + line->used, bytes, size);
	line->used += size;
}

__attribute__((format(printf, 2, 3))) static void
log_printf(struct log_line *line, const char *format, ...)
{
	char text[64];
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	if (length > 0 && (size_t)length < sizeof(text))
		log_add(line, text, (size_t)length);
}

/* A JSON string; bytes that are no UTF-8 become '?'. */
static void
log_string(struct log_line *line, const char *text)
{
	size_t left = strlen(text), length;

	log_add(line, "\"", 1);
	for (; left > 0; text += length, left -= length) {
		length = utf8_character(text, left);
		if (length == 0) {
			length = 1;
			log_add(line, "?", 1);
		} else if (*text == '"' || *text == '\\') {
			log_add(line, "\\", 1);
			log_add(line, text, 1);
		} else if ((unsigned char)*text < ' ') {
			log_printf(line, "\\u%04x", (unsigned int)*text);
		} else {
			log_add(line, text, length);
		}
	}
	log_add(line, "\"", 1);
}

static void
log_value(struct log_line *line, const struct log_field *field)
{
	size_t i;

	if (field->kind == LOG_KIND_NUMBER) {
		log_printf(line, "%" PRId64, field->number);
	} else if (field->kind == LOG_KIND_HEX) {
		log_add(line, "\"", 1);
		for (i = 0; i < field->size; i++)
			log_printf(line, "%02x", field->bytes[i]);
		log_add(line, "\"", 1);
	} else {
		log_string(line, field->text);
	}
}

/* RFC 3339 in UTC with microseconds. */
static void
log_time(struct log_line *line)
{
	struct timespec now;
	struct tm utc;

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &utc);
	log_printf(line, "{\"time\":\"%04d-%02d-%02dT%02d:%02d:%02d.%06ldZ\"",
	    utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday, utc.tm_hour,
	    utc.tm_min, utc.tm_sec, now.tv_nsec / 1000);
}

size_t
log_format(char *buffer, size_t size, enum log_level level, const char *event,
    const struct log_field *fields)
{
	struct log_line line = { .buffer = buffer, .size = size };
	size_t whole;

	log_time(&line);
	log_printf(&line, ",\"level\":\"%s\",\"event\":", log_levels[level]);
	log_string(&line, event);
	/* A field that does not fit is left out whole, with all after it. */
	for (; fields->kind != LOG_KIND_END && !line.full; fields++) {
		if (fields->kind == LOG_KIND_TEXT && fields->text == NULL)
			continue;
		whole = line.used;
		log_add(&line, ",", 1);
		log_string(&line, fields->name);
		log_add(&line, ":", 1);
		log_value(&line, fields);
		if (line.full)
			line.used = whole;
	}
	memcpy(buffer + line.used, LOG_TAIL, sizeof(LOG_TAIL));
	return (line.used + sizeof(LOG_TAIL) - 1);
}

/*
 * O_NONBLOCK would be that of all who share standard error, who may be a shell.
 * So a pipe or a terminal is opened once more; where that is not allowed, there
 * is room for PIPE_BUF bytes when poll says so, unless another process that
 * shares the pipe fills it just then.
 */
static ssize_t
log_put(const char *bytes, size_t size)
{
	struct pollfd out = { .fd = STDERR_FILENO, .events = POLLOUT };

	if (log_writable == NULL || log_out == LOG_OUT_FILE)
		return (write(STDERR_FILENO, bytes, size));
	if (log_out == LOG_OUT_SOCKET)
		return (send(
		    STDERR_FILENO, bytes, size, MSG_DONTWAIT | MSG_NOSIGNAL));
	if (log_out == LOG_OUT_OWN)
		return (write(log_own, bytes, size));
	if (poll(&out, 1, 0) == 0) {
		errno = EAGAIN;
		return (-1);
	}
	return (write(STDERR_FILENO, bytes, size));
}

/*
 * The first line of the queue cannot be written.  Where something of it has been,
 * its end stays, so that the next line is one of its own; or is put there again,
 * with the next line, when the queue is empty.
 */
static void
log_lose(void)
{
	const char *first = log_queue + log_queue_begin, *end;
	size_t left = log_queue_end - log_queue_begin, size;
	bool is_end = log_torn && *first == '\n';

	end = memchr(first + is_end, '\n', left - is_end);
	size = end == NULL ? left : (size_t)(end - first) + 1;
	if (log_bytes_out + size == log_marked)
		log_marked_lost = true;
	if (log_torn && size < left)
		size--;
	log_queue_begin += size;
	log_bytes_out += size;
	log_lines_lost++;
	log_failed = true;
}

/* Whole lines as far as they go into one write. */
static size_t
log_chunk(void)
{
	size_t size = log_queue_end - log_queue_begin;
	const char *first = log_queue + log_queue_begin, *end;

	if (size <= PIPE_BUF)
		return (size);
	end = memrchr(first, '\n', PIPE_BUF);
	return (end == NULL ? PIPE_BUF : (size_t)(end - first) + 1);
}

static bool
log_keep(const char *bytes, size_t size)
{
	if (log_queue_end + size > sizeof(log_queue)) {
		memmove(log_queue, log_queue + log_queue_begin,
		    log_queue_end - log_queue_begin);
		log_queue_end -= log_queue_begin;
		log_queue_begin = 0;
	}
	if (log_queue_end + size > sizeof(log_queue)) {
		log_lines_lost++;
		log_failed = true;
		return (false);
	}
	memcpy(log_queue + log_queue_end, bytes, size);
	log_queue_end += size;
	log_bytes_in += size;
	return (true);
}

/* A gap in the evidence is told where it is, as soon as there is room. */
static void
log_tell_lost(void)
{
	const size_t room =
	    sizeof(log_queue) - (log_queue_end - log_queue_begin);
	char line[LOG_LINE_SIZE];

	if (log_lost_told == log_lines_lost || room < LOG_LINE_SIZE)
		return;
	log_lost_told = log_lines_lost;
	(void)log_keep(line,
	    log_format(line, sizeof(line), LOG_ERROR, "log lines were lost",
		LOG_FIELDS(log_text("instance", log_instance),
		    log_number("lines", (int64_t)log_lines_lost))));
}

/* Writes what waits, as far as standard error takes it. */
static void
log_flush(void)
{
	ssize_t n;

	while (log_queue_begin < log_queue_end) {
		n = log_put(log_queue + log_queue_begin, log_chunk());
		if (n > 0) {
			log_queue_begin += (size_t)n;
			log_bytes_out += (size_t)n;
			log_torn = log_queue[log_queue_begin - 1] != '\n';
			log_failed = false;
			log_stalled = 0;
			if (!log_torn)
				log_tell_lost();
		} else if (n < 0 && errno == EAGAIN && log_writable != NULL) {
			if (log_stalled == 0)
				log_stalled = clock_microseconds();
			event_add(log_writable, NULL);
			return;
		} else if (n == 0 || errno != EINTR) {
			log_lose();
		}
	}
	log_queue_begin = log_queue_end = 0;
	log_stalled = 0;
}

static void
log_event(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	log_flush();
}

/* False: it is lost already, else it may be. */
static bool
log_add_line(
    enum log_level level, const char *event, const struct log_field *fields)
{
	char line[LOG_LINE_SIZE];

	/* What is left of a line on a full disk must not spoil the next. */
	if (log_torn && log_queue_begin == log_queue_end)
		(void)log_keep("\n", 1);
	return (log_keep(
	    line, log_format(line, sizeof(line), level, event, fields)));
}

void
log_write(
    enum log_level level, const char *event, const struct log_field *fields)
{
	if (level < log_least)
		return;
	(void)log_add_line(level, event, fields);
	/* While others wait, so does this one. */
	if (log_stalled == 0)
		log_flush();
}

void
log_write_marked(
    enum log_level level, const char *event, const struct log_field *fields)
{
	log_marked_lost = !log_add_line(level, event, fields);
	log_marked = log_bytes_in;
	if (log_stalled == 0)
		log_flush();
}

enum log_fate
log_fate(void)
{
	if (log_marked_lost)
		return (LOG_LOST);
	return (log_bytes_out >= log_marked ? LOG_WRITTEN : LOG_WAITS);
}

static void
log_look(void)
{
	struct stat status;

	log_out = LOG_OUT_FILE;
	if (fstat(STDERR_FILENO, &status) != 0)
		return;
	if (S_ISSOCK(status.st_mode))
		log_out = LOG_OUT_SOCKET;
	if (!S_ISFIFO(status.st_mode) && !isatty(STDERR_FILENO))
		return;
	log_own = open(
	    "/proc/self/fd/2", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	log_out = log_own >= 0 ? LOG_OUT_OWN : LOG_OUT_POLL;
}

void
log_start(struct event_base *base, const char *instance)
{
	log_instance = instance;
	log_look();
	log_writable = event_new(base, log_own >= 0 ? log_own : STDERR_FILENO,
	    EV_WRITE, log_event, NULL);
}

void
log_stop(int milliseconds)
{
	struct pollfd out = { .fd = STDERR_FILENO, .events = POLLOUT };
	int64_t end = clock_microseconds() + milliseconds * INT64_C(1000);
	int64_t left;

	if (log_writable == NULL)
		return;
	log_flush();
	while (log_queue_begin < log_queue_end &&
	    (left = end - clock_microseconds()) > 0) {
		poll(&out, 1, (int)(left / 1000) + 1);
		log_flush();
	}
	log_queue_begin = log_queue_end = 0;
	event_free(log_writable);
	log_writable = NULL;
	if (log_own >= 0)
		close(log_own);
	log_own = -1;
}

uint64_t
log_lost(void)
{
	return (log_lines_lost);
}

bool
log_takes_lines(void)
{
	return (!log_failed &&
	    (log_stalled == 0 ||
		clock_microseconds() - log_stalled < LOG_STALL));
}
