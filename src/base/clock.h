/*
 * The time that no setting of the system's clock disturbs.
 */
#ifndef COFFER_CLOCK_H
#define COFFER_CLOCK_H

#include <stdint.h>
#include <sys/time.h>

/* Microseconds since some moment in the past. */
int64_t clock_microseconds(void);

/* Milliseconds since the same moment. */
int64_t clock_milliseconds(void);

/* A time of so many milliseconds, 0 or more, for a timer. */
struct timeval clock_timeval(long milliseconds);

#define CLOCK_APART_MOST 5 /* seconds by which two clocks may differ */

/*
 * By how many seconds another machine's clock is ahead of this machine's, or
 * behind if that is negative.  It said there, in seconds since 1970, at some time
 * in the last so many microseconds.
 */
int64_t clock_apart(int64_t there, int64_t microseconds);

#endif
