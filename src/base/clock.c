#include <time.h>

#include "base/clock.h"

int64_t
clock_microseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return ((int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000);
}

int64_t
clock_milliseconds(void)
{
	return (clock_microseconds() / 1000);
}

struct timeval
clock_timeval(long milliseconds)
{
	return ((struct timeval){
	    milliseconds / 1000, milliseconds % 1000 * 1000 });
}

int64_t
clock_apart(int64_t there, int64_t microseconds)
{
	int64_t ahead = there - (int64_t)time(NULL);

	if (ahead >= 0)
		return (ahead);
	ahead += microseconds / 1000000 + 1;
	return (ahead < 0 ? ahead : 0);
}
