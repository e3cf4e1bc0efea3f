#include <event2/buffer.h>
#include <json-c/json.h>
#include <string.h>

#include "audit/seal.h"
#include "http/health.h"

static void
health_write(struct evbuffer *body, struct json_object *object)
{
	evbuffer_add_printf(body, "%s",
	    json_object_to_json_string_ext(object,
		JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(object);
}

static int
health_metadata(const struct health *health, struct evbuffer *body)
{
	struct json_object *object = json_object_new_object();

	json_object_object_add(
	    object, "platform", json_object_new_string("external"));
	json_object_object_add(
	    object, "partition", json_object_new_string(health->partition));
	json_object_object_add(
	    object, "domain", json_object_new_string(health->domain));
	health_write(body, object);
	return (200);
}

/* The process runs and its loop turns: that is all that this says. */
static int
health_live(const struct health *health, struct evbuffer *body)
{
	(void)health;
	evbuffer_add_printf(body, "{\"status\":\"live\"}");
	return (200);
}

static struct json_object *
health_audit(const struct seal_state *state)
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

static int
health_ready(const struct health *health, struct evbuffer *body)
{
	const char *reason = health->reason(health->owner);
	struct json_object *object = json_object_new_object();

	if (reason == NULL && health->audit->known)
		json_object_object_add(
		    object, "audit", health_audit(health->audit));
	if (reason != NULL)
		json_object_object_add(
		    object, "reason", json_object_new_string(reason));
	json_object_object_add(object, "status",
	    json_object_new_string(reason == NULL ? "ready" : "not ready"));
	if (reason == NULL)
		json_object_object_add(
		    object, "warnings", health->warnings(health->owner));
	health_write(body, object);
	return (reason == NULL ? 200 : 503);
}

static const struct health_endpoint {
	const char *function;
	int (*answer)(const struct health *health, struct evbuffer *body);
} health_endpoints[] = {
	{ "metadata", health_metadata },
	{ "live", health_live },
	{ "ready", health_ready },
};

#define HEALTH_ENDPOINTS \
	(sizeof(health_endpoints) / sizeof(health_endpoints[0]))

bool
health_answer(const struct health *health, const struct endpoint *endpoint,
    int *status, struct evbuffer *body)
{
	size_t i;

	if ((endpoint->flags & ENDPOINT_LOCAL) == 0)
		return (false);
	for (i = 0; i < HEALTH_ENDPOINTS; i++) {
		if (strcmp(health_endpoints[i].function, endpoint->function) ==
		    0)
			*status = health_endpoints[i].answer(health, body);
	}
	return (true);
}
