#include <event2/buffer.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "call/call.h"
#include "call/challenge.h"
#include "call/key_use.h"
#include "call/long_poll.h"
#include "call/wrap_key.h"
#include "db/columns.h"
#include "db/failover.h"
#include "db/newest.h"
#include "db/pool.h"
#include "db/probe.h"

/*
 * One for the key, one for a KEK that another daemon makes meanwhile, one for a
 * transaction of its own; the others for keys that rotate between two rounds.
 * After these the client may try again later: nothing has happened.
 */
#define CALL_ROUNDS_MAX 8

struct call {
	const struct call_context *context;
	struct request *request;
	struct query query;
	struct event *deadline;
	int rounds;
	struct wrap_key key;
	struct long_poll poll;
	struct challenge challenge;
};

/* Rounds ----------------------------------------------------------------- */

/* Says in the document whether the call may share its transaction ... */
static void
call_describe_group(struct json_object *document, const struct query *query)
{
	if (query->groups)
		json_object_object_add(
		    document, "grouped", json_object_new_boolean(true));
	else
		json_object_object_del(document, "grouped");
}

/* ... and whether it is to be done once, however often it is sent. */
static void
call_describe_once(struct json_object *document, const struct query *query)
{
	if (query->once)
		json_object_object_add(
		    document, "once", json_object_new_boolean(true));
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

static void
call_set_kind(struct call *call)
{
	const unsigned int flags = call->request->route.endpoint->flags;
	struct query *query = &call->query;

	query->repeatable = (flags & ENDPOINT_READS) != 0;
	query->once = (flags & ENDPOINT_CHANGES) != 0;
	query->lists = (flags & ENDPOINT_LISTS) != 0;
	query->searches = (flags & ENDPOINT_SEARCHES) != 0;
	query->groups =
	    query->repeatable && !query->searches && !call->challenge.alone;
}

static void
call_set_parameters(struct call *call)
{
	struct session_parameter *parameters = call->query.parameters;
	const struct wrap_key *key = &call->key;
	const struct request *request = call->request;
	const struct document *document = &request->document;

	parameters[0] = call_text(json_object_to_json_string_ext(document->json,
	    JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
	parameters[1] = call_bytes(request->digest, sizeof(request->digest));
	parameters[2] =
	    call_secret(key->known ? key->bytes : NULL, sizeof(key->bytes));
	parameters[3] = call_secret(document->data.bytes, document->data.size);
	call->query.count = 4;
}

static bool
call_run(struct call *call,
    void (*done)(struct query *, const PGresult *, const struct error *))
{
	call->query.label = call->request->id;
	call->query.owner = call;
	call->query.done = done;
	if (!pool_run(call->context->pool, &call->query))
		return (request_refuse(call->request, ERROR_UNAVAILABLE));
	return (true);
}

static void call_done(struct query *, const PGresult *, const struct error *);

static bool
call_round(struct call *call)
{
	struct request *request = call->request;

	if (++call->rounds > CALL_ROUNDS_MAX) {
		log_error("too many challenges", log_text("id", request->id));
		return (request_refuse(request, ERROR_UNAVAILABLE));
	}
	call_set_kind(call);
	long_poll_sent(&call->poll);
	wrap_key_describe(&call->key);
	call_describe_group(request->document.json, &call->query);
	call_describe_once(request->document.json, &call->query);
	call->query.statement = request->route.endpoint->function;
	call_set_parameters(call);
	return (call_run(call, call_done));
}

/* The request is freed. */
static void
call_finish(struct call *call)
{
	evtimer_del(call->deadline);
	call->request->answered(call->request);
}

static void
call_start_deadline(struct call *call)
{
	const long deadline = call->context->deadline;
	const struct timeval time = clock_timeval(deadline);

	evtimer_add(call->deadline, &time);
}

static void
call_restart(struct call *call)
{
	call->rounds = 0;
	call_start_deadline(call);
	if (!call_round(call))
		call_finish(call);
}

static void
call_resumed(void *owner)
{
	call_restart(owner);
}

static void call_stored(struct query *, const PGresult *, const struct error *);

/* A statement between two rounds, which a step has set. */
static bool
call_query(struct call *call)
{
	struct query *query = &call->query;

	query->repeatable = true;
	query->once = false;
	query->groups = false;
	query->lists = false;
	query->searches = false;
	return (call_run(call, call_stored));
}

static void
call_go_on(struct call *call, enum request_next next)
{
	switch (next) {
	case REQUEST_AGAIN:
		if (!call_round(call))
			call_finish(call);
		break;
	case REQUEST_RESTART:
		call_restart(call);
		break;
	case REQUEST_QUERY:
		if (!call_query(call))
			call_finish(call);
		break;
	case REQUEST_WAITS:
		evtimer_del(call->deadline);
		break;
	case REQUEST_ENDS:
		call_finish(call);
		break;
	}
}

/* Answers ------------------------------------------------------------------ */

static void
call_take_receipt(struct call *call, const PGresult *result)
{
	struct request *request = call->request;

	if (columns_is_null(result, 0, 2) ||
	    !columns_copy(result, 0, 3, request->receipt_hash,
		sizeof(request->receipt_hash)))
		return;
	request->receipt = columns_number(result, 0, 2);
	request->has_receipt = true;
	newest_receipt(call->context->newest, request->receipt,
	    request->receipt_hash, request->arrived);
}

static void
call_fail(struct call *call, const char *event)
{
	(void)request_fail(call->request, event);
	call_finish(call);
}

static void
call_take_answer(struct call *call, const PGresult *result, int status)
{
	struct request *request = call->request;
	const char *body = columns_text(result, 0, 1);
	const size_t size = strlen(body);

	call_take_receipt(call, result);
	/* No answer but a refusal leaves the daemon without its audit row. */
	if (status < 100 || status > 599 ||
	    (status < 400 && !request->has_receipt) ||
	    (status == 200 && *body == '\0'))
		return (call_fail(call, "call's answer is malformed"));
	request->status = status;
	failover_note_answer(pool_failover(call->context->pool), &call->query);
	probe_call_succeeded(call->context->probe);
	if (status != 200 || !key_use_has_plaintext(request))
		evbuffer_add(request->body, body, size);
	else if (!key_use_answer(request, body, size))
		return (call_fail(call, "answer has no place for plaintext"));
	call_finish(call);
}

static void
call_done(
    struct query *query, const PGresult *result, const struct error *error)
{
	struct call *call = query->owner;
	int status;

	if (error != NULL) {
		call->request->error = error;
		probe_call_failed(call->context->probe);
		return (call_finish(call));
	}
	status = (int)columns_number(result, 0, 0);
	if (status != 0)
		return (call_take_answer(call, result, status));
	call->request->accepted(call->request);
	call_go_on(call,
	    challenge_answer(&call->challenge, columns_text(result, 0, 1)));
}

static void
call_stored(
    struct query *query, const PGresult *result, const struct error *error)
{
	struct call *call = query->owner;

	if (error != NULL) {
		call->request->error = error;
		return (call_finish(call));
	}
	call_go_on(call, wrap_key_stored(&call->key, result));
}

static void
call_overdue(evutil_socket_t fd, short what, void *arg)
{
	struct call *call = arg;
	struct request *request = call->request;
	const bool in_doubt = query_is_in_doubt(&call->query);

	(void)fd;
	(void)what;
	pool_abandon(&call->query);
	log_warning("call is overdue", log_text("id", request->id));
	probe_call_failed(call->context->probe);
	request_refuse(request, in_doubt ? ERROR_IN_DOUBT : ERROR_UNAVAILABLE);
	call_finish(call);
}

void
call_begin(const struct call_context *context, struct request *request)
{
	struct call *call = memory_new(sizeof(*call));

	request->call = call;
	call->context = context;
	call->request = request;
	call->key.request = request;
	call->key.keyring = context->keyring;
	call->key.cache = context->key_cache;
	call->poll.polls = context->long_polls;
	call->poll.resumed = call_resumed;
	call->poll.owner = call;
	call->challenge.request = request;
	call->challenge.keyring = context->keyring;
	call->challenge.cache = context->key_cache;
	call->challenge.key = &call->key;
	call->challenge.poll = &call->poll;
	call->challenge.query = &call->query;
	call->deadline = evtimer_new(context->base, call_overdue, call);
	call_start_deadline(call);
}

bool
call_send(struct request *request)
{
	const unsigned int flags = request->route.endpoint->flags;
	struct call *call = request->call;

	if (flags & ENDPOINT_KEY)
		wrap_key_guess(&call->key);
	if (flags & ENDPOINT_CIPHERS)
		key_use_guess(
		    request, call->context->keyring, call->context->key_cache);
	return (call_round(call));
}

void
call_free(struct call *call)
{
	if (call == NULL)
		return;
	pool_abandon(&call->query);
	event_free(call->deadline);
	long_poll_free(&call->poll);
	memory_wipe_free(call, sizeof(*call));
}
