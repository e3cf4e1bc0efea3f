#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "command/verify/extsort.h"

#define EXTSORT_AHEAD 256 /* entries of a run that are read at once */
#define EXTSORT_RUN_SIZE (EXTSORT_ROOM * (off_t)sizeof(struct extsort_entry))

/*
 * The file has runs of EXTSORT_ROOM entries, each of them sorted; what came
 * after the last of them is in memory.
 */
struct extsort_run {
	struct extsort_entry *ahead; /* NULL: it is the one in memory */
	const struct extsort_entry *next, *end;
	off_t place; /* in the file, of what comes after end */
	size_t left; /* entries there */
};

struct extsort {
	FILE *file;
	size_t file_runs;
	struct extsort_entry *entries;
	size_t count;
	struct extsort_run *runs; /* NULL: it is still filled */
	/* The runs that have more: none before the one at half its place. */
	struct extsort_run **heap;
	size_t heap_count;
	bool failed;
};

struct extsort *
extsort_new(void)
{
	struct extsort *sort = memory_new(sizeof(*sort));

	sort->entries = memory_new_array(EXTSORT_ROOM, sizeof(*sort->entries));
	return (sort);
}

void
extsort_free(struct extsort *sort)
{
	size_t i;

	if (sort == NULL)
		return;
	for (i = 0; sort->runs != NULL && i < sort->file_runs; i++)
		memory_free(sort->runs[i].ahead);
	memory_free(sort->runs);
	memory_free(sort->heap);
	memory_free(sort->entries);
	if (sort->file != NULL)
		fclose(sort->file);
	memory_free(sort);
}

static int
extsort_compare(const void *left, const void *right)
{
	const struct extsort_entry *a = left, *b = right;

	return ((a->number > b->number) - (a->number < b->number));
}

static void
extsort_sort(struct extsort *sort)
{
	qsort(sort->entries, sort->count, sizeof(*sort->entries),
	    extsort_compare);
}

/* Not tmpfile, which knows nothing of TMPDIR. */
static FILE *
extsort_file(void)
{
	const char *directory = getenv("TMPDIR");
	char path[PATH_MAX];
	int length, fd;

	length = snprintf(path, sizeof(path), "%s/coffer-XXXXXX",
	    directory != NULL && *directory != '\0' ? directory : P_tmpdir);
	if (length < 0 || (size_t)length >= sizeof(path))
		return (NULL);
	fd = mkostemp(path, O_CLOEXEC);
	if (fd < 0)
		return (NULL);
	unlink(path);
	return (fdopen(fd, "w+"));
}

static bool
extsort_write(struct extsort *sort)
{
	extsort_sort(sort);
	if (sort->file == NULL)
		sort->file = extsort_file();
	if (sort->file == NULL ||
	    fwrite(sort->entries, sizeof(*sort->entries), sort->count,
		sort->file) != sort->count)
		return (false);
	sort->file_runs++;
	sort->count = 0;
	return (true);
}

bool
extsort_add(struct extsort *sort, const struct extsort_entry *entry)
{
	if (sort->count == EXTSORT_ROOM && !extsort_write(sort))
		return (false);
	sort->entries[sort->count++] = *entry;
	return (true);
}

static void
extsort_read(struct extsort *sort, struct extsort_run *run)
{
	size_t count = run->left < EXTSORT_AHEAD ? run->left : EXTSORT_AHEAD;
	size_t size = count * sizeof(*run->ahead);

	run->next = run->end = run->ahead;
	if (count == 0)
		return;
	if (pread(fileno(sort->file), run->ahead, size, run->place) !=
	    (ssize_t)size) {
		sort->failed = true;
		return;
	}
	run->end += count;
	run->left -= count;
	run->place += (off_t)size;
}

/* Puts the run at a place where it belongs, which is there or further down. */
static void
extsort_sift(struct extsort *sort, size_t place)
{
	struct extsort_run **heap = sort->heap, *run = heap[place];
	size_t below;

	while ((below = 2 * place + 1) < sort->heap_count) {
		if (below + 1 < sort->heap_count &&
		    heap[below + 1]->next->number < heap[below]->next->number)
			below++;
		if (run->next->number <= heap[below]->next->number)
			break;
		heap[place] = heap[below];
		place = below;
	}
	heap[place] = run;
}

bool
extsort_begin(struct extsort *sort)
{
	struct extsort_run *run;
	size_t i;

	extsort_sort(sort);
	if (sort->file != NULL && fflush(sort->file) != 0) {
		sort->failed = true;
		return (false);
	}
	sort->runs = memory_new_array(sort->file_runs + 1, sizeof(*run));
	sort->heap = memory_new_array(sort->file_runs + 1, sizeof(*sort->heap));
	for (i = 0; i < sort->file_runs; i++) {
		run = &sort->runs[i];
		run->ahead =
		    memory_new_array(EXTSORT_AHEAD, sizeof(*run->ahead));
		run->place = (off_t)i * EXTSORT_RUN_SIZE;
		run->left = EXTSORT_ROOM;
		extsort_read(sort, run);
	}
	run = &sort->runs[sort->file_runs];
	run->next = sort->entries;
	run->end = sort->entries + sort->count;
	for (i = 0; i <= sort->file_runs; i++) {
		run = &sort->runs[i];
		if (run->next < run->end)
			sort->heap[sort->heap_count++] = run;
	}
	for (i = sort->heap_count / 2; i > 0; i--)
		extsort_sift(sort, i - 1);
	return (!sort->failed);
}

const struct extsort_entry *
extsort_next(const struct extsort *sort)
{
	return (sort->heap_count > 0 ? sort->heap[0]->next : NULL);
}

void
extsort_take(struct extsort *sort)
{
	struct extsort_run *run = sort->heap[0];

	if (++run->next == run->end && run->ahead != NULL)
		extsort_read(sort, run);
	if (run->next == run->end)
		sort->heap[0] = sort->heap[--sort->heap_count];
	if (sort->heap_count > 0)
		extsort_sift(sort, 0);
}

bool
extsort_failed(const struct extsort *sort)
{
	return (sort->failed);
}
