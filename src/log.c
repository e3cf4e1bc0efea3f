#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "log.h"
#include "text.h"

#define LOG_LINE_SIZE 4096
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
	[LOG_WITNESS] = "witness",
};

static enum log_level log_least = LOG_INFO;
static uint64_t log_lines_lost;
static bool log_failed; /* the last line */
static bool log_torn; /* it has no end yet */

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
		length = text_character(text, left);
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
	} else if (field->text == NULL) {
		log_add(line, "null", 4);
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

bool
log_write(
    enum log_level level, const char *event, const struct log_field *fields)
{
	char text[1 + LOG_LINE_SIZE] = "\n", *line = text + 1;
	size_t length, done = 0;
	ssize_t n;

	if (level < log_least)
		return (true);
	length = log_format(line, LOG_LINE_SIZE, level, event, fields);
	/* What is left of a line on a full disk must not spoil the next. */
	if (log_torn) {
		line--;
		length++;
	}
	log_failed = false;
	while (done < length && !log_failed) {
		n = write(STDERR_FILENO, line + done, length - done);
		if (n > 0)
			done += (size_t)n;
		log_failed = n < 0 && errno != EINTR;
	}
	log_lines_lost += log_failed;
	log_torn = log_failed && (log_torn || done > 0);
	return (!log_failed);
}

uint64_t
log_lost(void)
{
	return (log_lines_lost);
}

bool
log_takes_lines(void)
{
	return (!log_failed);
}
