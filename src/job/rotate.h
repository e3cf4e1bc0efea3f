/*
 * Rotates managed keys when their policy says so.
 */
#ifndef COFFER_ROTATE_H
#define COFFER_ROTATE_H

struct background_host;
struct keyring;
struct rotate;

/* Looks for such keys at every interval of seconds, and rotates them. */
struct rotate *rotate_new(
    const struct background_host *host, long interval, struct keyring *keyring);

/* Accepts NULL. */
void rotate_free(struct rotate *rotate);

#endif
