/*
 * A call that waits for a change, as long as its client has asked for.
 */
#ifndef COFFER_LONG_POLL_H
#define COFFER_LONG_POLL_H

#include <json-c/json.h>
#include <stdbool.h>

struct request;

/*
 * The door has no change yet: parks the call; or calls again, because there is
 * one since; or for the last time.
 */
void long_poll_wait(struct request *request, struct json_object *need);

/* Goes on with a call that was parked; last: it may not be parked again. */
void long_poll_resume(struct request *request, bool last);

#endif
