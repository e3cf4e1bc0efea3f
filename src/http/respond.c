#include <event2/buffer.h>
#include <event2/http.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/methods.h"
#include "base/metrics.h"
#include "call/request.h"
#include "http/respond.h"

/* Those that evhttp does not know. */
static const struct respond_reason {
	int status;
	const char *text;
} respond_reasons[] = {
	{ 423, "Locked" },
	{ 429, "Too Many Requests" },
	{ 431, "Request Header Fields Too Large" },
};

#define RESPOND_REASONS (sizeof(respond_reasons) / sizeof(respond_reasons[0]))

static const char *
respond_reason(int status)
{
	size_t i;

	for (i = 0; i < RESPOND_REASONS; i++) {
		if (respond_reasons[i].status == status)
			return (respond_reasons[i].text);
	}
	return (NULL); /* evhttp's own */
}

static void
respond_header(
    struct evhttp_request *evhttp, const char *name, const char *value)
{
	evhttp_add_header(
	    evhttp_request_get_output_headers(evhttp), name, value);
}

/* A method that HTTP does not have has come to no route. */
static unsigned int
respond_methods_of(const struct route *route)
{
	unsigned int allowed = route->methods;
	size_t i;

	for (i = 0; i < endpoints_count && route->methods == 0; i++)
		allowed |= endpoints[i].method;
	return (allowed);
}

static void
respond_allow(struct evhttp_request *evhttp, const struct route *route)
{
	const unsigned int allowed = respond_methods_of(route);
	char allow[64] = "";
	size_t used = 0, i;

	for (i = 0; i < methods_count; i++) {
		if (allowed & methods[i].type)
			used +=
			    (size_t)snprintf(allow + used, sizeof(allow) - used,
				"%s%s", used > 0 ? ", " : "", methods[i].name);
	}
	respond_header(evhttp, "Allow", allow);
}

/* What was said before an error, if anything, is not said. */
static void
respond_compose_error(struct request *request, struct evhttp_request *evhttp)
{
	const struct error *error = request->error;
	const char *argument = strstr(error->body, "%s");
	char seconds[16];

	request->status = error->status;
	evbuffer_drain(request->body, evbuffer_get_length(request->body));
	if (argument != NULL)
		evbuffer_add_printf(request->body, "%.*s%s%s",
		    (int)(argument - error->body), error->body,
		    request->argument, argument + strlen("%s"));
	else
		evbuffer_add_printf(request->body, "%s", error->body);
	if (error->retry_after > 0) {
		snprintf(seconds, sizeof(seconds), "%d", error->retry_after);
		respond_header(evhttp, "Retry-After", seconds);
	}
	if (error == &errors[ERROR_NO_METHOD])
		respond_allow(evhttp, &request->route);
}

static void
respond_compose_headers(
    const struct request *request, struct evhttp_request *evhttp, bool closes)
{
	size_t size = evbuffer_get_length(request->body);
	char text[32];

	/* evhttp leaves the length out for HTTP/1.0. */
	if (size > 0) {
		snprintf(text, sizeof(text), "%zu", size);
		respond_header(evhttp, "Content-Type", "application/json");
		respond_header(evhttp, "Content-Length", text);
	}
	respond_header(evhttp, "X-Request-Id", request->id);
	if (request->has_receipt) {
		snprintf(text, sizeof(text), "%" PRId64, request->receipt);
		respond_header(evhttp, "X-Audit-Id", text);
	}
	respond_header(evhttp, "X-Content-Type-Options", "nosniff");
	respond_header(evhttp, "Cache-Control", "no-store");
	if (closes)
		respond_header(evhttp, "Connection", "close");
}

/* Before the reply: a receipt is on record when its plaintext leaves. */
static void
respond_log(
    const struct request *request, const char *method, int64_t microseconds)
{
	const struct endpoint *endpoint = request->route.endpoint;
	const char *function = endpoint != NULL ? endpoint->function : NULL;

	if (request->has_receipt)
		log_evidence("receipt", log_text("id", request->id),
		    log_text("method", method), log_text("endpoint", function),
		    log_number("status", request->status),
		    log_number("receipt", request->receipt),
		    log_hex("receipt_hash", request->receipt_hash,
			sizeof(request->receipt_hash)),
		    log_number("microseconds", microseconds),
		    log_text("ip", request->ip));
	else
		log_info("request", log_text("id", request->id),
		    log_text("method", method), log_text("endpoint", function),
		    log_number("status", request->status),
		    log_number("microseconds", microseconds),
		    log_text("ip", request->ip));
}

static void
respond_log_fault(const struct request *request, const char *fault)
{
	log_info("request refused", log_text("id", request->id),
	    log_number("status", request->status), log_text("fault", fault),
	    log_text("ip", request->ip));
}

void
respond_request(struct request *request, struct evhttp_request *evhttp,
    const char *fault, bool closes)
{
	const enum evhttp_cmd_type type = evhttp_request_get_command(evhttp);
	const int64_t microseconds = clock_microseconds() - request->arrived;

	if (request->error != NULL)
		respond_compose_error(request, evhttp);
	respond_compose_headers(request, evhttp, closes);
	if (fault != NULL)
		respond_log_fault(request, fault);
	else
		respond_log(request, method_name(type), microseconds);
	metrics_request(request->route.endpoint, request->status, microseconds,
	    request->body);
	if (type == EVHTTP_REQ_HEAD)
		evbuffer_drain(
		    request->body, evbuffer_get_length(request->body));
	/* Safe also when the client has gone: evhttp frees the request. */
	evhttp_send_reply(evhttp, request->status,
	    respond_reason(request->status), request->body);
}
