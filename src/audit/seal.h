/*
 * The seals over the audit.  SQL makes them; here they are signed, since the
 * key must not be in the database, and anchored: written down outside of it.
 */
#ifndef COFFER_SEAL_H
#define COFFER_SEAL_H

#include <stdbool.h>
#include <stdint.h>

struct background_host;
struct drift;
struct json_object;
struct keyring;
struct newest;
struct seal;
struct settings;

/* What the database last said of its audit. */
struct seal_state {
	bool known;
	int64_t lag; /* seconds that the oldest row without a seal is old */
	int64_t unsealed; /* rows, at the most */
	int64_t unanchored; /* seals */
	int64_t anchor_lag; /* seconds that the oldest of these is old */
	int64_t months_ahead; /* that have a partition */
	int64_t last_change; /* rises with each change that can be listed */
	int64_t commit_wait; /* seconds that one has waited for a standby */
	int64_t clock_ahead; /* seconds, of the clock here; or behind: < 0 */
};

/* What it uses; all of it outlives it. */
struct seal_context {
	const struct background_host *host;
	const struct settings *settings;
	const char *instance; /* id of this run of the daemon */
	struct keyring *keyring;
	struct newest *newest;
	struct drift *drift;
	/*
	 * Is called about each second: how things stand, and the warnings of
	 * the database, texts by name.  They are the callee's, and NULL while
	 * the state is not known.
	 */
	void (*observed)(void *owner, const struct seal_state *state,
	    struct json_object *warnings);
	void *owner;
};

/* Seals, signs and anchors what is due, every second. */
struct seal *seal_new(const struct seal_context *context);

/* Accepts NULL. */
void seal_free(struct seal *seal);

#endif
