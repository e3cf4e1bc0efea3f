/*
 * A connection string, parsed once, as libpq takes it, and the hosts in it.
 */
#ifndef COFFER_DSN_H
#define COFFER_DSN_H

#include <stdbool.h>
#include <stddef.h>

#define DSN_NAME_SIZE 160

/* One of the hosts, as if no other were in the string. */
struct dsn_host {
	char name[DSN_NAME_SIZE]; /* and port, for people to read */
	const char **keywords; /* both end in NULL */
	const char **values;
	char *own[3]; /* of these values; the others are the string's */
};

struct dsn {
	size_t count;
	char **keywords; /* of the whole string; both end in NULL */
	char **values;
	struct dsn_host *hosts;
	size_t hosts_count;
	size_t first; /* of the hosts: where to begin */
	size_t serving; /* the one that served last */
	long connect_timeout; /* milliseconds, for each host; 0: not said */
};

/*
 * Parses text and adds what Coffer asks of every connection.  NULL when text
 * is not a connection string: dsn_cause says why.
 */
struct dsn *dsn_new(const char *text, const char *application)
    __attribute__((warn_unused_result));

/*
 * Why dsn_new has refused text.  An unknown keyword is named, unless it may be
 * a part of a password; nothing else of text is.
 */
void dsn_cause(const char *text, char *cause, size_t size);

/* Whether a host that takes no writes is to be passed over. */
bool dsn_wants_writes(const struct dsn *dsn);

/* Accepts NULL; wipes. */
void dsn_free(struct dsn *dsn);

/*
 * All connections of a process begin with the host that served last: this one
 * does.  True: another one than before.
 */
bool
dsn_settle(struct dsn *dsn, size_t host) __attribute__((warn_unused_result));

/* This one can be connected to, but does not serve: begin with the next. */
void dsn_pass(struct dsn *dsn, size_t host);

#endif
