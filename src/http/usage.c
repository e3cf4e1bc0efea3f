#include "http/usage.h"

/* While its call runs: its document, the parameters, and libpq's copy. */
#define USAGE_REQUEST_COPIES 3
/* One part in so many of the memory; the rest is for answers. */
#define USAGE_BODIES_SHARE 2
#define USAGE_UNAUTHENTICATED_SHARE 4

void
usage_set_request(
    struct usage *usage, struct usage_share *share, size_t held, size_t given)
{
	usage->requests -= share->request;
	share->request = held + given * USAGE_REQUEST_COPIES;
	usage->requests += share->request;
}

void
usage_change_answer(
    struct usage *usage, struct usage_share *share, size_t added, size_t sent)
{
	usage->answers += added - sent;
	share->answer += added - sent;
}

void
usage_leave(struct usage *usage, struct usage_share *share)
{
	usage->requests -= share->request;
	usage->answers -= share->answer;
	*share = (struct usage_share){ .request = 0 };
}

bool
usage_fits_body(const struct usage *usage, bool authenticated)
{
	return (usage->requests <= usage->most /
		(authenticated ? USAGE_BODIES_SHARE
			       : USAGE_UNAUTHENTICATED_SHARE));
}

size_t
usage_total(const struct usage *usage)
{
	return (usage->requests + usage->answers);
}

bool
usage_is_over(const struct usage *usage)
{
	return (usage_total(usage) > usage->most);
}
