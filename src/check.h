/*
 * Looks at intervals whether the database is still as it was deployed, and
 * tells it that this daemon lives.
 */
#ifndef COFFER_CHECK_H
#define COFFER_CHECK_H

struct check;
struct service;

struct check *check_new(struct service *service);
void check_free(struct check *check);

/* Looks at once, unless it is looking. */
void check_now(struct check *check);

#endif
