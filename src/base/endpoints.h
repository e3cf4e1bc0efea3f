/*
 * The table of endpoints.  Adding one is one line here, one file in
 * sql/endpoint and its test.
 */
#ifndef COFFER_ENDPOINTS_H
#define COFFER_ENDPOINTS_H

#include <event2/http.h>
#include <stddef.h>

/* What each API begins with. */
#define ENDPOINT_SECRETS "/secret-manager/v1beta1/regions/{region}"
#define ENDPOINT_KEYS "/key-manager/v1alpha1/regions/{region}"

enum endpoint_flag {
	ENDPOINT_READS = 1 << 0, /* may be sent again when in doubt */
	ENDPOINT_CHANGES = 1 << 1, /* may too, for SQL does it once */
	ENDPOINT_KEY = 1 << 2, /* needs the key of the secret */
	ENDPOINT_DATA = 1 << 3, /* takes a payload, member "data" */
	ENDPOINT_LOCAL = 1 << 4, /* the daemon answers, without a token */
	ENDPOINT_ENCRYPTS = 1 << 5, /* the daemon does, with a managed key */
	ENDPOINT_DECRYPTS = 1 << 6,
	ENDPOINT_GENERATES = 1 << 7, /* a key for data, and encrypts it */
	ENDPOINT_LISTS = 1 << 8, /* reads of many rows */
	ENDPOINT_SEARCHES = 1 << 9, /* reads of so many that it takes seconds */
	ENDPOINT_LARGE = 1 << 10, /* its answer may have megabytes */
	ENDPOINT_EMPTY = 1 << 11, /* in a region that is not served */
	ENDPOINT_CIPHERS =
	    ENDPOINT_ENCRYPTS | ENDPOINT_DECRYPTS | ENDPOINT_GENERATES,
};

struct endpoint {
	enum evhttp_cmd_type method;
	const char *path; /* names in braces capture one segment */
	const char *function; /* of schema api; its name in logs */
	unsigned int flags;
};

/* The first row that fits counts: literal paths stand before captures. */
extern const struct endpoint endpoints[];
extern const size_t endpoints_count;

#endif
