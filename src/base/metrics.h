/*
 * What the service counts, and the page on which Prometheus reads it.
 *
 * To count is to add to a number in memory: nothing here takes time, fails,
 * or holds a name that a client has chosen.
 */
#ifndef COFFER_METRICS_H
#define COFFER_METRICS_H

#include <event2/buffer.h>
#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/endpoints.h"

#define METRICS_ENDPOINTS 64 /* more than the table has rows */
#define METRICS_JOBS 16

/*
 * A request was answered; endpoint NULL: it came to none.  Of a refusal, the
 * type is read from its body.
 */
void metrics_request(const struct endpoint *endpoint, int status,
    int64_t microseconds, struct evbuffer *body);

/* A query got its connection after waiting in the queue. */
void metrics_waited(int64_t microseconds);

/* A transaction was begun with so many reads. */
void metrics_group(long size);

/* PostgreSQL refused something; only the class of it is kept. */
void metrics_sqlstate(const char *sqlstate);

/*
 * A connection of a client was closed before it had a request: its address had
 * too many, or it is a proxy's without a PROXY header.
 */
void metrics_connection_refused(void);

/* A connection was closed whose client took long over a large answer. */
void metrics_answer_shed(void);

/* A connection to PostgreSQL was lost, or could not be made. */
void metrics_database_lost(void);

/* A change of which nobody knew whether it had happened was sent again. */
void metrics_in_doubt(void);

/* The background jobs ran. */
void metrics_job(uint64_t done);
void metrics_job_failed(void);

struct metrics_audit {
	bool known; /* false: none of it is written */
	int64_t seal_lag; /* seconds */
	int64_t unsealed; /* rows */
	int64_t anchor_lag; /* seconds */
	int64_t unanchored; /* seals */
	int64_t months_ahead;
};

/* A background job that keeps failing. */
struct metrics_job {
	const char *name;
	const char *sqlstate; /* of the last failure */
	int64_t times; /* in a row */
};

/* What is not counted but looked at when the page is read. */
struct metrics_now {
	size_t connections; /* of clients */
	size_t busy; /* of these, with a request that is not answered */
	size_t memory; /* bytes that their requests and answers take */
	long pool_size;
	long pool_open;
	long pool_running;
	long queue;
	int ready;
	struct json_object *warnings; /* texts by name */
	struct metrics_audit audit;
	struct metrics_job jobs[METRICS_JOBS];
	size_t jobs_count;
};

void metrics_write(struct evbuffer *page, const struct metrics_now *now);

#endif
