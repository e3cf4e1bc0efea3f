/*
 * Moves keys while the service runs: what is wrapped under an old root key to
 * the active one, projects to a new KEK, and their versions after them.
 */
#ifndef COFFER_REKEY_H
#define COFFER_REKEY_H

struct background_host;
struct keyring;
struct rekey;

/*
 * Looks for work at every interval of seconds, and does it in small batches.
 * Instance is the id of this run of the daemon, which outlives this.
 */
struct rekey *rekey_new(const struct background_host *host, long interval,
    struct keyring *keyring, const char *instance);

/* Accepts NULL. */
void rekey_free(struct rekey *rekey);

#endif
