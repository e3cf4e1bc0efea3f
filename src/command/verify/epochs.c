#include <json-c/json.h>
#include <string.h>

#include "base/memory.h"
#include "call/document.h"
#include "command/verify/epochs.h"

#define EPOCHS_JSONB 1 /* the first byte of its binary form */

void
epochs_free(struct epochs *epochs)
{
	memory_free(epochs->begins);
	memset(epochs, 0, sizeof(*epochs));
}

/* A number above 0; 0: it is none, as in rows of before there were such. */
static int64_t
epochs_number(struct json_object *said, const char *name)
{
	struct json_object *number;
	int64_t value = 0;

	if (json_object_object_get_ex(said, name, &number) &&
	    json_object_is_type(number, json_type_int))
		value = json_object_get_int64(number);
	return (value > 0 ? value : 0);
}

void
epochs_hear(
    struct epochs *epochs, int64_t seal, const struct pgcopy_field *request)
{
	struct epochs_begin begin = { .seal = seal };
	struct json_object *said;
	char *text;

	if (request->bytes == NULL || request->size == 0 ||
	    request->bytes[0] != EPOCHS_JSONB)
		return;
	text = memory_copy_bytes(request->bytes + 1, request->size - 1);
	said = document_parse(text, request->size - 1);
	memory_free(text);
	if (json_object_is_type(said, json_type_object)) {
		begin.epoch = epochs_number(said, "epoch");
		begin.settled_id = epochs_number(said, "settled_id");
		begin.id_from = epochs_number(said, "id_from");
	}
	json_object_put(said);
	if (begin.epoch == 0 || begin.id_from == 0)
		return;
	epochs->begins = memory_grow(epochs->begins, epochs->count,
	    &epochs->room, sizeof(*epochs->begins));
	epochs->begins[epochs->count++] = begin;
}

void
epochs_forget(struct epochs *epochs, int64_t seal)
{
	size_t i, kept = 0;

	for (i = 0; i < epochs->count; i++) {
		if (epochs->begins[i].seal != seal)
			epochs->begins[kept++] = epochs->begins[i];
	}
	epochs->count = kept;
}

bool
epochs_lost_row(struct epochs *epochs, int64_t id)
{
	struct epochs_begin *begin;
	size_t i;

	for (i = 0; i < epochs->count; i++) {
		begin = &epochs->begins[i];
		if (id <= begin->settled_id || id > begin->id_from)
			continue;
		if (begin->receipts++ == 0)
			begin->first = id;
		begin->last = id;
		return (true);
	}
	return (false);
}
