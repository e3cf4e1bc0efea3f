#include "base/gcra.h"

#define GCRA_SECOND INT64_C(1000000000)

struct gcra
gcra_of(long quota, long burst)
{
	struct gcra gcra = { .quota = quota };

	if (quota > 0) {
		gcra.interval = GCRA_SECOND / quota;
		gcra.whole = gcra.interval * burst;
	}
	return (gcra);
}

bool
gcra_is_empty(const struct gcra *gcra, int64_t full, int64_t now)
{
	return (gcra->quota > 0 && full + gcra->interval > now + gcra->whole);
}

int64_t
gcra_take(const struct gcra *gcra, int64_t full, int64_t now)
{
	if (full < now)
		full = now;
	full += gcra->interval;
	if (full > now + gcra->whole)
		full = now + gcra->whole;
	return (full);
}

int64_t
gcra_give_back(const struct gcra *gcra, int64_t full)
{
	return (full - gcra->interval);
}
