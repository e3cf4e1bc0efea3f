/*
 * How often a client may call: an API key, and who has no valid one.
 */
#ifndef COFFER_RATE_H
#define COFFER_RATE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "base/settings.h"

struct event_base;
struct rate_stranger;
struct rates;

/* The outcome of a call, as far as its rate is concerned. */
enum rate_outcome {
	RATE_UNKNOWN, /* the database has said nothing of the key */
	RATE_DENIED, /* the key is not valid: 401 */
	RATE_REFUSED, /* the key is valid, and the call was refused */
	RATE_SERVED,
};

/* One call; its owner sets the first part before rate_begin(). */
struct rate_call {
	struct rates *rates;
	const unsigned char *digest; /* of the key, KEYRING_DIGEST_SIZE bytes */
	const char *address; /* of the client, as text */
	int64_t arrived; /* microseconds of the monotonic clock */
	void (*decided)(void *owner, bool passes);
	void *owner;

	/* rate.c's own. */
	struct rate_stranger *stranger; /* NULL: its key is known, or refused */
	TAILQ_ENTRY(rate_call) entry;
	bool repeats; /* its address was refused with its key before */
	bool waits;
	bool passes;
	long quota; /* of a call that does not pass: calls a second */
};

TAILQ_HEAD(rate_queue, rate_call);

/*
 * What a daemon remembers of API keys, and of addresses.  Beyond it the least
 * recently used counts as one that has not called, so it is far more than call
 * within the seconds that a burst lasts.
 */
#define RATE_ENTRIES 65536

/* The settings are read once. */
struct rates *rates_new(
    struct event_base *base, const struct settings *settings, size_t entries);

/* Accepts NULL. */
void rates_free(struct rates *rates);

/*
 * Before the call.  Calls decided, now or later, and not when rate_end() comes
 * before.  It does not pass when its key or its address has used its quota.
 */
void rate_begin(struct rate_call *call);

/* The database has accepted the key, although the call goes on. */
void rate_accept(struct rate_call *call);

/* With the outcome of a call, whether or not it was begun. */
void rate_end(struct rate_call *call, enum rate_outcome outcome);

#endif
