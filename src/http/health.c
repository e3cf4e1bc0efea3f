#include <event2/buffer.h>
#include <json-c/json.h>
#include <string.h>

#include "http/health.h"
#include "http/request.h"
#include "readiness.h"
#include "service.h"

static void
local_say(struct request *request, struct json_object *body)
{
	evbuffer_add_printf(request->body, "%s",
	    json_object_to_json_string_ext(
		body, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(body);
}

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
	local_say(request, body);
}

/* The process runs and its loop turns: that is all that this says. */
static void
local_live(struct request *request)
{
	request->status = 200;
	evbuffer_add_printf(request->body, "{\"status\":\"live\"}");
}

static struct json_object *
local_audit(const struct seal_state *state)
{
	struct json_object *audit = json_object_new_object();

	json_object_object_add(
	    audit, "anchor_lag", json_object_new_int64(state->anchor_lag));
	json_object_object_add(
	    audit, "months_ahead", json_object_new_int64(state->months_ahead));
	json_object_object_add(
	    audit, "seal_lag", json_object_new_int64(state->lag));
	json_object_object_add(
	    audit, "unanchored", json_object_new_int64(state->unanchored));
	json_object_object_add(
	    audit, "unsealed", json_object_new_int64(state->unsealed));
	return (audit);
}

static void
local_ready(struct request *request)
{
	const struct seal_state *audit = &request->service->audit;
	const char *reason = readiness_reason(request->service);
	struct json_object *body = json_object_new_object();

	if (reason == NULL && audit->known)
		json_object_object_add(body, "audit", local_audit(audit));
	if (reason != NULL)
		json_object_object_add(
		    body, "reason", json_object_new_string(reason));
	json_object_object_add(body, "status",
	    json_object_new_string(reason == NULL ? "ready" : "not ready"));
	if (reason == NULL)
		json_object_object_add(
		    body, "warnings", readiness_warnings(request->service));
	request->status = reason == NULL ? 200 : 503;
	local_say(request, body);
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
health_request(struct request *request)
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
