/*
 * Calls that wait for a change: parked here until there is one, or until they
 * have waited as long as their client asked.
 */
#ifndef COFFER_WATCH_H
#define COFFER_WATCH_H

struct request;
struct watch;

struct watch *watch_new(void);
void watch_free(struct watch *watch);

/* Parks a call; long_poll_resume is called for it later. */
void watch_park(struct watch *watch, struct request *request);

/* Takes a call out, if it is in. */
void watch_leave(struct watch *watch, struct request *request);

/* There is a change: all that are parked are called again. */
void watch_ring(struct watch *watch);

/* All that are parked are called for the last time. */
void watch_end(struct watch *watch);

#endif
