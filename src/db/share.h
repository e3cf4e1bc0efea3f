/*
 * How many connections each kind of query may use at a time.
 *
 * Reads use at most read_connections.  Lists use a quarter of the pool, and so
 * do searches: a list does not wait for what takes seconds.  Both together
 * leave half of the pool to other queries.
 */
#ifndef COFFER_SHARE_H
#define COFFER_SHARE_H

#include "db/query.h"

struct share {
	long size; /* connections of the pool, at least 1 */
	long reads; /* of these that reads may use, at least 1 */
	/* Connections that run a kind now. */
	long reading, listing, searching;
};

/* A connection begins to run this kind, or has ended it. */
void share_begin(struct share *share, enum query_kind kind);
void share_end(struct share *share, enum query_kind kind);

/* The kinds that one more connection may run now. */
enum query_kind share_kinds(const struct share *share);

#endif
