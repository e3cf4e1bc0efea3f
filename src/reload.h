/*
 * What is read again on SIGHUP, while the service runs: the certificate, and
 * the root keys.  What cannot be used leaves the old in its place.
 */
#ifndef COFFER_RELOAD_H
#define COFFER_RELOAD_H

struct drift;
struct event_base;
struct keyring;
struct reload;
struct settings;
struct tls;

/* What it uses; all of it outlives it. */
struct reload_context {
	struct event_base *base;
	const struct settings *settings;
	struct keyring *keyring;
	struct drift *drift;
	struct tls *tls; /* NULL: there is no certificate */
};

struct reload *reload_new(const struct reload_context *context);

/* Accepts NULL. */
void reload_free(struct reload *reload);

/* Reads all of it; root keys that a command is about to give are given up. */
void reload_now(struct reload *reload);

#endif
