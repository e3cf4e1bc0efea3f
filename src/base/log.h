/*
 * The daemon's log: one JSON object a line on standard error.  From log_start on
 * nobody waits for standard error: a line that it does not take waits in memory,
 * up to 1 MiB of them, and is lost beyond that.  The line "log lines were lost"
 * follows a gap, at every level, with the number of lines lost so far.
 *
 * A line is a fixed event text and fields.  No token, payload, key, query
 * value or connection string may be given to it, nor any text of PostgreSQL.
 */
#ifndef COFFER_LOG_H
#define COFFER_LOG_H

#include <event2/event.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum log_level {
	LOG_DEBUG,
	LOG_INFO,
	LOG_WARNING,
	LOG_ERROR,
	LOG_EVIDENCE, /* info that is written at every level */
};

enum log_kind {
	LOG_KIND_END,
	LOG_KIND_TEXT,
	LOG_KIND_NUMBER,
	LOG_KIND_HEX,
};

struct log_field {
	const char *name;
	enum log_kind kind;
	int64_t number;
	const char *text;
	const unsigned char *bytes;
	size_t size;
};

/* Sets the least level that is written; false for a name that is no level. */
bool log_set_level(const char *name) __attribute__((warn_unused_result));

/*
 * Writes one line, or keeps it for later; fields end with one of kind
 * LOG_KIND_END.
 */
void log_write(
    enum log_level level, const char *event, const struct log_field *fields);

/*
 * Writes a line as log_write does.  log_fate tells what has become of the last
 * line that was written so.
 */
void log_write_marked(
    enum log_level level, const char *event, const struct log_field *fields);

enum log_fate {
	LOG_WAITS,
	LOG_WRITTEN, /* as a whole */
	LOG_LOST,
};

enum log_fate log_fate(void);

/*
 * No longer waits for standard error: lines that it does not take go out from
 * this base.  The instance, which is borrowed, is named where lines were lost:
 * some of its receipts may be missing.  log_stop gives those that are left some milliseconds, and waits
 * again from then on; it comes before the base is freed.
 */
void log_start(struct event_base *base, const char *instance);
void log_stop(int milliseconds);

/*
 * Lines that could not be written as a whole; and whether the last could, and
 * standard error has taken something of what waits within some seconds.
 */
uint64_t log_lost(void);
bool log_takes_lines(void);

/*
 * Puts the line that log_write would write into buffer and returns its
 * length; a line that does not fit ends early and is still valid JSON.
 */
size_t log_format(char *buffer, size_t size, enum log_level level,
    const char *event, const struct log_field *fields);

#define LOG_FIELDS(...) \
	((const struct log_field[]){ __VA_ARGS__ __VA_OPT__(, ) log_end() })

#define log_debug(event, ...) \
	log_write(LOG_DEBUG, (event), LOG_FIELDS(__VA_ARGS__))
#define log_info(event, ...) \
	log_write(LOG_INFO, (event), LOG_FIELDS(__VA_ARGS__))
#define log_warning(event, ...) \
	log_write(LOG_WARNING, (event), LOG_FIELDS(__VA_ARGS__))
#define log_evidence(event, ...) \
	log_write(LOG_EVIDENCE, (event), LOG_FIELDS(__VA_ARGS__))
#define log_error(event, ...) \
	log_write(LOG_ERROR, (event), LOG_FIELDS(__VA_ARGS__))

/* The fields; one of a NULL text is left out. */
static inline struct log_field
log_text(const char *name, const char *text)
{
	return ((struct log_field){
	    .name = name, .kind = LOG_KIND_TEXT, .text = text });
}

static inline struct log_field
log_number(const char *name, int64_t number)
{
	return ((struct log_field){
	    .name = name, .kind = LOG_KIND_NUMBER, .number = number });
}

static inline struct log_field
log_hex(const char *name, const void *bytes, size_t size)
{
	return ((struct log_field){
	    .name = name, .kind = LOG_KIND_HEX, .bytes = bytes, .size = size });
}

static inline struct log_field
log_end(void)
{
	return ((struct log_field){ .kind = LOG_KIND_END });
}

#endif
