#include <event2/buffer.h>
#include <string.h>

#include "base/log.h"
#include "base/memory.h"
#include "call/call.h"
#include "call/challenge.h"
#include "call/key_use.h"
#include "db/columns.h"
#include "db/failover.h"
#include "db/pool.h"
#include "db/probe.h"
#include "http/request.h"
#include "service.h"

/*
 * For the key, for a KEK that another daemon makes meanwhile, and alone; the
 * others for keys that rotate between two rounds.  With more than that, the
 * client may try again later: nothing has happened.
 */
#define CALL_ROUNDS_MAX 8

/* Rounds ----------------------------------------------------------------- */

/* Says in the document whether the call may share its transaction ... */
static void
call_describe_group(struct request *request)
{
	if (request->call.query.groups)
		json_object_object_add(request->document, "grouped",
		    json_object_new_boolean(true));
	else
		json_object_object_del(request->document, "grouped");
}

/* ... and whether it is to be done once, however often it is sent. */
static void
call_describe_once(struct request *request)
{
	if (request->call.query.once)
		json_object_object_add(
		    request->document, "once", json_object_new_boolean(true));
}

static struct session_parameter
call_bytes(const void *bytes, size_t size)
{
	return ((struct session_parameter){
	    .value = bytes, .size = size, .binary = true });
}

static struct session_parameter
call_secret(const void *bytes, size_t size)
{
	return ((struct session_parameter){
	    .value = bytes, .size = size, .binary = true, .secret = true });
}

static struct session_parameter
call_text(const char *text)
{
	return ((struct session_parameter){ .value = text });
}

static void call_done(struct query *, const PGresult *, const struct error *);

static bool
call_send(struct request *request)
{
	struct call *call = &request->call;
	struct wrap_key *key = &call->access_key;
	struct query *query = &call->query;
	unsigned int flags = request->route.endpoint->flags;

	if (++call->rounds > CALL_ROUNDS_MAX) {
		log_error(
		    "call asks again without end", log_text("id", request->id));
		return (request_refuse(request, ERROR_UNAVAILABLE));
	}
	query->repeatable = (flags & ENDPOINT_READS) != 0;
	query->once = (flags & ENDPOINT_CHANGES) != 0;
	query->lists = (flags & ENDPOINT_LISTS) != 0;
	query->searches = (flags & ENDPOINT_SEARCHES) != 0;
	query->groups = query->repeatable && !query->searches && !call->alone;
	call->last_change = request->service->audit.last_change;
	wrap_key_describe(request);
	call_describe_group(request);
	call_describe_once(request);
	query->statement = request->route.endpoint->function;
	query->count = 4;
	query->parameters[0] =
	    call_text(json_object_to_json_string_ext(request->document,
		JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
	query->parameters[1] =
	    call_bytes(request->digest, sizeof(request->digest));
	query->parameters[2] =
	    call_secret(key->known ? key->bytes : NULL, sizeof(key->bytes));
	query->parameters[3] =
	    call_secret(request->data.bytes, request->data.size);
	query->label = request->id;
	query->owner = request;
	query->done = call_done;
	if (!pool_run(request->service->pool, query))
		return (request_refuse(request, ERROR_UNAVAILABLE));
	return (true);
}

void
call_finish(struct request *request)
{
	evtimer_del(request->call.deadline);
	request->call.answered(request);
}

void
call_fail(struct request *request, const char *event)
{
	log_error(event, log_text("id", request->id));
	request_refuse(request, ERROR_INTERNAL);
	call_finish(request);
}

void
call_again(struct request *request)
{
	if (!call_send(request))
		call_finish(request);
}

static struct timeval
call_time(const struct request *request)
{
	const long deadline = request->service->settings.request_deadline;

	return ((struct timeval){ deadline / 1000, deadline % 1000 * 1000 });
}

void
call_anew(struct request *request)
{
	struct timeval time = call_time(request);

	request->call.rounds = 0;
	evtimer_add(request->call.deadline, &time);
	call_again(request);
}

void
call_ask(struct request *request,
    void (*done)(struct query *, const PGresult *, const struct error *))
{
	struct query *query = &request->call.query;

	query->repeatable = true;
	query->once = false;
	query->groups = false;
	query->lists = false;
	query->searches = false;
	query->done = done;
	if (!pool_run(request->service->pool, query)) {
		request_refuse(request, ERROR_UNAVAILABLE);
		call_finish(request);
	}
}

/* Answers ------------------------------------------------------------------ */

static void
call_take_receipt(struct request *request, const PGresult *result)
{
	if (columns_is_null(result, 0, 2) ||
	    !columns_copy(result, 0, 3, request->receipt_hash,
		sizeof(request->receipt_hash)))
		return;
	request->receipt = columns_number(result, 0, 2);
	request->has_receipt = true;
	newest_receipt(&request->service->newest, request->receipt,
	    request->receipt_hash, request->arrived);
}

static void
call_take_answer(struct request *request, const PGresult *result, int status)
{
	const char *body = columns_text(result, 0, 1);
	const size_t size = strlen(body);

	call_take_receipt(request, result);
	/* No answer but a refusal leaves the daemon without its audit row. */
	if (status < 100 || status > 599 ||
	    (status < 400 && !request->has_receipt) ||
	    (status == 200 && *body == '\0'))
		return (call_fail(request, "call's answer is malformed"));
	request->status = status;
	failover_note_answer(
	    pool_failover(request->service->pool), &request->call.query);
	probe_call_succeeded(request->service->probe);
	if (status != 200 || !key_use_has_plaintext(request))
		evbuffer_add(request->body, body, size);
	else if (!key_use_answer(request, body, size))
		return (
		    call_fail(request, "answer has no place for plaintext"));
	call_finish(request);
}

static void
call_done(
    struct query *query, const PGresult *result, const struct error *error)
{
	struct request *request = query->owner;
	int status;

	if (error != NULL) {
		request->error = error;
		probe_call_failed(request->service->probe);
		return (call_finish(request));
	}
	status = (int)columns_number(result, 0, 0);
	if (status == 0) {
		rate_accept(request);
		challenge_meet(request, columns_text(result, 0, 1));
	} else
		call_take_answer(request, result, status);
}

static void
call_overdue(evutil_socket_t fd, short what, void *arg)
{
	struct request *request = arg;
	const bool in_doubt = query_is_in_doubt(&request->call.query);

	(void)fd;
	(void)what;
	pool_abandon(&request->call.query);
	log_warning("call is overdue", log_text("id", request->id));
	probe_call_failed(request->service->probe);
	request_refuse(request, in_doubt ? ERROR_IN_DOUBT : ERROR_UNAVAILABLE);
	call_finish(request);
}

void
call_begin(struct request *request, void (*answered)(struct request *request))
{
	struct timeval time = call_time(request);
	struct call *call = &request->call;

	call->answered = answered;
	call->deadline =
	    evtimer_new(request->service->base, call_overdue, request);
	evtimer_add(call->deadline, &time);
}

bool
call_request(struct request *request)
{
	unsigned int flags = request->route.endpoint->flags;

	if (flags & ENDPOINT_KEY)
		wrap_key_guess(request);
	if (flags & ENDPOINT_CIPHERS)
		key_use_guess(request);
	return (call_send(request));
}

void
call_free(struct call *call)
{
	pool_abandon(&call->query);
	if (call->deadline != NULL)
		event_free(call->deadline);
	if (call->patience != NULL)
		event_free(call->patience);
	memory_wipe(&call->access_key, sizeof(call->access_key));
}
