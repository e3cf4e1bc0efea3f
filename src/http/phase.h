/*
 * The phases of a connection: what it is doing, and until when it must have
 * done it.
 *
 * Each phase has a list of its connections, the oldest first.  Times are
 * milliseconds of any one clock that does not go back.
 */
#ifndef COFFER_PHASE_H
#define COFFER_PHASE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "base/settings.h"

struct peer;

enum phase {
	PHASE_NEW, /* evhttp has not given it its socket */
	PHASE_PROXY, /* a trusted proxy has to name its client first */
	PHASE_HANDSHAKE, /* TLS */
	PHASE_IDLE, /* no byte of a request has arrived */
	PHASE_HEAD, /* a request head is not complete */
	PHASE_EXPECTS, /* the client waits for 100, which is sent next */
	PHASE_BODY, /* a body is not complete */
	PHASE_CALL, /* evhttp has a request; the call has its own deadline */
	PHASE_ANSWER, /* its answer is sent, to the last byte */
	PHASE_CUT, /* shut down; evhttp has yet to notice */
	PHASE_LEFT, /* evhttp has freed its side */
	PHASE_LINGER, /* answered; the client may still send */
	PHASES,
};

/* A connection, as the list of its phase has it. */
struct phase_member {
	TAILQ_ENTRY(phase_member) entry;
	enum phase phase;
	int64_t since;
	bool authenticated; /* a call on it was */
	struct peer *peer; /* NULL: its address is not counted */
};

TAILQ_HEAD(phase_list, phase_member);

struct phases {
	struct phase_list lists[PHASES];
	int64_t limits[PHASES]; /* 0: none */
};

/* Sets the limits from the timeouts in settings. */
void phases_init(struct phases *phases, const struct settings *settings);

/* Adds a member, which is in no list, to PHASE_NEW. */
void
phase_begin(struct phases *phases, struct phase_member *member, int64_t now);

/* Moves a member to the end of a list; its time begins anew. */
void phase_enter(struct phases *phases, struct phase_member *member,
    enum phase phase, int64_t now);

/* Takes a member out of its list. */
void phase_leave(struct phases *phases, struct phase_member *member);

/* The member that has been in the phase longest; NULL: none. */
struct phase_member *
phase_oldest(const struct phases *phases, enum phase phase);

bool phase_is_overdue(const struct phases *phases,
    const struct phase_member *member, int64_t now);

/* Whether bytes that arrive in the phase belong to a request. */
bool phase_reads(enum phase phase);

/* Whether evhttp no longer reads in the phase, or is about to stop. */
bool phase_ends(enum phase phase);

#endif
