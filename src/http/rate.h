/*
 * How often a client may call: an API key, and who has no valid one.
 */
#ifndef COFFER_RATE_H
#define COFFER_RATE_H

#include <stdbool.h>
#include <sys/queue.h>

#include "base/settings.h"

struct rates;
struct rate_stranger;
struct request;

/* What a request has to do with its rate, which is nothing for a known key. */
struct rate_call {
	struct rate_stranger *stranger; /* NULL: its key is known, or refused */
	TAILQ_ENTRY(rate_call) entry;
	struct request *request;
	void (*decided)(struct request *request, bool passes);
	bool repeats; /* its address was refused with its key before */
	bool waits;
	bool passes;
};

TAILQ_HEAD(rate_line, rate_call);

/*
 * What a daemon remembers of API keys, and of addresses.  Beyond it the least
 * recently used counts as one that has not called, so it is far more than call
 * within the seconds that a burst lasts.
 */
#define RATE_ENTRIES 65536

struct rates *rates_new(const struct settings *settings, size_t entries);
void rates_free(struct rates *rates);

/*
 * Before the call.  Calls decided, now or later, and not when the request has
 * its outcome before; passes false: the error is set, 429.
 */
void rate_request(struct request *request,
    void (*decided)(struct request *request, bool passes));

/* The door has let the key in, though its call goes on. */
void rate_accept(struct request *request);

/* With the outcome: whether the database has accepted the key. */
bool rate_is_authenticated(const struct request *request);

/* With the outcome: it is a failed authentication, or the key is a good one. */
void rate_outcome(struct request *request);

#endif
