#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#include "base/spelling.h"

#define SPELLING_MOST 2 /* characters that differ */
#define SPELLING_LENGTH 64 /* of names; longer ones are near nothing */

void
spelling_begin(struct spelling *spelling, const char *text)
{
	spelling->text = text;
	spelling->nearest = NULL;
	spelling->distance = SPELLING_MOST + 1;
}

static size_t
spelling_least(size_t a, size_t b, size_t c)
{
	size_t least = a < b ? a : b;

	return (least < c ? least : c);
}

/* Levenshtein's distance, a row of the table at a time. */
static size_t
spelling_distance(const char *a, size_t a_size, const char *b, size_t b_size)
{
	size_t row[SPELLING_LENGTH + 1], i, j, left_above, above;
	bool differ;

	for (j = 0; j <= b_size; j++)
		row[j] = j;
	for (i = 1; i <= a_size; i++) {
		left_above = row[0];
		row[0] = i;
		for (j = 1; j <= b_size; j++) {
			differ = tolower((unsigned char)a[i - 1]) !=
			    tolower((unsigned char)b[j - 1]);
			above = row[j];
			row[j] = spelling_least(
			    above + 1, row[j - 1] + 1, left_above + differ);
			left_above = above;
		}
	}
	return (row[b_size]);
}

void
spelling_consider(struct spelling *spelling, const char *name)
{
	const size_t text_size = strlen(spelling->text), size = strlen(name);
	size_t distance;

	if (text_size > SPELLING_LENGTH || size > SPELLING_LENGTH)
		return;
	distance = spelling_distance(spelling->text, text_size, name, size);
	if (distance < spelling->distance && distance * 2 < size) {
		spelling->nearest = name;
		spelling->distance = distance;
	}
}
