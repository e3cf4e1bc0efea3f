/*
 * The header of the PROXY protocol, versions 1 and 2, with which a proxy says
 * at the beginning of a connection for which client it has made it.
 */
#ifndef COFFER_PROXY_H
#define COFFER_PROXY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/address.h"

/* Bytes of the longest header, with all that a proxy may add to an address. */
#define PROXY_SIZE_MAX 2048

enum proxy_state {
	PROXY_MORE, /* all of the bytes belong to the header */
	PROXY_WHOLE,
	PROXY_FAULT, /* it is not such a header, or a malformed one */
};

struct proxy {
	size_t size; /* of the header in bytes */
	/* The client; empty: the proxy speaks for itself, or does not know. */
	char client[ADDRESS_TEXT_SIZE];
};

/*
 * Looks at the first bytes of a connection, at most PROXY_SIZE_MAX, of which
 * there are more each time.  Sets proxy when it returns PROXY_WHOLE.
 */
enum proxy_state
proxy_read(const unsigned char *bytes, size_t size, struct proxy *proxy);

#endif
