#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "witness.h"

static bool
witness_hash(struct json_object *line, const char *name, unsigned char *hash)
{
	struct json_object *value;
	const char *text;
	unsigned int byte;
	size_t i;

	if (!json_object_object_get_ex(line, name, &value))
		return (false);
	text = json_object_get_string(value);
	if (text == NULL || strlen(text) != 2 * CRYPTO_SHA256_SIZE)
		return (false);
	for (i = 0; i < CRYPTO_SHA256_SIZE; i++) {
		if (sscanf(text + 2 * i, "%2x", &byte) != 1)
			return (false);
		hash[i] = (unsigned char)byte;
	}
	return (true);
}

static struct witness_entry *
witness_place(struct witness_list *list)
{
	struct witness_entry *larger;

	if (list->count == list->room) {
		list->room = list->room == 0 ? 1024 : list->room * 2;
		larger = memory_new_array(list->room, sizeof(*larger));
		if (list->count > 0)
			memcpy(larger, list->entries,
			    list->count * sizeof(*larger));
		memory_free(list->entries);
		list->entries = larger;
	}
	return (&list->entries[list->count++]);
}

/* A line of the log may have something before it, as syslog's lines do. */
static void
witness_line(struct witness *witness, const char *text, size_t *receipts)
{
	const char *name = NULL, *hash = NULL;
	struct witness_entry entry = { .seen = false };
	struct json_object *line, *number;
	const char *json = strchr(text, '{');

	if (json == NULL)
		return;
	if (strstr(json, "\"event\":\"seal\"") != NULL) {
		name = "no";
		hash = "hash";
	} else if (strstr(json, "\"receipt\":") != NULL) {
		name = "receipt";
		hash = "receipt_hash";
	} else {
		return;
	}
	line = json_tokener_parse(json);
	if (json_object_object_get_ex(line, name, &number) &&
	    witness_hash(line, hash, entry.hash)) {
		entry.number = json_object_get_int64(number);
		if (*name == 'n')
			*witness_place(&witness->seals) = entry;
		else if (*receipts < WITNESS_RECEIPTS)
			*witness_place(&witness->receipts) = entry;
		else /* in place of the oldest of this file */
			witness->receipts.entries[witness->receipts.count -
			    WITNESS_RECEIPTS + *receipts % WITNESS_RECEIPTS] =
			    entry;
		*receipts += *name == 'r';
	}
	json_object_put(line);
}

bool
witness_read(struct witness *witness, const char *path)
{
	FILE *file = fopen(path, "re");
	size_t receipts = 0;
	char line[8192];
	bool whole;

	if (file == NULL)
		return (false);
	while (fgets(line, sizeof(line), file) != NULL)
		witness_line(witness, line, &receipts);
	whole = ferror(file) == 0;
	fclose(file);
	return (whole);
}

void
witness_free(struct witness *witness)
{
	memory_free(witness->seals.entries);
	memory_free(witness->receipts.entries);
}

static int
witness_compare(const void *left, const void *right)
{
	const struct witness_entry *a = left, *b = right;

	return ((a->number > b->number) - (a->number < b->number));
}

static void
witness_sort_list(struct witness_list *list)
{
	if (list->count > 0)
		qsort(list->entries, list->count, sizeof(*list->entries),
		    witness_compare);
}

void
witness_sort(struct witness *witness)
{
	witness_sort_list(&witness->seals);
	witness_sort_list(&witness->receipts);
}

bool
witness_agrees(
    const struct witness_list *list, int64_t number, const unsigned char *hash)
{
	struct witness_entry key = { .number = number }, *entry = NULL;
	bool agrees = true;

	if (list->count > 0)
		entry = bsearch(&key, list->entries, list->count, sizeof(key),
		    witness_compare);
	if (entry == NULL)
		return (true);
	while (entry > list->entries && entry[-1].number == number)
		entry--;
	for (; entry < list->entries + list->count && entry->number == number;
	     entry++) {
		entry->seen = true;
		if (memcmp(entry->hash, hash, sizeof(entry->hash)) != 0)
			agrees = false;
	}
	return (agrees);
}
