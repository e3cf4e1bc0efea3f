/*
 * The methods of HTTP that the daemon knows: all that evhttp can read.
 */
#ifndef COFFER_METHODS_H
#define COFFER_METHODS_H

#include <event2/http.h>
#include <stddef.h>

struct method {
	enum evhttp_cmd_type type;
	const char *name;
};

/* In the order of the header Allow: that of their names. */
extern const struct method methods[];
extern const size_t methods_count;

/* NULL: it is none of them. */
const char *method_name(enum evhttp_cmd_type type);

/* All of them, as flags. */
unsigned short methods_all(void);

#endif
