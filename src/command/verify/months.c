#include <json-c/json.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/memory.h"
#include "call/document.h"
#include "command/verify/months.h"

#define MONTHS_DAY 86400
#define MONTHS_EPOCH 10957 /* 2000-01-01, in days since 1970 */
#define MONTHS_JSONB 1 /* the version that jsonb begins with */

void
months_free(struct months *months)
{
	memory_free(months->months);
	memory_free(months->drops);
}

struct month *
months_get(struct months *months, int64_t first_day)
{
	size_t i = months->count;

	/* It is nearly always the last. */
	while (i > 0 && months->months[i - 1].first_day != first_day)
		i--;
	if (i > 0)
		return (&months->months[i - 1]);
	months->months = memory_grow(months->months, months->count,
	    &months->room, sizeof(*months->months));
	months->months[months->count].first_day = first_day;
	return (&months->months[months->count++]);
}

void
months_name(int64_t first_day, char name[MONTHS_NAME_SIZE])
{
	time_t seconds = (time_t)((first_day + MONTHS_EPOCH) * MONTHS_DAY);
	struct tm day;

	if (gmtime_r(&seconds, &day) == NULL ||
	    strftime(name, MONTHS_NAME_SIZE, "%Y-%m-%d", &day) == 0)
		snprintf(name, MONTHS_NAME_SIZE, "?");
}

static int64_t
months_number(struct json_object *object, const char *name)
{
	return (json_object_get_int64(json_object_object_get(object, name)));
}

static void
months_hear_one(struct months *months, int64_t seal, const char *before,
    struct json_object *said)
{
	const char *name;
	struct months_drop *drop;
	int64_t rows;
	size_t i;

	if (!json_object_is_type(said, json_type_object))
		return;
	name = json_object_get_string(json_object_object_get(said, "month"));
	rows = months_number(said, "rows");
	if (name == NULL || strlen(name) >= MONTHS_NAME_SIZE ||
	    strcmp(name, before) >= 0)
		return;
	/* The first word of a seal counts; another may hold where it does not. */
	for (i = 0; i < months->drops_count; i++) {
		if (months->drops[i].seal == seal &&
		    strcmp(months->drops[i].name, name) == 0 &&
		    months->drops[i].rows == rows)
			return;
	}
	months->drops = memory_grow(months->drops, months->drops_count,
	    &months->drops_room, sizeof(*months->drops));
	drop = &months->drops[months->drops_count++];
	memset(drop, 0, sizeof(*drop));
	memcpy(drop->name, name, strlen(name) + 1);
	drop->rows = rows;
	drop->first_id = months_number(said, "first_id");
	drop->last_id = months_number(said, "last_id");
	drop->seal = seal;
}

void
months_hear(struct months *months, int64_t seal, int64_t first_day,
    const struct pgcopy_field *request)
{
	char before[MONTHS_NAME_SIZE], *text;
	struct json_object *said, *earlier;
	size_t i;

	if (request->bytes == NULL || request->size == 0 ||
	    request->bytes[0] != MONTHS_JSONB)
		return;
	months_name(first_day, before);
	text = memory_copy_bytes(request->bytes + 1, request->size - 1);
	said = document_parse(text, request->size - 1);
	memory_free(text);
	months_hear_one(months, seal, before, said);
	/* For the time when the rows about these were dropped themselves. */
	if (json_object_object_get_ex(said, "earlier", &earlier) &&
	    json_object_is_type(earlier, json_type_array)) {
		for (i = 0; i < json_object_array_length(earlier); i++)
			months_hear_one(months, seal, before,
			    json_object_array_get_idx(earlier, i));
	}
	json_object_put(said);
}

void
months_forget(struct months *months, int64_t seal)
{
	size_t i, kept = 0;

	for (i = 0; i < months->drops_count; i++) {
		if (months->drops[i].seal != seal)
			months->drops[kept++] = months->drops[i];
	}
	months->drops_count = kept;
}

bool
months_was_dropped(struct months *months, const struct month *month)
{
	char name[MONTHS_NAME_SIZE];
	size_t i;

	months_name(month->first_day, name);
	for (i = 0; i < months->drops_count; i++) {
		if (strcmp(months->drops[i].name, name) == 0 &&
		    months->drops[i].rows == month->rows)
			return (months->drops[i].believed = true);
	}
	return (false);
}

bool
months_dropped_row(struct months *months, int64_t id)
{
	struct months_drop *drop;
	size_t i;

	for (i = 0; i < months->drops_count; i++) {
		drop = &months->drops[i];
		if (!drop->believed || id < drop->first_id ||
		    id > drop->last_id)
			continue;
		if (drop->asked == 0 || drop->last_asked != id)
			drop->asked++;
		drop->last_asked = id;
		if (drop->asked <= drop->rows)
			return (true);
	}
	return (false);
}
