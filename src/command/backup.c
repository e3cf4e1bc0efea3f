#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/utf8.h"
#include "call/document.h"
#include "call/member.h"
#include "command/backup.h"
#include "db/columns.h"

struct backup {
	int fd;
	bool ended;
	unsigned long line;
	size_t size; /* of what was read and is left */
	size_t first; /* where it begins */
	char *fault;
	/* The line that is read ahead; json NULL: there is none. */
	struct json_object *json;
	struct document_value data;
	char bytes[BACKUP_LINE_MAX];
};

struct backup *
backup_new(int fd)
{
	struct backup *backup = memory_new_locked(sizeof(*backup));

	backup->fd = fd;
	return (backup);
}

static void
backup_forget(struct backup *backup)
{
	json_object_put(backup->json);
	backup->json = NULL;
	document_value_free(&backup->data);
}

void
backup_free(struct backup *backup)
{
	if (backup == NULL)
		return;
	backup_forget(backup);
	memory_free_locked(backup, sizeof(*backup));
}

static bool
backup_refuse(struct backup *backup, const char *what)
{
	snprintf(backup->fault, BACKUP_FAULT_SIZE, "line %lu %s", backup->line,
	    what);
	return (false);
}

/* Reads more behind what is left, which moves to the front. */
static bool
backup_fill(struct backup *backup)
{
	ssize_t count;

	memmove(backup->bytes, backup->bytes + backup->first, backup->size);
	backup->first = 0;
	if (backup->size == sizeof(backup->bytes))
		return (backup_refuse(backup, "is longer than 1 MiB"));
	do
		count = read(backup->fd, backup->bytes + backup->size,
		    sizeof(backup->bytes) - backup->size);
	while (count < 0 && errno == EINTR);
	if (count < 0)
		return (backup_refuse(backup, "cannot be read"));
	backup->ended = count == 0;
	backup->size += (size_t)count;
	return (true);
}

static bool
backup_parse(struct backup *backup, const char *text, size_t size)
{
	backup->json = document_parse(text, size);
	if (backup->json == NULL)
		return (backup_refuse(backup, "is not one JSON object"));
	if (!utf8_is_uuid(member_text(backup->json, "secret_id")))
		return (backup_refuse(backup, "has no secret_id"));
	if (strcmp(document_cut(backup->json, "data", &backup->data),
		"given") != 0)
		return (backup_refuse(backup, "has no data in base64"));
	return (true);
}

/* Has the next line read ahead, if there is one. */
static bool
backup_advance(struct backup *backup)
{
	const char *end = NULL;
	char *text;
	size_t size;
	bool parsed;

	backup->line++;
	for (;;) {
		text = backup->bytes + backup->first;
		end = memchr(text, '\n', backup->size);
		if (end != NULL || backup->ended)
			break;
		if (!backup_fill(backup))
			return (false);
	}
	size = end != NULL ? (size_t)(end - text) : backup->size;
	if (end == NULL && size == 0)
		return (true);
	/* json-c takes a NUL for the end. */
	if (end == NULL && backup->first + size == sizeof(backup->bytes))
		return (backup_refuse(backup, "is longer than 1 MiB"));
	text[size] = '\0';
	parsed = backup_parse(backup, text, size);
	memory_wipe(text, size);
	backup->first += size + (end != NULL);
	backup->size -= size + (end != NULL);
	return (parsed);
}

static bool
backup_is_of(struct json_object *json, const struct backup_secret *secret)
{
	struct json_object *first =
	    json_object_array_get_idx(secret->versions, 0);

	return (first == NULL ||
	    strcmp(member_text(first, "secret_id"),
		member_text(json, "secret_id")) == 0);
}

static bool
backup_take(struct backup *backup, struct backup_secret *secret)
{
	if (secret->data.size + backup->data.size > BACKUP_SECRET_MAX)
		return (backup_refuse(
		    backup, "makes the values of its secret exceed 128 MiB"));
	pgarray_add(&secret->data, backup->data.bytes, backup->data.size);
	json_object_array_add(secret->versions, backup->json);
	backup->json = NULL;
	backup_forget(backup);
	return (true);
}

enum backup_state
backup_next(struct backup *backup, struct backup_secret *secret,
    char fault[BACKUP_FAULT_SIZE])
{
	secret->versions = json_object_new_array();
	pgarray_begin(&secret->data, COLUMN_BYTEA);
	backup->fault = fault;
	for (;;) {
		if (backup->json == NULL && !backup_advance(backup))
			return (BACKUP_FAULT);
		if (backup->json == NULL || !backup_is_of(backup->json, secret))
			break;
		if (!backup_take(backup, secret))
			return (BACKUP_FAULT);
	}
	return (secret->data.count > 0 ? BACKUP_SECRET : BACKUP_END);
}

void
backup_secret_free(struct backup_secret *secret)
{
	json_object_put(secret->versions);
	secret->versions = NULL;
	pgarray_free(&secret->data);
}
