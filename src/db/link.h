/*
 * One connection of the pool, from its connect to its close: a state machine.
 */
#ifndef COFFER_LINK_H
#define COFFER_LINK_H

#include <event2/event.h>
#include <stdbool.h>
#include <sys/queue.h>

#include "base/settings.h"
#include "db/dsn.h"
#include "db/failover.h"
#include "db/group.h"
#include "db/handshake.h"
#include "db/queue.h"

enum link_state {
	LINK_CLOSED,
	LINK_HANDSHAKE, /* connects, and is not found fit yet */
	LINK_FREE,
	LINK_RUNNING, /* runs a group */
	LINK_PREPARING, /* prepares all statements again, for its group */
	LINK_CLEANING, /* overwrites secrets in the buffers of libpq */
	LINK_EXAMINING, /* has the settings of its session checked again */
};

struct link;

/*
 * What the owner of the links is told, from the loop.  In each the owner may
 * run queries and close links.
 */
struct link_events {
	/* The handshake has ended well, and the link is free. */
	void (*opened)(void *owner, struct link *link);
	/* The handshake has refused the database, and the link is closed. */
	void (*refused)(void *owner, struct link *link);
	/* Nothing runs on the link any more; end is what did, if anything. */
	void (*ended)(void *owner, struct link *link, struct group_end *end);
};

/* What the links of one pool share. */
struct links {
	struct event_base *base;
	const struct settings *settings;
	struct dsn *dsn;
	struct handshake handshake; /* each link has a copy, with its session */
	struct failover *failover;
	const struct link_events *events;
	void *owner;
	/* Kept by the links; zero at first, but for TAILQ_INIT. */
	TAILQ_HEAD(link_list, link) free; /* the one used last is first */
	long free_count;
	long open; /* links whose handshake has ended well */
};

/* links, and what they point to, must outlive the link. */
struct link *link_new(struct links *links);
void link_free(struct link *link);

enum link_state link_state(const struct link *link);

/* Whether the handshake has ended well, and the link is not closed since. */
bool link_is_open(const struct link *link);

/* The session, to ask for its host. */
struct session *link_session(const struct link *link);

/* Why the handshake has refused the database; NULL: it has not. */
const char *link_fault(const struct link *link);

/* Whether it refused because a root key is not loaded. */
bool link_is_locked_out(const struct link *link);

/* Connects a closed link now, or after a delay that grows with each failure. */
void link_connect(struct link *link);
void link_connect_later(struct link *link);

/* Runs query, and those that group_gather() adds, on a free link. */
void link_run(struct link *link, struct query *query, struct queue *queue);

/* Forgets a query that runs on the link; what runs is left to end. */
void link_abandon(struct link *link, const struct query *query);

/* Overwrites secrets in the buffers of libpq, if the link is free. */
void link_clean(struct link *link);

/* Checks the session's settings, at once or when the link is free next. */
void link_examine(struct link *link);

/*
 * Closes a link and ends what runs with this outcome, GROUP_LOST or
 * GROUP_CLOSED.
 */
void link_close(struct link *link, enum group_outcome outcome);

#endif
