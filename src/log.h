/*
 * The daemon's log: one JSON object a line on standard error.
 *
 * A line is a fixed event text and fields.  No token, payload, key, query
 * value or connection string may be given to it, nor any text of PostgreSQL.
 */
#ifndef COFFER_LOG_H
#define COFFER_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum log_level {
	LOG_DEBUG,
	LOG_INFO,
	LOG_WARNING,
	LOG_ERROR,
	LOG_WITNESS, /* evidence: written at every level */
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
 * Writes one line now; fields end with one of kind LOG_KIND_END.  True: it is
 * written, or not asked for.
 */
bool log_write(
    enum log_level level, const char *event, const struct log_field *fields);

/* Lines that could not be written as a whole, and whether the last could. */
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
#define log_witness(event, ...) \
	log_write(LOG_WITNESS, (event), LOG_FIELDS(__VA_ARGS__))
#define log_error(event, ...) \
	log_write(LOG_ERROR, (event), LOG_FIELDS(__VA_ARGS__))

/* The fields; a NULL text is written as null. */
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
