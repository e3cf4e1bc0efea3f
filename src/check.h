/*
 * Looks at intervals whether the database is still as it was deployed, and
 * tells it that this daemon lives.
 */
#ifndef COFFER_CHECK_H
#define COFFER_CHECK_H

#include <stdbool.h>

struct check;
struct service;

struct check *check_new(struct service *service);
void check_free(struct check *check);

/* Looks at once, unless it is looking. */
void check_now(struct check *check);

/* Whether the last look came to nothing: there was no connection for it. */
bool check_is_blind(const struct check *check);

/*
 * What it is that the last looks have had no answer to, neither yes nor no,
 * while no call had one either; NULL: one has been answered.
 */
const char *check_silence(const struct check *check);

#endif
