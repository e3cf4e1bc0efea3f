/*
 * How many bytes of memory requests and answers take, and whether there is
 * memory for one more body.
 */
#ifndef COFFER_USAGE_H
#define COFFER_USAGE_H

#include <stdbool.h>
#include <stddef.h>

/* Of all connections. */
struct usage {
	size_t most; /* the setting request_memory, in bytes */
	size_t requests;
	size_t answers;
};

/* Of one connection; zeroed at first. */
struct usage_share {
	size_t request;
	size_t answer; /* bytes that are not sent yet */
};

/*
 * Sets what the request of a connection takes: bytes held, and bytes given to
 * a call, which count three times.
 */
void usage_set_request(
    struct usage *usage, struct usage_share *share, size_t held, size_t given);

/* Bytes of an answer were added to an output buffer, or sent from it. */
void usage_change_answer(
    struct usage *usage, struct usage_share *share, size_t added, size_t sent);

/* The connection has ended. */
void usage_leave(struct usage *usage, struct usage_share *share);

/*
 * Whether bodies that are not complete fit: half of all memory is for them, and
 * a quarter of all for those of unauthenticated connections.
 */
bool usage_fits_body(const struct usage *usage, bool authenticated);

size_t usage_total(const struct usage *usage);

bool usage_is_over(const struct usage *usage);

#endif
