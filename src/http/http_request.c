#include <event2/buffer.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <stdio.h>
#include <string.h>
#include <uuid/uuid.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/settings.h"
#include "call/authenticate.h"
#include "call/budget.h"
#include "call/call.h"
#include "call/request.h"
#include "http/connection.h"
#include "http/health.h"
#include "http/http_head.h"
#include "http/http_request.h"
#include "http/rate.h"
#include "http/respond.h"

#define HTTP_REQUEST_TOKEN "X-Auth-Token"
#define HTTP_REQUEST_UNAUTHENTICATED 401
#define HTTP_REQUEST_REFUSED 400 /* and above */

struct http_request {
	struct request request; /* stands first: see http_request_of() */
	const struct http_request_context *context;
	struct evhttp_request *evhttp;
	struct connection *connection; /* until it is answered */
	const struct http_head *fault; /* NULL: it is well-formed */
	struct rate_call rate;
	struct budget_call budget;
};

static struct http_request *
http_request_of(struct request *request)
{
	return ((struct http_request *)request);
}

static void http_request_accepted(struct request *request);
static void http_request_answered(struct request *request);
static void http_request_rated(void *owner, bool passes);
static void http_request_admitted(void *owner, bool passes);

static void
http_request_identify(struct http_request *http)
{
	const struct settings *settings = http->context->settings;
	struct request *request = &http->request;
	uuid_t id;

	uuid_generate_random(id);
	uuid_unparse_lower(id, request->id);
	address_of_client(connection_peer(http->connection), http->evhttp,
	    settings->trusted_proxies, settings->proxy_header, request->ip);
	request->target = evhttp_request_get_uri(http->evhttp);
	request->arrived = clock_microseconds();
}

static struct http_request *
http_request_new(const struct http_request_context *context,
    struct evhttp_request *evhttp, struct connection *connection)
{
	struct http_request *http = memory_new(sizeof(*http));
	struct request *request = &http->request;

	http->context = context;
	http->evhttp = evhttp;
	http->connection = connection;
	http->fault = connection_fault(connection);
	http_request_identify(http);
	request->body = evbuffer_new();
	request->accepted = http_request_accepted;
	request->answered = http_request_answered;
	http->rate.rates = context->rates;
	http->rate.digest = request->digest;
	http->rate.address = request->ip;
	http->rate.arrived = request->arrived;
	http->rate.decided = http_request_rated;
	http->rate.owner = http;
	http->budget.decided = http_request_admitted;
	http->budget.owner = http;
	return (http);
}

/* What belongs to a request is freed here and nowhere else. */
static void
http_request_free(struct http_request *http)
{
	call_free(http->request.call);
	document_free(&http->request.document);
	if (http->request.body != NULL)
		evbuffer_free(http->request.body);
	memory_wipe_free(http, sizeof(*http));
	memory_wipe_registers();
}

/* Outcomes --------------------------------------------------------------- */

static enum rate_outcome
http_request_outcome(const struct request *request)
{
	const int status =
	    request->error != NULL ? request->error->status : request->status;

	if (status == HTTP_REQUEST_UNAUTHENTICATED)
		return (RATE_DENIED);
	if (!request->has_receipt)
		return (RATE_UNKNOWN);
	return (status >= HTTP_REQUEST_REFUSED ? RATE_REFUSED : RATE_SERVED);
}

static void
http_request_accepted(struct request *request)
{
	rate_accept(&http_request_of(request)->rate);
}

/* The one way out of every request. */
static void
http_request_answered(struct request *request)
{
	struct http_request *http = http_request_of(request);
	const struct http_request_context *context = http->context;
	const enum rate_outcome outcome = http_request_outcome(request);

	if (outcome == RATE_REFUSED || outcome == RATE_SERVED)
		connection_authenticated(http->connection);
	respond_request(request, http->evhttp,
	    http->fault != NULL ? http->fault->fault : NULL,
	    http->fault != NULL || *context->stopping);
	rate_end(&http->rate, outcome);
	budget_end(context->budget, &http->budget);
	http_request_free(http);
}

/* Steps ------------------------------------------------------------------ */

static bool
http_request_is_sound(struct http_request *http)
{
	if (http->fault == NULL)
		return (true);
	return (request_refuse_saying(
	    &http->request, http->fault->error, http->fault->fault));
}

static bool
http_request_route(struct http_request *http)
{
	const struct settings *settings = http->context->settings;
	const char *path =
	    evhttp_uri_get_path(evhttp_request_get_evhttp_uri(http->evhttp));
	struct route *route = &http->request.route;

	if (path != NULL)
		route_find(
		    evhttp_request_get_command(http->evhttp), path, route);
	if (route->methods == 0 ||
	    !route_takes_region(
		route, settings->regions, settings->regions_listed_empty))
		return (request_refuse(&http->request, ERROR_NO_ROUTE));
	if (route->endpoint == NULL)
		return (request_refuse(&http->request, ERROR_NO_METHOD));
	return (true);
}

/* Wipes all tokens.  With two tokens it is unknown who calls. */
static bool
http_request_authenticate(struct http_request *http)
{
	const struct evkeyvalq *headers =
	    evhttp_request_get_input_headers(http->evhttp);
	struct request *request = &http->request;
	struct evkeyval *header;
	size_t found = 0;
	bool sound = false;

	if (!keyring_has_pepper(http->context->keyring))
		return (request_refuse(request, ERROR_UNAVAILABLE));
	for (header = headers->tqh_first; header != NULL;
	     header = header->next.tqe_next) {
		if (strcasecmp(header->key, HTTP_REQUEST_TOKEN) != 0)
			continue;
		found++;
		sound = authenticate(
		    header->value, http->context->keyring, request->digest);
	}
	if (found == 0)
		return (request_refuse(request, ERROR_NO_TOKEN));
	if (found > 1 || !sound)
		return (request_refuse(request, ERROR_BAD_TOKEN));
	return (true);
}

static bool
http_request_document(struct http_request *http)
{
	const struct http_request_context *context = http->context;
	struct request *request = &http->request;
	const struct document_source source = {
		.id = request->id,
		.instance = context->instance,
		.ip = request->ip,
		.domain = context->settings->domain,
		.user_agent = evhttp_find_header(
		    evhttp_request_get_input_headers(http->evhttp),
		    "User-Agent"),
		.query = evhttp_uri_get_query(
		    evhttp_request_get_evhttp_uri(http->evhttp)),
		.route = &request->route,
		.body = evhttp_request_get_input_buffer(http->evhttp),
	};

	if (document_build(&request->document, &source))
		return (true);
	return (request_refuse_argument(request, request->document.refused));
}

static void
http_request_admitted(void *owner, bool passes)
{
	struct http_request *http = owner;
	struct request *request = &http->request;

	if (!passes)
		request_refuse(request, ERROR_UNAVAILABLE);
	if (!passes || !call_send(request))
		http_request_answered(request);
}

static void
http_request_rated(void *owner, bool passes)
{
	struct http_request *http = owner;
	struct request *request = &http->request;
	char quota[24];

	if (!passes) {
		snprintf(quota, sizeof(quota), "%ld", http->rate.quota);
		request_refuse_saying(request, ERROR_TOO_MANY, quota);
	}
	if (!passes || !http_request_document(http))
		http_request_answered(request);
	else
		budget_begin(http->context->budget, &http->budget,
		    (request->route.endpoint->flags & ENDPOINT_LARGE) != 0);
}

/*
 * A step that returns false has set the error, and done nothing else.  A call
 * that runs ends in http_request_answered() by itself, and so does one that has
 * waited for its rate until its deadline.
 */
void
http_request_start(
    void *context, struct evhttp_request *evhttp, struct connection *connection)
{
	struct http_request *http =
	    http_request_new(context, evhttp, connection);
	struct request *request = &http->request;

	if (!http_request_is_sound(http) || !http_request_route(http))
		http_request_answered(request);
	else if (health_answer(http->context->health, request->route.endpoint,
		     &request->status, request->body))
		http_request_answered(request);
	else if (!http_request_authenticate(http))
		http_request_answered(request);
	else {
		call_begin(http->context->calls, request);
		rate_begin(&http->rate);
	}
}
