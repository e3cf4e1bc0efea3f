/*
 * Whether calls can be carried out at all.  Each of them writes to the audit.
 * When one has failed in the database, the probe writes there, and repeats that
 * each second until the database can.
 */
#ifndef COFFER_PROBE_H
#define COFFER_PROBE_H

struct event_base;
struct pool;
struct probe;

/* Tries nothing before a call has failed. */
struct probe *probe_new(struct event_base *base, struct pool *pool);
void probe_free(struct probe *probe);

/* A call has failed in the database, or got no answer in time. */
void probe_call_failed(struct probe *probe);

/* A call was committed. */
void probe_call_succeeded(struct probe *probe);

/* Why calls fail, as /ready says it; NULL: they can be carried out. */
const char *probe_fault(const struct probe *probe);

#endif
