/*
 * Moves keys while the service runs: what is wrapped under an old root key to
 * the active one, projects to a new KEK, and their versions after them.
 */
#ifndef COFFER_REKEY_H
#define COFFER_REKEY_H

struct rekey;
struct service;

/* Looks for work at every job_interval, and does it in small batches. */
struct rekey *rekey_new(struct service *service);
void rekey_free(struct rekey *rekey);

#endif
