/*
 * How often a client may call: an API key, and who has no valid one.
 */
#ifndef COFFER_RATE_H
#define COFFER_RATE_H

#include <stdbool.h>

#include "settings.h"

struct rates;
struct request;

struct rates *rates_new(const struct settings *settings);
void rates_free(struct rates *rates);

/* Before the call: false, and 429, for a key or an address with too many. */
bool rate_request(struct request *request) __attribute__((warn_unused_result));

/* With the outcome: it is a failed authentication, or the key is a good one. */
void rate_outcome(struct request *request);

#endif
