/*
 * Looks at intervals whether the database is still as it was deployed, and
 * tells it that this daemon lives.
 */
#ifndef COFFER_DRIFT_H
#define COFFER_DRIFT_H

#include <stdbool.h>

struct drift;
struct service;

struct drift *drift_new(struct service *service);
void drift_free(struct drift *check);

/* Looks at once, unless it is looking. */
void drift_now(struct drift *check);

/* Whether the last look came to nothing: there was no connection for it. */
bool drift_is_blind(const struct drift *check);

/*
 * What it is that the last looks have had no answer to, neither yes nor no,
 * while no call had one either; NULL: one has been answered.
 */
const char *drift_silence(const struct drift *check);

#endif
