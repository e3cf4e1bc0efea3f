#include <stddef.h>

#include "http/phase.h"

/* For a client to read its answer while it still sends, until it is cut. */
#define PHASE_LINGER_MS 2000

void
phases_init(struct phases *phases, const struct settings *settings)
{
	int64_t *limits = phases->limits;
	size_t phase;

	for (phase = 0; phase < PHASES; phase++) {
		TAILQ_INIT(&phases->lists[phase]);
		limits[phase] = 0;
	}
	limits[PHASE_PROXY] = settings->header_timeout * 1000;
	limits[PHASE_HANDSHAKE] = settings->header_timeout * 1000;
	limits[PHASE_IDLE] = settings->idle_timeout * 1000;
	limits[PHASE_HEAD] = settings->header_timeout * 1000;
	limits[PHASE_EXPECTS] = settings->body_timeout * 1000;
	limits[PHASE_BODY] = settings->body_timeout * 1000;
	limits[PHASE_ANSWER] = settings->send_timeout * 1000;
	limits[PHASE_LINGER] = PHASE_LINGER_MS;
}

static void
phase_insert(struct phases *phases, struct phase_member *member,
    enum phase phase, int64_t now)
{
	TAILQ_INSERT_TAIL(&phases->lists[phase], member, entry);
	member->phase = phase;
	member->since = now;
}

void
phase_begin(struct phases *phases, struct phase_member *member, int64_t now)
{
	phase_insert(phases, member, PHASE_NEW, now);
}

void
phase_enter(struct phases *phases, struct phase_member *member,
    enum phase phase, int64_t now)
{
	phase_leave(phases, member);
	phase_insert(phases, member, phase, now);
}

void
phase_leave(struct phases *phases, struct phase_member *member)
{
	TAILQ_REMOVE(&phases->lists[member->phase], member, entry);
}

struct phase_member *
phase_oldest(const struct phases *phases, enum phase phase)
{
	return (TAILQ_FIRST(&phases->lists[phase]));
}

bool
phase_is_overdue(
    const struct phases *phases, const struct phase_member *member, int64_t now)
{
	const int64_t limit = phases->limits[member->phase];

	return (limit > 0 && now - member->since >= limit);
}

bool
phase_reads(enum phase phase)
{
	return (phase >= PHASE_HANDSHAKE && phase <= PHASE_BODY);
}

bool
phase_ends(enum phase phase)
{
	return (phase >= PHASE_CUT);
}
