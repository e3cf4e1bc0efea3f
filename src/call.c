#include <endian.h>
#include <event2/buffer.h>
#include <stdio.h>
#include <string.h>

#include "base64.h"
#include "call.h"
#include "hint.h"
#include "log.h"
#include "memory.h"
#include "pool.h"
#include "request.h"
#include "service.h"
#include "watch.h"

/* For the key, for a KEK that another daemon makes meanwhile, and alone. */
#define CALL_ROUNDS_MAX 4

static void call_done(struct query *, const PGresult *, const struct error *);
static void
call_kek_kept(struct query *, const PGresult *, const struct error *);

/* The key ---------------------------------------------------------------- */

/* Derives the key for the ids in call, if its KEK is known. */
static bool
call_derive_key(struct request *request)
{
	struct call *call = &request->call;

	call->has_key = keyring_access_key(request->service->keyring, call->kek,
	    call->project, call->secret, call->key);
	return (call->has_key);
}

/* What is remembered of earlier calls may spare a round. */
static void
call_guess_key(struct request *request)
{
	struct hints *hints = request->service->hints;
	struct call *call = &request->call;
	struct json_object *path, *id;
	struct hint hint;

	json_object_object_get_ex(request->document, "path", &path);
	if (json_object_object_get_ex(path, "secret_id", &id)) {
		if (uuid_parse(json_object_get_string(id), call->secret) != 0)
			return;
	} else if (!hint_path_get(hints, evhttp_request_get_uri(request->http),
		       call->secret)) {
		return;
	}
	if (!hint_get(hints, call->secret, &hint) &&
	    !hint_get(hints, request->digest, &hint))
		return;
	uuid_copy(call->project, hint.project);
	uuid_copy(call->kek, hint.kek);
	(void)call_derive_key(request);
}

static void
call_remember(struct request *request)
{
	struct hints *hints = request->service->hints;
	struct call *call = &request->call;
	struct json_object *path;
	struct hint hint;

	uuid_copy(hint.project, call->project);
	uuid_copy(hint.kek, call->kek);
	hint_put(hints, call->secret, &hint);
	hint_put(hints, request->digest, &hint);
	json_object_object_get_ex(request->document, "path", &path);
	if (!json_object_object_get_ex(path, "secret_id", NULL))
		hint_path_put(
		    hints, evhttp_request_get_uri(request->http), call->secret);
}

/* Rounds ----------------------------------------------------------------- */

/* Says in the document what the key is for. */
static void
call_describe_key(struct request *request)
{
	struct call *call = &request->call;
	struct json_object *key = json_object_new_object();
	char text[UUID_STR_LEN];

	uuid_unparse_lower(call->secret, text);
	json_object_object_add(key, "secret_id", json_object_new_string(text));
	uuid_unparse_lower(call->kek, text);
	json_object_object_add(key, "kek_id", json_object_new_string(text));
	json_object_object_add(request->document, "key", key);
}

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
call_text(const char *text)
{
	return ((struct session_parameter){ .value = text });
}

static bool
call_send(struct request *request)
{
	struct call *call = &request->call;
	struct query *query = &call->query;
	unsigned int flags = request->route.endpoint->flags;

	if (++call->rounds > CALL_ROUNDS_MAX) {
		log_error(
		    "call asks again without end", log_text("id", request->id));
		return (request_refuse(request, ERROR_INTERNAL));
	}
	query->repeatable = (flags & ENDPOINT_READS) != 0;
	query->once = (flags & ENDPOINT_CHANGES) != 0;
	query->groups = query->repeatable && !call->alone;
	if (call->has_key)
		call_describe_key(request);
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
	    call_bytes(call->has_key ? call->key : NULL, sizeof(call->key));
	query->parameters[3] = call_bytes(request->data, request->data_size);
	query->label = request->id;
	query->owner = request;
	query->done = call_done;
	if (!pool_run(request->service->pool, query))
		return (request_refuse(request, ERROR_UNAVAILABLE));
	return (true);
}

static void
call_finish(struct request *request)
{
	if (request->call.deadline != NULL)
		evtimer_del(request->call.deadline);
	request->call.answered(request);
}

/* The database does not keep to what is agreed. */
static void
call_fail(struct request *request, const char *event)
{
	log_error(event, log_text("id", request->id));
	request_refuse(request, ERROR_INTERNAL);
	call_finish(request);
}

/*
 * The KEK was tampered with, or its root key is not loaded.  A read goes on
 * with a key that opens nothing: the refusal is the door's then, as of all
 * that does not open, and it is in the audit.  A write must not go on.
 */
static bool
call_use_no_key(struct request *request, const char *root_id)
{
	struct call *call = &request->call;

	log_error("key does not open", log_text("id", request->id),
	    log_text("root_id", root_id));
	if ((request->route.endpoint->flags & ENDPOINT_READS) == 0)
		return (request_refuse(request, ERROR_INTERNAL));
	crypto_random(call->key, sizeof(call->key));
	call->has_key = true;
	return (call_send(request));
}

/* Goes on with the KEK that the database keeps. */
static void
call_use_kek(struct request *request, const struct keyring_wrapped *wrapped)
{
	struct call *call = &request->call;
	bool sent;

	if (call_derive_key(request) ||
	    (keyring_kek_open(request->service->keyring, call->kek,
		 call->project, wrapped) &&
		call_derive_key(request))) {
		call_remember(request);
		sent = call_send(request);
	} else {
		sent = call_use_no_key(request, wrapped->root_id);
	}
	if (!sent)
		call_finish(request);
}

/* The project has no KEK yet: this daemon makes one, and may come second. */
static void
call_make_kek(struct request *request)
{
	struct call *call = &request->call;
	struct query *query = &call->query;

	keyring_kek_make(request->service->keyring, call->project, call->kek,
	    &call->wrapped);
	uuid_unparse_lower(call->project, call->project_text);
	uuid_unparse_lower(call->kek, call->kek_text);
	query->statement = STATEMENT_KEK_KEEP;
	query->count = 4;
	query->parameters[0] = call_text(call->project_text);
	query->parameters[1] = call_text(call->kek_text);
	query->parameters[2] = call_text(call->wrapped.root_id);
	query->parameters[3] =
	    call_bytes(call->wrapped.bytes, sizeof(call->wrapped.bytes));
	query->repeatable = true;
	query->once = false;
	query->groups = false;
	query->done = call_kek_kept;
	if (!pool_run(request->service->pool, query)) {
		request_refuse(request, ERROR_UNAVAILABLE);
		call_finish(request);
	}
}

static void
call_kek_kept(
    struct query *query, const PGresult *result, const struct error *error)
{
	struct request *request = query->owner;
	struct call *call = &request->call;

	if (error != NULL) {
		request->error = error;
		return (call_finish(request));
	}
	if (PQntuples(result) != 1 ||
	    PQgetlength(result, 0, 0) != sizeof(call->kek) ||
	    PQgetlength(result, 0, 1) != ROOT_KEY_ID_SIZE - 1 ||
	    PQgetlength(result, 0, 2) != sizeof(call->wrapped.bytes))
		return (call_fail(request, "kept key is malformed"));
	memcpy(call->kek, PQgetvalue(result, 0, 0), sizeof(call->kek));
	memcpy(
	    call->wrapped.root_id, PQgetvalue(result, 0, 1), ROOT_KEY_ID_SIZE);
	memcpy(call->wrapped.bytes, PQgetvalue(result, 0, 2),
	    sizeof(call->wrapped.bytes));
	call_use_kek(request, &call->wrapped);
}

/* Status 0 ---------------------------------------------------------------- */

static const char *
call_member(struct json_object *object, const char *name)
{
	struct json_object *value;

	if (!json_object_object_get_ex(object, name, &value) ||
	    !json_object_is_type(value, json_type_string))
		return ("");
	return (json_object_get_string(value));
}

static bool
call_read_wrapped(struct json_object *need, struct keyring_wrapped *wrapped)
{
	unsigned char bytes[BASE64_DECODED_MAX(
	    BASE64_ENCODED_SIZE(CRYPTO_SEALED_SIZE) + 3)];
	const char *root_id = call_member(need, "root_id");
	const char *text = call_member(need, "wrapped");
	size_t size;

	if (strlen(root_id) != ROOT_KEY_ID_SIZE - 1 ||
	    strlen(text) != BASE64_ENCODED_SIZE(CRYPTO_SEALED_SIZE) - 1 ||
	    !base64_decode(text, strlen(text), bytes, &size) ||
	    size != sizeof(wrapped->bytes))
		return (false);
	memcpy(wrapped->root_id, root_id, ROOT_KEY_ID_SIZE);
	memcpy(wrapped->bytes, bytes, sizeof(wrapped->bytes));
	return (true);
}

/* It would lock or change a row, and hold up those that share its commit. */
static void
call_leave_group(struct request *request)
{
	request->call.alone = true;
	if (!call_send(request))
		call_finish(request);
}

/* From now on the door may not ask to wait. */
static void
call_end_patience(struct request *request)
{
	struct json_object *query, *values = json_object_new_array();

	json_object_array_add(values, json_object_new_string("0"));
	json_object_object_get_ex(request->document, "query", &query);
	json_object_object_add(query, "wait", values);
}

void
call_resume(struct request *request, bool last)
{
	const long deadline = request->service->settings.request_deadline;
	struct timeval time = { deadline / 1000, deadline % 1000 * 1000 };
	struct call *call = &request->call;

	if (last)
		call_end_patience(request);
	call->rounds = 0;
	evtimer_add(call->deadline, &time);
	if (!call_send(request))
		call_finish(request);
}

/* While it runs, it comes back by itself, and is not parked again. */
static void
call_lose_patience(evutil_socket_t fd, short what, void *arg)
{
	struct request *request = arg;

	(void)fd;
	(void)what;
	if (!request->call.parked)
		return;
	watch_leave(request->service->watch, request);
	call_resume(request, true);
}

/* There is no change yet, and the client has time. */
static void
call_wait(struct request *request, struct json_object *need)
{
	struct service *service = request->service;
	struct call *call = &request->call;
	struct json_object *seconds;
	struct timeval time = { 0, 0 };

	if (call->patience == NULL &&
	    json_object_object_get_ex(need, "wait", &seconds)) {
		time.tv_sec = json_object_get_int(seconds);
		call->patience =
		    evtimer_new(service->base, call_lose_patience, request);
		evtimer_add(call->patience, &time);
	}
	if (service->draining || call->patience == NULL ||
	    !evtimer_pending(call->patience, NULL))
		return (call_resume(request, true));
	evtimer_del(call->deadline);
	watch_park(service->watch, request);
}

/* The door says what it needs, and that nothing has happened yet. */
static void
call_again(struct request *request, const char *text)
{
	struct call *call = &request->call;
	struct json_object *need = json_tokener_parse(text);
	const char *what = call_member(need, "need");
	struct keyring_wrapped wrapped;

	if (strcmp(what, "alone") == 0)
		call_leave_group(request);
	else if (strcmp(what, "change") == 0)
		call_wait(request, need);
	else if (
	    uuid_parse(call_member(need, "secret_id"), call->secret) != 0 ||
	    uuid_parse(call_member(need, "project_id"), call->project) != 0)
		call_fail(request, "call's need is malformed");
	else if (strcmp(what, "kek") == 0)
		call_make_kek(request);
	else if (strcmp(what, "key") == 0 &&
	    uuid_parse(call_member(need, "kek_id"), call->kek) == 0 &&
	    call_read_wrapped(need, &wrapped))
		call_use_kek(request, &wrapped);
	else
		call_fail(request, "call's need is unknown");
	json_object_put(need);
}

/* Answers ------------------------------------------------------------------ */

static void
call_take_answer(struct request *request, const PGresult *result, int status)
{
	uint64_t receipt;

	request->status = status;
	evbuffer_add(request->body, PQgetvalue(result, 0, 1),
	    (size_t)PQgetlength(result, 0, 1));
	if (PQgetlength(result, 0, 2) != sizeof(receipt) ||
	    PQgetlength(result, 0, 3) != sizeof(request->receipt_hash))
		return;
	memcpy(&receipt, PQgetvalue(result, 0, 2), sizeof(receipt));
	request->receipt = (int64_t)be64toh(receipt);
	memcpy(request->receipt_hash, PQgetvalue(result, 0, 3),
	    sizeof(request->receipt_hash));
	request->has_receipt = true;
}

static void
call_done(
    struct query *query, const PGresult *result, const struct error *error)
{
	struct request *request = query->owner;
	uint16_t status;

	if (error != NULL) {
		request->error = error;
		return (call_finish(request));
	}
	if (PQntuples(result) != 1 || PQnfields(result) != 4 ||
	    PQgetlength(result, 0, 0) != sizeof(status))
		return (call_fail(request, "call's answer is malformed"));
	memcpy(&status, PQgetvalue(result, 0, 0), sizeof(status));
	status = be16toh(status);
	if (status == 0)
		return (call_again(request, PQgetvalue(result, 0, 1)));
	call_take_answer(request, result, status);
	call_finish(request);
}

static void
call_overdue(evutil_socket_t fd, short what, void *arg)
{
	struct request *request = arg;

	(void)fd;
	(void)what;
	pool_abandon(&request->call.query);
	log_warning("call is overdue", log_text("id", request->id));
	request_refuse(request, ERROR_UNAVAILABLE);
	call_finish(request);
}

bool
call_request(struct request *request, void (*answered)(struct request *request))
{
	const long deadline = request->service->settings.request_deadline;
	struct timeval time = { deadline / 1000, deadline % 1000 * 1000 };
	struct call *call = &request->call;

	call->answered = answered;
	if (request->route.endpoint->flags & ENDPOINT_KEY)
		call_guess_key(request);
	if (!call_send(request))
		return (false);
	call->deadline =
	    evtimer_new(request->service->base, call_overdue, request);
	evtimer_add(call->deadline, &time);
	return (true);
}

void
call_free(struct call *call)
{
	pool_abandon(&call->query);
	if (call->deadline != NULL)
		event_free(call->deadline);
	if (call->patience != NULL)
		event_free(call->patience);
	memory_wipe(call->key, sizeof(call->key));
}
