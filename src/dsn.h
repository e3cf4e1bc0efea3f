/*
 * A connection string, parsed once, as libpq takes it.
 */
#ifndef COFFER_DSN_H
#define COFFER_DSN_H

#include <stddef.h>

struct dsn {
	size_t count;
	char **keywords; /* both end in NULL */
	char **values;
};

/*
 * Parses text and adds what Coffer asks of every connection.  NULL when text
 * is no connection string; why is not told, because libpq would quote it.
 */
struct dsn *dsn_new(const char *text, const char *application)
    __attribute__((warn_unused_result));

/* Accepts NULL; wipes. */
void dsn_free(struct dsn *dsn);

#endif
