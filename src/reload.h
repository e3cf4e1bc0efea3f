/*
 * What is read again on SIGHUP, while the service runs: the certificate, and
 * the root keys.  What cannot be used leaves the old in its place.
 */
#ifndef COFFER_RELOAD_H
#define COFFER_RELOAD_H

struct reload;
struct service;

struct reload *reload_new(struct service *service);
void reload_free(struct reload *reload);

/* Reads all of it; root keys that a command is about to give are given up. */
void reload_now(struct reload *reload);

#endif
