#include "db/share.h"

#define SHARE_LISTS 4 /* lists use one connection in so many */

static void
share_add(struct share *share, enum query_kind kind, long connections)
{
	switch (kind) {
	case QUERY_GROUPING:
		share->reading += connections;
		break;
	case QUERY_LISTING:
		share->listing += connections;
		break;
	case QUERY_SEARCHING:
		share->searching += connections;
		break;
	default:
		break;
	}
}

void
share_begin(struct share *share, enum query_kind kind)
{
	share_add(share, kind, 1);
}

void
share_end(struct share *share, enum query_kind kind)
{
	share_add(share, kind, -1);
}

/* A pool too small for a share of its own still runs one of each kind. */
enum query_kind
share_kinds(const struct share *share)
{
	const long slow = share->listing + share->searching;
	const long most = share->size / SHARE_LISTS;
	enum query_kind kinds = QUERY_ALONE;

	if (share->reading < share->reads)
		kinds |= QUERY_GROUPING;
	if (slow > 0 && slow >= share->size / 2)
		return (kinds);
	if (share->listing == 0 || share->listing < most)
		kinds |= QUERY_LISTING;
	if (share->searching == 0 || share->searching < most)
		kinds |= QUERY_SEARCHING;
	return (kinds);
}
