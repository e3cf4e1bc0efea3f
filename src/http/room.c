#include <stddef.h>

#include "http/room.h"

/* What has just come is spared, and not all go at once. */
#define ROOM_FRESH_MS 1000
#define ROOM_MOST 16

/* Where unauthenticated connections may be cut, in this order. */
static const enum phase room_phases[] = {
	PHASE_HANDSHAKE,
	PHASE_PROXY,
	PHASE_IDLE,
	PHASE_HEAD,
	PHASE_EXPECTS,
	PHASE_BODY,
};

struct room {
	struct phases *phases;
	const struct peer *peer; /* NULL: of any */
	int64_t now;
	room_cut *cut;
	size_t wanted;
	size_t made;
	bool spared; /* some have just come, or end anyhow */
};

static void
room_cut_in(struct room *room, enum phase phase, bool authenticated)
{
	struct phase_member *member, *next;

	for (member = phase_oldest(room->phases, phase);
	     member != NULL && room->made < room->wanted; member = next) {
		next = TAILQ_NEXT(member, entry);
		if (member->authenticated != authenticated ||
		    (room->peer != NULL && member->peer != room->peer))
			continue;
		if (room->now - member->since < ROOM_FRESH_MS) {
			room->spared = true;
			break;
		}
		room->cut(member);
		room->made++;
	}
}

static void
room_cut_all(struct room *room)
{
	size_t i;

	for (i = 0; i < sizeof(room_phases) / sizeof(room_phases[0]); i++)
		room_cut_in(room, room_phases[i], false);
	if (room->made == 0 && !room->spared)
		room_cut_in(room, PHASE_IDLE, true);
}

void
room_make(struct phases *phases, int64_t now, room_cut *cut)
{
	struct room room = {
		.phases = phases,
		.now = now,
		.cut = cut,
		.wanted = ROOM_MOST,
	};

	/* What is about to end makes room as well. */
	room.spared = phase_oldest(phases, PHASE_CUT) != NULL ||
	    phase_oldest(phases, PHASE_LEFT) != NULL ||
	    phase_oldest(phases, PHASE_LINGER) != NULL;
	room_cut_all(&room);
}

bool
room_make_of(
    struct phases *phases, const struct peer *peer, int64_t now, room_cut *cut)
{
	struct room room = {
		.phases = phases,
		.peer = peer,
		.now = now,
		.cut = cut,
		.wanted = 1,
	};

	room_cut_all(&room);
	return (room.made > 0);
}

void
room_shed(struct phases *phases, int64_t now, room_cut *cut)
{
	struct phase_member *member;
	size_t shed;

	for (shed = 0; shed < ROOM_MOST; shed++) {
		member = phase_oldest(phases, PHASE_ANSWER);
		if (member == NULL || now - member->since < ROOM_FRESH_MS)
			return;
		cut(member);
	}
}
