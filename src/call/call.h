/*
 * The call of a request to its door, in as many rounds as it takes to bring
 * what the door asks for (challenge.h).
 */
#ifndef COFFER_CALL_H
#define COFFER_CALL_H

#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "call/wrap_key.h"
#include "db/query.h"

struct request;

struct call {
	struct query query;
	struct event *deadline;
	void (*answered)(struct request *request);
	int rounds;
	bool alone; /* the door wants it outside of a group */
	struct wrap_key access_key;

	/* A wait for a change. */
	TAILQ_ENTRY(call) entry;
	struct request *request;
	struct event *patience; /* until its client has waited enough */
	int64_t last_change; /* that was known of when it was sent */
	bool parked;
};

/*
 * From now on answered is called, with the outcome set, at the request's
 * deadline at the latest, unless the request is freed before.
 */
void
call_begin(struct request *request, void (*answered)(struct request *request));

/* Sends it.  False: 503, and answered will not be called. */
bool call_request(struct request *request) __attribute__((warn_unused_result));

/* Wipes the key; a call that runs is abandoned. */
void call_free(struct call *call);

/* Another round; or another run, of a call that has waited, with its time. */
void call_again(struct request *request);
void call_anew(struct request *request);

/* Runs query, whose statement and parameters are set, before the next round. */
void call_ask(struct request *request,
    void (*done)(struct query *, const PGresult *, const struct error *));

/* Ends it: with the outcome that is set; as a fault, which is logged. */
void call_finish(struct request *request);
void call_fail(struct request *request, const char *event);

#endif
