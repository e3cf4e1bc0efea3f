/*
 * What requests and answers may take of memory: a call is refused, or waits,
 * while they take more than the setting request_memory.
 */
#ifndef COFFER_BUDGET_H
#define COFFER_BUDGET_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/queue.h>

struct budget;
struct event_base;

/* One call; its owner sets the first part before budget_begin(). */
struct budget_call {
	void (*decided)(void *owner, bool passes);
	void *owner;

	/* budget.c's own. */
	TAILQ_ENTRY(budget_call) entry;
	bool waits;
	bool runs; /* its answer may be large, and is awaited */
};

/*
 * Most is the setting request_memory in bytes.  Memory gives the bytes that
 * requests and answers take now.  While stopping is true no call waits.
 */
struct budget *budget_new(struct event_base *base, size_t most,
    const bool *stopping, size_t (*memory)(void *owner), void *owner);

/* Accepts NULL; no call must wait any more. */
void budget_free(struct budget *budget);

/*
 * Before the call.  Calls decided, now or later, and not when budget_end()
 * comes before.  It does not pass when memory is spent.  A call whose answer
 * may be large waits instead.
 */
void budget_begin(struct budget *budget, struct budget_call *call, bool large);

/* The call has its outcome, whether or not it was begun. */
void budget_end(struct budget *budget, struct budget_call *call);

#endif
