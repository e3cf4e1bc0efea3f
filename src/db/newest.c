#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "db/newest.h"

/* The number that no transaction of a call is below; -1: it is too long ago. */
static int64_t
newest_xid_from(const struct newest *newest, int64_t arrived)
{
	const struct newest_mark *mark;
	int64_t xid = -1;
	size_t i;

	for (i = 0; i < NEWEST_MARKS; i++) {
		mark = &newest->marks[i];
		if (mark->at != 0 && mark->at <= arrived && mark->xid > xid)
			xid = mark->xid;
	}
	return (xid);
}

void
newest_receipt(struct newest *newest, int64_t id, const unsigned char *hash,
    int64_t arrived)
{
	struct newest_receipts *fresh = &newest->fresh;
	const int64_t xid_from = newest_xid_from(newest, arrived);

	/* Without a place the database would look for it without end. */
	if (newest->epoch == 0 || xid_from < 0)
		return;
	if (fresh->count == 0 || id < fresh->first)
		fresh->first = id;
	if (fresh->count == 0 || id > fresh->last)
		fresh->last = id;
	fresh->count++;
	fresh->id = id;
	memcpy(fresh->hash, hash, sizeof(fresh->hash));
	fresh->xid_from = xid_from;
	fresh->at = clock_microseconds();
}

/* What has come before the state was asked for has ended below its end. */
static void
newest_age(struct newest *newest, const struct newest_state *state)
{
	struct newest_receipts *fresh = &newest->fresh, *aged = &newest->aged;

	if (aged->count > 0 && newest->sealed_to >= aged->xid_to)
		aged->count = 0;
	if (fresh->count == 0 || fresh->at >= state->asked)
		return;
	fresh->xid_to = state->xid_end;
	if (aged->count > 0) {
		fresh->count += aged->count;
		if (aged->first < fresh->first)
			fresh->first = aged->first;
		if (aged->last > fresh->last)
			fresh->last = aged->last;
	}
	*aged = *fresh;
	memset(fresh, 0, sizeof(*fresh));
}

void
newest_begin(struct newest *newest, int64_t epoch)
{
	if (epoch <= newest->epoch)
		return;
	memset(newest, 0, sizeof(*newest));
	newest->epoch = epoch;
}

void
newest_state(struct newest *newest, const struct newest_state *state)
{
	struct newest_mark *mark;

	newest_begin(newest, state->epoch);
	/* It has gone back: that is for the next handshake to find. */
	if (state->epoch < newest->epoch || state->seal < newest->seal)
		return;
	newest->seal = state->seal;
	memcpy(newest->seal_hash, state->seal_hash, sizeof(newest->seal_hash));
	newest->sealed_to = state->sealed_to;
	newest_age(newest, state);
	mark = &newest->marks[newest->mark];
	mark->at = state->answered;
	mark->xid = state->xid_end;
	newest->mark = (newest->mark + 1) % NEWEST_MARKS;
}

/* The receipt that came last, and how many there are with it. */
static size_t
newest_text_receipts(const struct newest *newest, char *text, size_t size)
{
	const struct newest_receipts *fresh = &newest->fresh;
	const struct newest_receipts *aged = &newest->aged;
	const struct newest_receipts *last = fresh->count > 0 ? fresh : aged;
	char hash[2 * CRYPTO_SHA256_SIZE + 1], xid_to[24] = "null";
	int64_t first = last->first, highest = last->last;

	if (last->count == 0)
		return (0);
	if (aged->count > 0 && aged->first < first)
		first = aged->first;
	if (aged->count > 0 && aged->last > highest)
		highest = aged->last;
	crypto_hex(last->hash, CRYPTO_SHA256_SIZE, hash);
	if (last->xid_to != 0)
		snprintf(xid_to, sizeof(xid_to), "%" PRId64, last->xid_to);
	return ((size_t)snprintf(text, size,
	    ",\"receipt\":%" PRId64 ",\"receipt_hash\":\"%s\",\"xid_from\":"
	    "%" PRId64 ",\"xid_to\":%s,\"receipts\":%" PRIu64
	    ",\"first\":%" PRId64 ",\"last\":%" PRId64,
	    last->id, hash, last->xid_from, xid_to, fresh->count + aged->count,
	    first, highest));
}

bool
newest_text(const struct newest *newest, char text[NEWEST_TEXT_SIZE])
{
	char hash[2 * CRYPTO_SHA256_SIZE + 1];
	size_t used;

	if (newest->epoch == 0)
		return (false);
	crypto_hex(newest->seal_hash, CRYPTO_SHA256_SIZE, hash);
	used = (size_t)snprintf(
	    text, NEWEST_TEXT_SIZE, "{\"epoch\":%" PRId64, newest->epoch);
	if (newest->sealed_to != 0)
		used += (size_t)snprintf(text + used, NEWEST_TEXT_SIZE - used,
		    ",\"seal\":%" PRId64 ",\"seal_hash\":\"%s\"", newest->seal,
		    hash);
	used +=
	    newest_text_receipts(newest, text + used, NEWEST_TEXT_SIZE - used);
	snprintf(text + used, NEWEST_TEXT_SIZE - used, "}");
	return (true);
}
