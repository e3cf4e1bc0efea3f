#include <event2/buffer.h>
#include <stdio.h>
#include <string.h>
#include <uuid/uuid.h>

#include "base/clock.h"
#include "base/memory.h"
#include "call/authenticate.h"
#include "call/document.h"
#include "http/connection.h"
#include "http/health.h"
#include "http/rate.h"
#include "http/request.h"
#include "http/respond.h"
#include "service.h"

static struct request *
request_new(struct service *service, struct evhttp_request *http,
    struct connection *connection)
{
	const struct settings *settings = &service->settings;
	struct request *request = memory_new(sizeof(*request));
	uuid_t id;

	request->service = service;
	request->http = http;
	request->connection = connection;
	request->fault = connection_fault(connection);
	request->arrived = clock_microseconds();
	request->body = evbuffer_new();
	uuid_generate_random(id);
	uuid_unparse_lower(id, request->id);
	address_of_client(connection_peer(connection), http,
	    settings->trusted_proxies, settings->proxy_header, request->ip);
	return (request);
}

/* What belongs to a request dies here and nowhere else. */
static void
request_free(struct request *request)
{
	call_free(&request->call);
	json_object_put(request->document);
	document_value_free(&request->data);
	document_value_free(&request->plaintext);
	document_value_free(&request->ciphertext);
	document_value_free(&request->associated_data);
	if (request->body != NULL)
		evbuffer_free(request->body);
	memory_wipe_free(request, sizeof(*request));
	memory_wipe_registers();
}

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

static bool
request_is_sound(struct request *request)
{
	if (request->fault == NULL)
		return (true);
	return (request_refuse_saying(
	    request, request->fault->error, request->fault->fault));
}

/* The one way out of every request. */
static void
request_answered(struct request *request)
{
	if (rate_is_authenticated(request))
		connection_authenticated(request->connection);
	respond_request(request, clock_microseconds() - request->arrived);
	rate_outcome(request);
	budget_leave(request);
	request_free(request);
}

static void
request_admitted(struct request *request, bool passes)
{
	if (!passes || !call_request(request))
		request_answered(request);
}

static void
request_rated(struct request *request, bool passes)
{
	if (!passes || !document_request(request))
		request_answered(request);
	else
		budget_request(request, request_admitted);
}

/*
 * A step that returns false has set the error, and done nothing else.  A call
 * that runs ends in request_answered by itself, and so does one that has waited
 * for its rate until its deadline.
 */
void
request_start(struct service *service, struct evhttp_request *http,
    struct connection *connection)
{
	struct request *request = request_new(service, http, connection);

	if (!request_is_sound(request) || !route_request(request))
		request_answered(request);
	else if (health_request(request))
		request_answered(request);
	else if (!authenticate_request(request))
		request_answered(request);
	else {
		call_begin(request, request_answered);
		rate_request(request, request_rated);
	}
}
