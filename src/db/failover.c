#include "base/clock.h"
#include "db/failover.h"

void
failover_hear(struct failover *failover, const struct session *session)
{
	if (session_is_settled(session))
		failover->heard = clock_microseconds();
}

void
failover_note_answer(struct failover *failover, const struct query *query)
{
	if (query->settled)
		failover->answered = clock_microseconds();
}

bool
failover_has_answered(
    const struct failover *failover, const struct session *session)
{
	return (failover->answered >= session_since(session));
}

bool
failover_was_heard(
    const struct failover *failover, const struct session *session)
{
	return (failover->heard >= session_since(session));
}

bool
failover_is_due(const struct failover *failover, struct session *session)
{
	if (!session_is_settled(session) &&
	    failover_has_answered(failover, session))
		return (false);
	return (session_settle(session));
}
