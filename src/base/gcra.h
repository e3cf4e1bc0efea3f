/*
 * The generic cell rate algorithm: a token bucket kept as one number, the time
 * at which it is full again.
 *
 * Times are nanoseconds of any one clock that does not go back.  A bucket that
 * was never used is 0.
 */
#ifndef COFFER_GCRA_H
#define COFFER_GCRA_H

#include <stdbool.h>
#include <stdint.h>

struct gcra {
	long quota; /* tokens a second; 0: any number */
	int64_t interval; /* until one token is back */
	int64_t whole; /* until all are */
};

/* Quota tokens a second, and burst of them in a full bucket. */
struct gcra gcra_of(long quota, long burst);

/* Whether the bucket has less than one token. */
bool gcra_is_empty(const struct gcra *gcra, int64_t full, int64_t now);

/* The bucket without one token more; an empty one stays empty. */
int64_t gcra_take(const struct gcra *gcra, int64_t full, int64_t now);

/* The bucket with one token more. */
int64_t gcra_give_back(const struct gcra *gcra, int64_t full);

#endif
