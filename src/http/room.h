/*
 * Which connections end to make room for others: at the cap of all
 * connections, at the cap of one address, and when answers take too much
 * memory.
 *
 * A connection whose call runs, and one that entered its phase less than a
 * second ago, is spared.
 */
#ifndef COFFER_ROOM_H
#define COFFER_ROOM_H

#include <stdbool.h>
#include <stdint.h>

#include "http/phase.h"

/* Ends a connection; moves it to another phase. */
typedef void room_cut(struct phase_member *member);

/*
 * Cuts up to 16 connections: first those on which no call was authenticated,
 * the oldest of each phase first.  When there are none, and none is about to
 * end, cuts authenticated ones that are idle.
 */
void room_make(struct phases *phases, int64_t now, room_cut *cut);

/* Cuts one connection of an address by the same order; false: none may go. */
bool room_make_of(struct phases *phases, const struct peer *peer, int64_t now,
    room_cut *cut) __attribute__((warn_unused_result));

/* Cuts up to 16 connections whose clients take longest to read an answer. */
void room_shed(struct phases *phases, int64_t now, room_cut *cut);

#endif
