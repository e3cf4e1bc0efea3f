/*
 * The daemon's own errors: their answers, and what a SQLSTATE means.
 */
#ifndef COFFER_ERRORS_H
#define COFFER_ERRORS_H

#include <stddef.h>

enum error_id {
	ERROR_ARGUMENT,
	ERROR_REQUEST,
	ERROR_NO_TOKEN,
	ERROR_BAD_TOKEN,
	ERROR_NO_ROUTE,
	ERROR_NO_METHOD,
	ERROR_BODY_TOO_LARGE,
	ERROR_EXPECTATION,
	ERROR_TOO_MANY,
	ERROR_HEADERS_TOO_LARGE,
	ERROR_INTERNAL,
	ERROR_ENCODING,
	ERROR_UNAVAILABLE,
	ERROR_IN_DOUBT, /* instead, of a change that may have happened */
	ERROR_VERSION,
	ERROR_COUNT,
};

struct error {
	const char *name;
	int status;
	int retry_after; /* seconds; 0: no such header */
	/* The body; "%s" in it, if any, is what the refusal has to say. */
	const char *body;
};

extern const struct error errors[ERROR_COUNT];

/*
 * What to do about a call that PostgreSQL has refused.  It has undone it, so
 * that none of them is in doubt: that is a call whose connection was lost.
 */
enum error_remedy {
	REMEDY_NONE, /* a fault: 500 */
	REMEDY_GIVE_UP, /* 503 */
	REMEDY_AGAIN, /* after a moment; at last 503 */
	REMEDY_AGAIN_FAULT, /* after a moment; at last it is a fault: 500 */
	REMEDY_PREPARE, /* the statements anew, once, and the call with its text */
	REMEDY_RECONNECT, /* and after a moment; at last 503 */
};

struct error_sqlstate {
	const char *prefix; /* of the SQLSTATE; the first that fits counts */
	enum error_remedy remedy;
	int repeats; /* for the three that send again */
	const char *meaning;
};

extern const struct error_sqlstate error_sqlstates[];
extern const size_t error_sqlstates_count;

/* The SQLSTATE of a server that takes no writes. */
extern const char error_read_only[];

#endif
