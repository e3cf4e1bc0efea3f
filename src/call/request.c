#include <stdio.h>

#include "base/log.h"
#include "call/request.h"

bool
request_refuse(struct request *request, enum error_id error)
{
	request->error = &errors[error];
	return (false);
}

bool
request_refuse_saying(
    struct request *request, enum error_id error, const char *argument)
{
	snprintf(request->argument, sizeof(request->argument), "%s", argument);
	return (request_refuse(request, error));
}

bool
request_refuse_argument(struct request *request, const char *argument)
{
	return (request_refuse_saying(request, ERROR_ARGUMENT, argument));
}

enum request_next
request_fail(struct request *request, const char *event)
{
	log_error(event, log_text("id", request->id));
	request_refuse(request, ERROR_INTERNAL);
	return (REQUEST_ENDS);
}

bool
request_activate(
    struct request *request, struct keyring *keyring, const char *root_id)
{
	if (keyring_activate(keyring, root_id))
		return (true);
	log_error("the active root key is not loaded",
	    log_text("id", request->id), log_text("root_id", root_id));
	return (request_refuse(request, ERROR_UNAVAILABLE));
}
