#include <event2/buffer.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <string.h>

#include "local.h"
#include "request.h"
#include "service.h"

#define LOCAL_MONTHS_AHEAD 2 /* fewer are a reason to warn */
#define LOCAL_SEAL_LAG 60 /* as are more seconds, or seals */

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

/* None of these keeps the service from serving yet, but will in the end. */
static void
local_ready_audit(struct request *request, const struct seal_state *audit)
{
	const char *warning = NULL;

	if (!audit->known)
		warning = "nothing is known of the audit yet";
	else if (audit->months_ahead < LOCAL_MONTHS_AHEAD)
		warning = "the audit runs out of partitions";
	else if (audit->lag > LOCAL_SEAL_LAG)
		warning = "the audit is not sealed";
	else if (audit->unanchored > LOCAL_SEAL_LAG)
		warning = "seals are not anchored";
	evbuffer_add_printf(request->body,
	    "{\"audit\":{\"months_ahead\":%" PRId64 ",\"seal_lag\":%" PRId64
	    ",\"unanchored\":%" PRId64 "},\"status\":\"ready\"",
	    audit->months_ahead, audit->lag, audit->unanchored);
	if (warning != NULL)
		evbuffer_add_printf(
		    request->body, ",\"warning\":\"%s\"", warning);
	evbuffer_add_printf(request->body, "}");
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
		local_ready_audit(request, &request->service->audit);
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
