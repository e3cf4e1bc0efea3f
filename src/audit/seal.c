#include <event2/event.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "audit/anchor.h"
#include "audit/seal.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "call/watch.h"
#include "db/columns.h"
#include "db/drift.h"
#include "db/pool.h"
#include "service.h"

#define SEAL_INTERVAL 1 /* second */
#define SEAL_ANCHORS 100 /* of one round */
#define SEAL_NUMBER_SIZE 24

/*
 * One round: seal, sign, and again while more waits for a signature; then
 * anchor one by one.  The next round begins from what the database says.  How
 * things stand is asked at the end of a round, as whatever failed before must
 * be seen from there; and beside one that does not end.
 */
struct seal {
	struct service *service;
	struct event *timer;
	struct event *look;
	struct query query;
	struct query state;
	int64_t asked; /* when the state was, last */
	struct anchor *anchor;
	bool more;
	int anchors; /* of this round */
	uint64_t lost; /* lines of the log, as the log says itself */
	struct anchor_seal head;
	char no[SEAL_NUMBER_SIZE];
	unsigned char public[CRYPTO_KEY_SIZE];
	struct keyring_wrapped made;
};

typedef void seal_done(
    struct query *query, const PGresult *result, const struct error *error);

static seal_done seal_begun, seal_signed, seal_signer_got, seal_signer_kept,
    seal_anchor_begun, seal_anchor_ended, seal_state_got;

static void
seal_wait(struct seal *seal)
{
	struct timeval time = { SEAL_INTERVAL, 0 };

	evtimer_add(seal->timer, &time);
}

static bool
seal_query(struct seal *seal, struct query *query, const char *statement,
    size_t count, seal_done *done)
{
	query->statement = statement;
	query->count = count;
	/* What is done already is not done again. */
	query->repeatable = true;
	query->internal = true;
	query->label = "seal";
	query->owner = seal;
	query->done = done;
	return (pool_run(seal->service->pool, query));
}

static void
seal_get_state(struct seal *seal)
{
	if (seal->state.pool != NULL) /* it is on its way */
		return;
	seal->asked = clock_microseconds();
	if (!seal_query(
		seal, &seal->state, STATEMENT_AUDIT_STATE, 0, seal_state_got))
		seal->service->audit.known = false;
}

static void
seal_end(struct seal *seal)
{
	seal_wait(seal);
	seal_get_state(seal);
}

static void
seal_run(
    struct seal *seal, const char *statement, size_t count, seal_done *done)
{
	if (!seal_query(seal, &seal->query, statement, count, done))
		seal_end(seal);
}

static void
seal_text(struct seal *seal, size_t i, const char *text)
{
	seal->query.parameters[i] = (struct session_parameter){ .value = text };
}

static void
seal_bytes(struct seal *seal, size_t i, const void *bytes, size_t size)
{
	seal->query.parameters[i] = (struct session_parameter){
		.value = bytes, .size = size, .binary = true
	};
}

/* Signing ------------------------------------------------------------------ */

static void
seal_begin(struct seal *seal)
{
	seal_run(seal, STATEMENT_SEAL_BEGIN, 0, seal_begun);
}

static void
seal_sign(struct seal *seal)
{
	struct anchor_seal *head = &seal->head;
	const struct keyring *keyring = seal->service->keyring;

	keyring_sign(keyring, head->hash, head->signature);
	seal_text(seal, 0, seal->no);
	seal_text(seal, 1, keyring_signer(keyring));
	seal_bytes(seal, 2, head->signature, sizeof(head->signature));
	seal_run(seal, STATEMENT_SEAL_SIGN, 3, seal_signed);
}

static void
seal_anchor_begin(struct seal *seal)
{
	seal_text(seal, 0, seal->service->instance);
	seal_run(seal, STATEMENT_ANCHOR_BEGIN, 1, seal_anchor_begun);
}

static void
seal_begun(
    struct query *query, const PGresult *result, const struct error *error)
{
	struct seal *seal = query->owner;
	const char *signer;

	if (error != NULL)
		return (seal_end(seal));
	if (columns_rows(result) == 0)
		return (seal_anchor_begin(seal));
	seal->more = columns_rows(result) > 1;
	if (!columns_copy(
		result, 0, 1, seal->head.hash, sizeof(seal->head.hash)))
		return (seal_end(seal));
	snprintf(seal->no, sizeof(seal->no), "%lld",
	    (long long)columns_number(result, 0, 0));
	signer = columns_text(result, 0, 2);
	if (*signer != '\0' &&
	    strcmp(signer, keyring_signer(seal->service->keyring)) == 0)
		seal_sign(seal);
	else
		seal_run(seal, STATEMENT_SIGNER_GET, 0, seal_signer_got);
}

static void
seal_signed(
    struct query *query, const PGresult *result, const struct error *error)
{
	struct seal *seal = query->owner;

	(void)result;
	if (error != NULL)
		seal_end(seal);
	else if (seal->more && !seal->service->draining)
		seal_begin(seal);
	else
		seal_anchor_begin(seal);
}

/* The key ------------------------------------------------------------------ */

/* Nobody has made one yet, or it was retired: this daemon may come second. */
static void
seal_make_signer(struct seal *seal)
{
	keyring_signer_make(seal->service->keyring, seal->public, &seal->made);
	seal_bytes(seal, 0, seal->public, sizeof(seal->public));
	seal_text(seal, 1, seal->made.root_id);
	seal_bytes(seal, 2, seal->made.bytes, sizeof(seal->made.bytes));
	seal_run(seal, STATEMENT_SIGNER_KEEP, 3, seal_signer_kept);
}

/* Not under the active root key: the next round knows from the check which. */
static void
seal_signer_kept(
    struct query *query, const PGresult *result, const struct error *error)
{
	struct seal *seal = query->owner;

	if (error != NULL || columns_rows(result) > 0)
		return (seal_signer_got(query, result, error));
	drift_now(seal->service->check);
	seal_end(seal);
}

static void
seal_signer_got(
    struct query *query, const PGresult *result, const struct error *error)
{
	struct seal *seal = query->owner;
	struct keyring *keyring = seal->service->keyring;
	struct keyring_wrapped wrapped;

	if (error != NULL)
		return (seal_end(seal));
	if (columns_rows(result) == 0)
		return (seal_make_signer(seal));
	memset(&wrapped, 0, sizeof(wrapped));
	snprintf(wrapped.root_id, sizeof(wrapped.root_id), "%s",
	    columns_text(result, 0, 0));
	if (!columns_copy(result, 0, 1, wrapped.bytes, sizeof(wrapped.bytes)) ||
	    !keyring_signer_open(keyring, &wrapped)) {
		log_error("the key for seals does not open",
		    log_text("root_id", wrapped.root_id));
		return (seal_end(seal));
	}
	log_witness("signer", log_text("signer", keyring_signer(keyring)));
	seal_sign(seal);
}

/* Anchoring ---------------------------------------------------------------- */

static void
seal_anchor_begun(
    struct query *query, const PGresult *result, const struct error *error)
{
	struct seal *seal = query->owner;
	struct anchor_seal *head = &seal->head;

	if (error != NULL)
		return (seal_end(seal));
	if (columns_rows(result) == 0 ||
	    !columns_copy(result, 0, 1, head->hash, sizeof(head->hash)) ||
	    !columns_copy(
		result, 0, 3, head->signature, sizeof(head->signature)))
		return (seal_end(seal));
	head->no = columns_number(result, 0, 0);
	head->epoch = columns_number(result, 0, 4);
	snprintf(head->signer, sizeof(head->signer), "%s",
	    columns_text(result, 0, 2));
	anchor_write(seal->anchor, head);
}

static void
seal_anchor_written(void *owner, bool left)
{
	struct seal *seal = owner;

	if (!left)
		return (seal_end(seal));
	snprintf(seal->no, sizeof(seal->no), "%lld", (long long)seal->head.no);
	seal_text(seal, 0, seal->no);
	seal_run(seal, STATEMENT_ANCHOR_END, 1, seal_anchor_ended);
}

static void
seal_anchor_ended(
    struct query *query, const PGresult *result, const struct error *error)
{
	struct seal *seal = query->owner;

	(void)result;
	if (error != NULL || seal->service->draining ||
	    ++seal->anchors == SEAL_ANCHORS)
		seal_end(seal);
	else
		seal_anchor_begin(seal);
}

/* How things stand --------------------------------------------------------- */

/* What a handshake will compare the database with. */
static void
seal_note(struct seal *seal, const PGresult *result)
{
	struct newest_state state = {
		.asked = seal->asked,
		.answered = clock_microseconds(),
		.epoch = columns_number(result, 0, 8),
		.seal = columns_number(result, 0, 9),
		.sealed_to = columns_number(result, 0, 11),
		.xid_end = columns_number(result, 0, 12),
	};

	if (columns_copy(
		result, 0, 10, state.seal_hash, sizeof(state.seal_hash)))
		newest_state(&seal->service->newest, &state);
}

/* Texts by their names, which become labels of metrics. */
static void
seal_take_warnings(struct seal *seal, const char *text)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789_";
	struct json_object *given = columns_json(text, json_type_object);
	struct json_object *warnings;

	if (given == NULL)
		return;
	warnings = json_object_new_object();
	json_object_object_foreach (given, name, value) {
		if (json_object_is_type(value, json_type_string) &&
		    name[strspn(name, letters)] == '\0')
			json_object_object_add(
			    warnings, name, json_object_get(value));
	}
	json_object_put(given);
	seal->service->warnings = warnings;
}

static void
seal_state_got(
    struct query *query, const PGresult *result, const struct error *error)
{
	struct seal *seal = query->owner;
	struct seal_state *state = &seal->service->audit;
	int64_t last_change = state->last_change;

	json_object_put(seal->service->warnings);
	seal->service->warnings = NULL;
	state->known = error == NULL && columns_rows(result) == 1;
	if (!state->known)
		return;
	state->lag = columns_number(result, 0, 0);
	state->unanchored = columns_number(result, 0, 1);
	state->months_ahead = columns_number(result, 0, 2);
	state->last_change = columns_number(result, 0, 3);
	state->unsealed = columns_number(result, 0, 4);
	state->anchor_lag = columns_number(result, 0, 5);
	state->commit_wait = columns_number(result, 0, 7);
	seal_note(seal, result);
	state->clock_ahead = clock_apart(
	    columns_number(result, 0, 13), clock_microseconds() - seal->asked);
	seal_take_warnings(seal, columns_text(result, 0, 6));
	if (state->last_change != last_change)
		watch_ring(seal->service->watch);
}

/* Who compares receipts with rows must know that some may be missing. */
static void
seal_note_lost_lines(struct seal *seal)
{
	const uint64_t lost = log_lost();

	if (lost == seal->lost || !log_takes_lines())
		return;
	/* Should it be lost, too, it is written again. */
	seal->lost = lost;
	log_witness("lines lost", log_text("instance", seal->service->instance),
	    log_number("count", (int64_t)lost));
}

static void
seal_tick(evutil_socket_t fd, short what, void *arg)
{
	struct seal *seal = arg;

	(void)fd;
	(void)what;
	seal->anchors = 0;
	seal_note_lost_lines(seal);
	seal_begin(seal);
}

static void
seal_look(evutil_socket_t fd, short what, void *arg)
{
	struct seal *seal = arg;

	(void)fd;
	(void)what;
	if (clock_microseconds() - seal->asked > SEAL_INTERVAL * 1500000)
		seal_get_state(seal);
}

struct seal *
seal_new(struct service *service)
{
	const struct timeval look = { SEAL_INTERVAL, 0 };
	struct seal *seal = memory_new(sizeof(*seal));

	seal->service = service;
	seal->timer = evtimer_new(service->base, seal_tick, seal);
	seal->look = event_new(service->base, -1, EV_PERSIST, seal_look, seal);
	event_add(seal->look, &look);
	seal->anchor = anchor_new(
	    service->base, &service->settings, seal_anchor_written, seal);
	seal_wait(seal);
	return (seal);
}

void
seal_free(struct seal *seal)
{
	if (seal == NULL)
		return;
	pool_abandon(&seal->query);
	pool_abandon(&seal->state);
	event_free(seal->look);
	anchor_free(seal->anchor);
	event_free(seal->timer);
	json_object_put(seal->service->warnings);
	seal->service->warnings = NULL;
	memory_free(seal);
}
