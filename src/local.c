#include <event2/buffer.h>
#include <json-c/json.h>
#include <string.h>

#include "local.h"
#include "request.h"
#include "service.h"

static void
local_metadata(struct request *request)
{
	const struct settings *settings = &request->service->settings;
	struct json_object *body = json_object_new_object();

	json_object_object_add(
	    body, "platform", json_object_new_string("external"));
	json_object_object_add(
	    body, "partition", json_object_new_string(settings->partition));
	json_object_object_add(
	    body, "domain", json_object_new_string(settings->domain));
	request->status = 200;
	evbuffer_add_printf(request->body, "%s",
	    json_object_to_json_string_ext(
		body, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(body);
}

/* The process runs and its loop turns: that is all that this says. */
static void
local_live(struct request *request)
{
	request->status = 200;
	evbuffer_add_printf(request->body, "{\"status\":\"live\"}");
}

const char *
local_not_ready(const struct service *service)
{
	if (service->draining)
		return ("stopping");
	if (!pool_is_ready(service->pool))
		return ("no fit database connection");
	return (NULL);
}

static void
local_ready(struct request *request)
{
	const char *reason = local_not_ready(request->service);

	request->status = reason == NULL ? 200 : 503;
	if (reason == NULL)
		evbuffer_add_printf(request->body, "{\"status\":\"ready\"}");
	else
		evbuffer_add_printf(request->body,
		    "{\"reason\":\"%s\",\"status\":\"not ready\"}", reason);
}

static const struct local {
	const char *function;
	void (*answer)(struct request *request);
} locals[] = {
	{ "metadata", local_metadata },
	{ "live", local_live },
	{ "ready", local_ready },
};

bool
local_request(struct request *request)
{
	const struct endpoint *endpoint = request->route.endpoint;
	size_t i;

	if ((endpoint->flags & ENDPOINT_LOCAL) == 0)
		return (false);
	for (i = 0; i < sizeof(locals) / sizeof(locals[0]); i++) {
		if (strcmp(locals[i].function, endpoint->function) == 0)
			locals[i].answer(request);
	}
	return (true);
}
