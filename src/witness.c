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
witness_place(struct witness *witness)
{
	struct witness_entry *larger;

	if (witness->receipts_count == witness->receipts_room) {
		witness->receipts_room = witness->receipts_room == 0
		    ? 1024
		    : witness->receipts_room * 2;
		larger =
		    memory_new_array(witness->receipts_room, sizeof(*larger));
		if (witness->receipts_count > 0)
			memcpy(larger, witness->receipts,
			    witness->receipts_count * sizeof(*larger));
		memory_free(witness->receipts);
		witness->receipts = larger;
	}
	return (&witness->receipts[witness->receipts_count++]);
}

/* Of a file that has more, the last ones take the places of the first. */
static void
witness_receipt(
    struct witness *witness, const struct spool_entry *entry, size_t before)
{
	struct witness_entry *place;

	if (before < WITNESS_RECEIPTS)
		place = witness_place(witness);
	else
		place = &witness->receipts[witness->receipts_count -
		    WITNESS_RECEIPTS + before % WITNESS_RECEIPTS];
	place->number = entry->number;
	memcpy(place->hash, entry->hash, sizeof(place->hash));
}

/*
 * A line of the log may have something before it, as syslog's lines do.  False
 * when a seal cannot be kept.
 */
static bool
witness_line(struct witness *witness, const char *text, size_t *receipts)
{
	struct json_object *line, *number;
	const char *json = strchr(text, '{');
	struct spool_entry entry;
	bool is_seal, kept = true;

	if (json == NULL)
		return (true);
	is_seal = strstr(json, "\"event\":\"seal\"") != NULL;
	if (!is_seal && strstr(json, "\"receipt\":") == NULL)
		return (true);
	line = json_tokener_parse(json);
	if (json_object_object_get_ex(
		line, is_seal ? "no" : "receipt", &number) &&
	    witness_hash(line, is_seal ? "hash" : "receipt_hash", entry.hash)) {
		entry.number = json_object_get_int64(number);
		if (is_seal)
			kept = spool_add(witness->seals, &entry);
		else
			witness_receipt(witness, &entry, (*receipts)++);
	}
	json_object_put(line);
	return (kept);
}

static int
witness_compare(const void *left, const void *right)
{
	const struct witness_entry *a = left, *b = right;

	return ((a->number > b->number) - (a->number < b->number));
}

static void
witness_sort(struct witness *witness)
{
	size_t surplus;

	if (witness->receipts_count == 0)
		return;
	qsort(witness->receipts, witness->receipts_count,
	    sizeof(*witness->receipts), witness_compare);
	if (witness->receipts_count <= WITNESS_RECEIPTS_MAX)
		return;
	surplus = witness->receipts_count - WITNESS_RECEIPTS_MAX;
	witness->receipts_count = WITNESS_RECEIPTS_MAX;
	memmove(witness->receipts, witness->receipts + surplus,
	    WITNESS_RECEIPTS_MAX * sizeof(*witness->receipts));
}

bool
witness_read(struct witness *witness, const char *path)
{
	FILE *file = fopen(path, "re");
	size_t receipts = 0;
	char line[8192];
	bool whole = true;

	if (file == NULL)
		return (false);
	if (witness->seals == NULL)
		witness->seals = spool_new();
	while (whole && fgets(line, sizeof(line), file) != NULL)
		whole = witness_line(witness, line, &receipts);
	whole = whole && ferror(file) == 0;
	fclose(file);
	witness_sort(witness);
	return (whole);
}

void
witness_free(struct witness *witness)
{
	spool_free(witness->seals);
	memory_free(witness->receipts);
}

bool
witness_begin(struct witness *witness)
{
	return (witness->seals == NULL || spool_begin(witness->seals));
}

/* Takes the anchors of seals below a number. */
static void
witness_pass_over(struct witness *witness, int64_t no)
{
	const struct spool_entry *next;

	while (
	    (next = spool_next(witness->seals)) != NULL && next->number < no) {
		if (witness->seals_lost == 0)
			witness->seals_lost_first = next->number;
		if (witness->seals_lost == 0 ||
		    next->number != witness->seals_lost_last)
			witness->seals_lost++;
		witness->seals_lost_last = next->number;
		spool_take(witness->seals);
	}
}

bool
witness_seal_agrees(
    struct witness *witness, int64_t no, const unsigned char *hash)
{
	const struct spool_entry *next;
	bool agrees = true;

	witness_pass_over(witness, no);
	while (
	    (next = spool_next(witness->seals)) != NULL && next->number == no) {
		if (memcmp(next->hash, hash, sizeof(next->hash)) != 0)
			agrees = false;
		spool_take(witness->seals);
	}
	return (agrees);
}

bool
witness_seals_end(struct witness *witness)
{
	witness_pass_over(witness, INT64_MAX);
	return (!spool_failed(witness->seals));
}

bool
witness_row_agrees(
    struct witness *witness, int64_t id, const unsigned char *hash)
{
	struct witness_entry key = { .number = id }, *entry = NULL;
	const struct witness_entry *end =
	    witness->receipts + witness->receipts_count;
	bool agrees = true;

	if (witness->receipts_count > 0)
		entry = bsearch(&key, witness->receipts,
		    witness->receipts_count, sizeof(key), witness_compare);
	if (entry == NULL)
		return (true);
	while (entry > witness->receipts && entry[-1].number == id)
		entry--;
	for (; entry < end && entry->number == id; entry++) {
		entry->seen = true;
		if (memcmp(entry->hash, hash, sizeof(entry->hash)) != 0)
			agrees = false;
	}
	return (agrees);
}
