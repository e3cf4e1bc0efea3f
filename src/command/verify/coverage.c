#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "command/verify/coverage.h"

/*
 * A daemon that is killed has not written the receipts of what it did last.
 * So a row counts as missing only when its instance has written the receipt of
 * a row that is so many seconds younger.
 */
#define COVERAGE_SLACK 60

/* Logs of earlier releases say it in a line of their own. */
static bool
coverage_is_loss(const char *event)
{
	return (strcmp(event, "log lines were lost") == 0 ||
	    strcmp(event, "lines lost") == 0);
}

bool
coverage_is_event(const char *json)
{
	return (strstr(json, "\"event\":\"starting\"") != NULL ||
	    strstr(json, "\"event\":\"stopped\"") != NULL ||
	    strstr(json, "\"event\":\"log lines were lost\"") != NULL ||
	    strstr(json, "\"event\":\"lines lost\"") != NULL ||
	    strstr(json, "\"event\":\"outcome not heard\"") != NULL);
}

static bool
coverage_uuid(struct json_object *line, const char *name, unsigned char *id)
{
	struct json_object *value;

	return (json_object_object_get_ex(line, name, &value) &&
	    json_object_get_string(value) != NULL &&
	    uuid_parse(json_object_get_string(value), id) == 0);
}

void
coverage_hear(struct coverage *coverage, struct json_object *line)
{
	struct json_object *value;
	const char *event = NULL;
	uuid_t id;

	if (json_object_object_get_ex(line, "event", &value))
		event = json_object_get_string(value);
	if (event == NULL)
		return;
	if (strcmp(event, "outcome not heard") == 0 &&
	    coverage_uuid(line, "id", id)) {
		coverage->unheard =
		    memory_grow(coverage->unheard, coverage->unheard_count,
			&coverage->unheard_room, sizeof(*coverage->unheard));
		memcpy(coverage->unheard[coverage->unheard_count++], id,
		    sizeof(id));
	} else if ((strcmp(event, "starting") == 0 ||
		       strcmp(event, "stopped") == 0 ||
		       coverage_is_loss(event)) &&
	    coverage_uuid(line, "instance", id)) {
		struct coverage_instance *instance;

		coverage->instances =
		    memory_grow(coverage->instances, coverage->count,
			&coverage->room, sizeof(*coverage->instances));
		instance = &coverage->instances[coverage->count++];
		memset(instance, 0, sizeof(*instance));
		memcpy(instance->id, id, sizeof(id));
		instance->started = strcmp(event, "starting") == 0;
		instance->stopped = strcmp(event, "stopped") == 0;
		instance->lossy = coverage_is_loss(event);
	}
}

/* Both lists begin with the identifier by which they are sorted. */
static int
coverage_compare(const void *left, const void *right)
{
	return (memcmp(left, right, sizeof(uuid_t)));
}

void
coverage_begin(struct coverage *coverage)
{
	struct coverage_instance *instances = coverage->instances;
	size_t i, kept = 0;

	if (coverage->unheard_count > 0)
		qsort(coverage->unheard, coverage->unheard_count,
		    sizeof(*coverage->unheard), coverage_compare);
	if (coverage->count == 0)
		return;
	qsort(instances, coverage->count, sizeof(*instances), coverage_compare);
	for (i = 1; i < coverage->count; i++) {
		if (uuid_compare(instances[kept].id, instances[i].id) == 0) {
			instances[kept].started |= instances[i].started;
			instances[kept].stopped |= instances[i].stopped;
			instances[kept].lossy |= instances[i].lossy;
		} else {
			instances[++kept] = instances[i];
		}
	}
	coverage->count = kept + 1;
	/* The end of a log alone says nothing of what came before. */
	for (i = kept = 0; i < coverage->count; i++) {
		coverage->lossy += instances[i].lossy;
		if (instances[i].started || instances[i].lossy)
			instances[kept++] = instances[i];
	}
	coverage->count = kept;
}

static bool
coverage_is_unheard(
    const struct coverage *coverage, const struct pgcopy_field *request)
{
	return (coverage->unheard_count > 0 && request->bytes != NULL &&
	    request->size == sizeof(uuid_t) &&
	    bsearch(request->bytes, coverage->unheard, coverage->unheard_count,
		sizeof(*coverage->unheard), coverage_compare) != NULL);
}

uint32_t
coverage_mark(const struct coverage *coverage,
    const struct pgcopy_field *instance, const struct pgcopy_field *request,
    const struct pgcopy_field *method)
{
	const struct coverage_instance *found = NULL;

	/* Jobs, operators and the daemon itself have a schema in the name. */
	if (coverage->count == 0 || method->bytes == NULL ||
	    memchr(method->bytes, '.', method->size) != NULL)
		return (COVERAGE_NONE);
	if (instance->bytes != NULL && instance->size == sizeof(uuid_t))
		found = bsearch(instance->bytes, coverage->instances,
		    coverage->count, sizeof(*found), coverage_compare);
	if (found == NULL)
		return (COVERAGE_FOREIGN);
	if (found->lossy || coverage_is_unheard(coverage, request))
		return (COVERAGE_NONE);
	return (COVERAGE_FIRST + (uint32_t)(found - coverage->instances));
}

static void
coverage_count(struct coverage_rows *rows, int64_t number, uint32_t at)
{
	if (rows->count++ == 0) {
		rows->first = number;
		rows->at = at;
	}
}

static void
coverage_add(struct coverage_rows *rows, const struct coverage_rows *more)
{
	if (rows->count == 0 || more->first < rows->first) {
		rows->first = more->first;
		rows->at = more->at;
	}
	rows->count += more->count;
}

static bool
coverage_is_long_before(uint32_t at, uint32_t later)
{
	return (later >= COVERAGE_SLACK && later - COVERAGE_SLACK >= at);
}

void
coverage_row(struct coverage *coverage, uint32_t mark, int64_t number,
    uint32_t at, bool covered)
{
	struct coverage_instance *instance;

	if (mark == COVERAGE_FOREIGN && !covered)
		coverage_count(&coverage->foreign, number, at);
	if (covered && at > coverage->newest)
		coverage->newest = at;
	if (mark < COVERAGE_FIRST)
		return;
	instance = &coverage->instances[mark - COVERAGE_FIRST];
	if (!covered) {
		coverage_count(&instance->waiting, number, at);
	} else if (instance->waiting.count > 0 &&
	    coverage_is_long_before(instance->waiting.at, at)) {
		coverage_add(&instance->missing, &instance->waiting);
		instance->waiting.count = 0;
	}
}

void
coverage_end(struct coverage *coverage)
{
	size_t i;

	for (i = 0; i < coverage->count; i++) {
		struct coverage_instance *instance = &coverage->instances[i];
		const struct coverage_rows *waiting = &instance->waiting;

		if (waiting->count == 0)
			continue;
		if (instance->stopped)
			coverage_add(&instance->missing, waiting);
		else if (coverage_is_long_before(waiting->at, coverage->newest))
			coverage_add(&coverage->open, waiting);
	}
}

void
coverage_free(struct coverage *coverage)
{
	memory_free(coverage->instances);
	memory_free(coverage->unheard);
}
