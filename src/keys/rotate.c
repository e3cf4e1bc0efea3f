#include <event2/event.h>
#include <stdio.h>
#include <string.h>
#include <uuid/uuid.h>

#include "base/log.h"
#include "base/memory.h"
#include "db/columns.h"
#include "db/pool.h"
#include "keys/rotate.h"
#include "service.h"

/* As the database gives it. */
struct rotate_key {
	uuid_t id;
	uuid_t project;
	uint32_t rotation; /* the next one */
};

/* One key at a time: each rotation is a transaction, which audits it. */
struct rotate {
	struct service *service;
	struct event *timer;
	struct query query;
	struct rotate_key due[STATEMENT_BATCH];
	size_t count;
	size_t next;
	char id_text[UUID_STR_LEN];
	char kek_text[UUID_STR_LEN];
	char rotation_text[16];
	struct keyring_wrapped wrapped;
};

static void
rotate_wait(struct rotate *rotate)
{
	struct timeval time = { rotate->service->settings.job_interval, 0 };

	evtimer_add(rotate->timer, &time);
}

static void
rotate_run(struct rotate *rotate, const char *statement, size_t count,
    void (*done)(struct query *, const PGresult *, const struct error *))
{
	rotate->query.statement = statement;
	rotate->query.count = count;
	/* A key that was rotated is no more due. */
	rotate->query.repeatable = true;
	rotate->query.internal = true;
	rotate->query.label = "rotate";
	rotate->query.owner = rotate;
	rotate->query.done = done;
	if (!pool_run(rotate->service->pool, &rotate->query))
		rotate_wait(rotate);
}

static void rotate_done(struct query *, const PGresult *, const struct error *);

/* The rotation of the next key that is due, which another daemon may make. */
static void
rotate_next(struct rotate *rotate)
{
	struct session_parameter *parameters = rotate->query.parameters;
	const struct rotate_key *key = &rotate->due[rotate->next];
	struct keyring_place place;

	if (rotate->next == rotate->count || rotate->service->draining)
		return (rotate_wait(rotate));
	uuid_copy(place.project, key->project);
	uuid_copy(place.key, key->id);
	place.rotation = key->rotation;
	keyring_kek_make(rotate->service->keyring, &place, &rotate->wrapped);
	uuid_unparse_lower(key->id, rotate->id_text);
	uuid_unparse_lower(place.kek, rotate->kek_text);
	snprintf(rotate->rotation_text, sizeof(rotate->rotation_text), "%u",
	    key->rotation);
	rotate->next++;
	parameters[0] = (struct session_parameter){ .value = rotate->id_text };
	parameters[1] = (struct session_parameter){ .value = rotate->kek_text };
	parameters[2] =
	    (struct session_parameter){ .value = rotate->wrapped.root_id };
	parameters[3] = (struct session_parameter){
		.value = rotate->wrapped.bytes,
		.size = sizeof(rotate->wrapped.bytes),
		.binary = true,
	};
	parameters[4] =
	    (struct session_parameter){ .value = rotate->rotation_text };
	rotate_run(rotate, STATEMENT_KEY_ROTATE, 5, rotate_done);
}

/* One that fails does not keep the others waiting: it stays due. */
static void
rotate_done(
    struct query *query, const PGresult *result, const struct error *error)
{
	struct rotate *rotate = query->owner;

	if (error == NULL && columns_flag(result, 0, 0))
		log_info("key rotated by its policy",
		    log_text("key_id", rotate->id_text));
	rotate_next(rotate);
}

static void
rotate_found(
    struct query *query, const PGresult *result, const struct error *error)
{
	struct rotate *rotate = query->owner;
	struct rotate_key *key;
	int row;

	rotate->count = 0;
	rotate->next = 0;
	/* A root key that is not loaded is a fault, which the check finds. */
	if (error != NULL || columns_rows(result) == 0 ||
	    !keyring_activate(
		rotate->service->keyring, columns_text(result, 0, 2)))
		return (rotate_wait(rotate));
	for (row = 0; row < columns_rows(result) && row < STATEMENT_BATCH;
	     row++) {
		key = &rotate->due[rotate->count++];
		uuid_copy(key->id, columns_uuid(result, row, 0));
		uuid_copy(key->project, columns_uuid(result, row, 1));
		key->rotation = (uint32_t)columns_number(result, row, 3);
	}
	rotate_next(rotate);
}

static void
rotate_tick(evutil_socket_t fd, short what, void *arg)
{
	struct rotate *rotate = arg;

	(void)fd;
	(void)what;
	rotate->query.parameters[0] =
	    (struct session_parameter){ .value = STATEMENT_BATCH_TEXT };
	rotate_run(rotate, STATEMENT_KEY_ROTATE_DUE, 1, rotate_found);
}

struct rotate *
rotate_new(struct service *service)
{
	struct rotate *rotate = memory_new(sizeof(*rotate));

	rotate->service = service;
	rotate->timer = evtimer_new(service->base, rotate_tick, rotate);
	rotate_wait(rotate);
	return (rotate);
}

void
rotate_free(struct rotate *rotate)
{
	if (rotate == NULL)
		return;
	pool_abandon(&rotate->query);
	event_free(rotate->timer);
	memory_free(rotate);
}
