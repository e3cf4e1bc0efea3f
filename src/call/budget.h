/*
 * What requests and answers may take of memory: a call is refused, or waits,
 * while they take more than the setting request_memory.
 */
#ifndef COFFER_BUDGET_H
#define COFFER_BUDGET_H

#include <stdbool.h>
#include <sys/queue.h>

struct budget;
struct request;
struct service;

struct budget_call {
	TAILQ_ENTRY(budget_call) entry;
	struct request *request;
	void (*decided)(struct request *request, bool passes);
	bool waits;
	bool runs; /* its answer may be large, and is awaited */
};

struct budget *budget_new(struct service *service);

/* Accepts NULL; no request must wait any more. */
void budget_free(struct budget *budget);

/*
 * Before the call.  Calls decided, now or later, and not when the request has
 * its outcome before; passes false: the error is set, 503.
 */
void budget_request(struct request *request,
    void (*decided)(struct request *request, bool passes));

/* The request has its outcome. */
void budget_leave(struct request *request);

#endif
