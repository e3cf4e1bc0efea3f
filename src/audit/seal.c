#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "audit/anchor.h"
#include "audit/seal.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "db/columns.h"
#include "db/drift.h"
#include "db/newest.h"
#include "db/wrapped.h"
#include "job/background.h"
#include "keys/keyring.h"

#define SEAL_INTERVAL 1000 /* ms */
#define SEAL_ANCHORS 100 /* of one round */
#define SEAL_NUMBER_SIZE 24

/*
 * One round: seal, sign, and again while more waits for a signature; then
 * anchor one by one.  The next round begins from what the database says.  The
 * state is asked for at the end of a round, to see whatever failed before, and
 * beside a round that does not end.
 */
struct seal {
	const struct seal_context *context;
	struct background round;
	struct background look;
	struct seal_state state;
	int64_t asked; /* when the state was, last */
	struct anchor *anchor;
	bool more;
	int anchors; /* of this round */
	struct anchor_seal head;
	char no[SEAL_NUMBER_SIZE];
	unsigned char public[CRYPTO_KEY_SIZE];
	struct keyring_wrapped made;
};

static background_done seal_begun, seal_signed, seal_signer_got,
    seal_signer_kept, seal_anchor_begun, seal_anchor_ended, seal_state_got;

static void
seal_observe(struct seal *seal, struct json_object *warnings)
{
	seal->context->observed(seal->context->owner, &seal->state, warnings);
}

static void
seal_get_state(struct seal *seal)
{
	if (background_is_running(&seal->look))
		return;
	seal->asked = clock_microseconds();
	if (background_query(
		&seal->look, STATEMENT_AUDIT_STATE, 0, seal_state_got))
		return;
	seal->state.known = false;
	seal_observe(seal, NULL);
}

static void
seal_end(struct seal *seal)
{
	background_wait(&seal->round);
	seal_get_state(seal);
}

static void
seal_run(struct seal *seal, const char *statement, size_t count,
    background_done *done)
{
	if (!background_query(&seal->round, statement, count, done))
		seal_get_state(seal);
}

/* Signing ------------------------------------------------------------------ */

static void
seal_next(struct seal *seal)
{
	seal_run(seal, STATEMENT_SEAL_BEGIN, 0, seal_begun);
}

static void
seal_sign(struct seal *seal)
{
	struct anchor_seal *head = &seal->head;
	const struct keyring *keyring = seal->context->keyring;

	keyring_sign(keyring, head->hash, head->signature);
	background_text(&seal->round, 0, seal->no);
	background_text(&seal->round, 1, keyring_signer(keyring));
	background_bytes(
	    &seal->round, 2, head->signature, sizeof(head->signature));
	seal_run(seal, STATEMENT_SEAL_SIGN, 3, seal_signed);
}

static void
seal_anchor_begin(struct seal *seal)
{
	background_text(&seal->round, 0, seal->context->instance);
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
	    strcmp(signer, keyring_signer(seal->context->keyring)) == 0)
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
	else if (seal->more && !background_is_stopping(&seal->round))
		seal_next(seal);
	else
		seal_anchor_begin(seal);
}

/* The key ------------------------------------------------------------------ */

/* Nobody has made one yet, or it was retired: this daemon may come second. */
static void
seal_make_signer(struct seal *seal)
{
	keyring_signer_make(seal->context->keyring, seal->public, &seal->made);
	background_bytes(&seal->round, 0, seal->public, sizeof(seal->public));
	background_text(&seal->round, 1, seal->made.root_id);
	background_bytes(
	    &seal->round, 2, seal->made.bytes, sizeof(seal->made.bytes));
	seal_run(seal, STATEMENT_SIGNER_KEEP, 3, seal_signer_kept);
}

/* Another root key is active: the drift check tells the next round which. */
static void
seal_signer_kept(
    struct query *query, const PGresult *result, const struct error *error)
{
	struct seal *seal = query->owner;

	if (error != NULL || columns_rows(result) > 0)
		return (seal_signer_got(query, result, error));
	drift_now(seal->context->drift);
	seal_end(seal);
}

static void
seal_signer_got(
    struct query *query, const PGresult *result, const struct error *error)
{
	struct seal *seal = query->owner;
	struct keyring *keyring = seal->context->keyring;
	struct keyring_wrapped wrapped;

	if (error != NULL)
		return (seal_end(seal));
	if (columns_rows(result) == 0)
		return (seal_make_signer(seal));
	if (!wrapped_read(result, 0, 0, &wrapped) ||
	    !keyring_signer_load(keyring, &wrapped)) {
		log_error("the key for seals cannot be unwrapped",
		    log_text("root_id", wrapped.root_id));
		return (seal_end(seal));
	}
	log_evidence("signer", log_text("signer", keyring_signer(keyring)));
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
	background_text(&seal->round, 0, seal->no);
	seal_run(seal, STATEMENT_ANCHOR_END, 1, seal_anchor_ended);
}

static void
seal_anchor_ended(
    struct query *query, const PGresult *result, const struct error *error)
{
	struct seal *seal = query->owner;

	(void)result;
	if (error != NULL || background_is_stopping(&seal->round) ||
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
		newest_state(seal->context->newest, &state);
}

/* Texts by their names, which become labels of metrics. */
static struct json_object *
seal_warnings(const char *text)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789_";
	struct json_object *given = columns_json(text, json_type_object);
	struct json_object *warnings;

	if (given == NULL)
		return (NULL);
	warnings = json_object_new_object();
	json_object_object_foreach (given, name, value) {
		if (json_object_is_type(value, json_type_string) &&
		    name[strspn(name, letters)] == '\0')
			json_object_object_add(
			    warnings, name, json_object_get(value));
	}
	json_object_put(given);
	return (warnings);
}

static void
seal_state_got(
    struct query *query, const PGresult *result, const struct error *error)
{
	struct seal *seal = query->owner;
	struct seal_state *state = &seal->state;

	background_wait(&seal->look);
	state->known = error == NULL && columns_rows(result) == 1;
	if (!state->known)
		return (seal_observe(seal, NULL));
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
	seal_observe(seal, seal_warnings(columns_text(result, 0, 6)));
}

static void
seal_begin(void *owner)
{
	struct seal *seal = owner;

	seal->anchors = 0;
	seal_next(seal);
}

static void
seal_look(void *owner)
{
	struct seal *seal = owner;

	if (clock_microseconds() - seal->asked > SEAL_INTERVAL * 1500)
		seal_get_state(seal);
	else
		background_wait(&seal->look);
}

struct seal *
seal_new(const struct seal_context *context)
{
	struct seal *seal = memory_new(sizeof(*seal));

	seal->context = context;
	seal->anchor = anchor_new(
	    context->host->base, context->settings, seal_anchor_written, seal);
	background_start(&seal->round, context->host, "seal", SEAL_INTERVAL,
	    seal_begin, seal);
	background_start(
	    &seal->look, context->host, "seal", SEAL_INTERVAL, seal_look, seal);
	return (seal);
}

void
seal_free(struct seal *seal)
{
	if (seal == NULL)
		return;
	background_stop(&seal->round);
	background_stop(&seal->look);
	anchor_free(seal->anchor);
	memory_free(seal);
}
