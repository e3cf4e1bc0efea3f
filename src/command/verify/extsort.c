#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "command/verify/extsort.h"

#define SPOOL_AHEAD 256 /* entries of a run that are read at once */
#define SPOOL_RUN_SIZE (EXTSORT_ROOM * (off_t)sizeof(struct extsort_entry))

/*
 * The file has runs of EXTSORT_ROOM entries, each of them sorted; what came
 * after the last of them is in memory.
 */
struct spool_run {
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
	struct spool_run *runs; /* NULL: it is still filled */
	/* The runs that have more: none before the one at half its place. */
	struct spool_run **heap;
	size_t heap_count;
	bool failed;
};

struct extsort *
extsort_new(void)
{
	struct extsort *spool = memory_new(sizeof(*spool));

	spool->entries =
	    memory_new_array(EXTSORT_ROOM, sizeof(*spool->entries));
	return (spool);
}

void
extsort_free(struct extsort *spool)
{
	size_t i;

	if (spool == NULL)
		return;
	for (i = 0; spool->runs != NULL && i < spool->file_runs; i++)
		memory_free(spool->runs[i].ahead);
	memory_free(spool->runs);
	memory_free(spool->heap);
	memory_free(spool->entries);
	if (spool->file != NULL)
		fclose(spool->file);
	memory_free(spool);
}

static int
spool_compare(const void *left, const void *right)
{
	const struct extsort_entry *a = left, *b = right;

	return ((a->number > b->number) - (a->number < b->number));
}

static void
spool_sort(struct extsort *spool)
{
	qsort(spool->entries, spool->count, sizeof(*spool->entries),
	    spool_compare);
}

/* Not tmpfile, which knows nothing of TMPDIR. */
static FILE *
spool_file(void)
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
spool_write(struct extsort *spool)
{
	spool_sort(spool);
	if (spool->file == NULL)
		spool->file = spool_file();
	if (spool->file == NULL ||
	    fwrite(spool->entries, sizeof(*spool->entries), spool->count,
		spool->file) != spool->count)
		return (false);
	spool->file_runs++;
	spool->count = 0;
	return (true);
}

bool
extsort_add(struct extsort *spool, const struct extsort_entry *entry)
{
	if (spool->count == EXTSORT_ROOM && !spool_write(spool))
		return (false);
	spool->entries[spool->count++] = *entry;
	return (true);
}

static void
spool_read(struct extsort *spool, struct spool_run *run)
{
	size_t count = run->left < SPOOL_AHEAD ? run->left : SPOOL_AHEAD;
	size_t size = count * sizeof(*run->ahead);

	run->next = run->end = run->ahead;
	if (count == 0)
		return;
	if (pread(fileno(spool->file), run->ahead, size, run->place) !=
	    (ssize_t)size) {
		spool->failed = true;
		return;
	}
	run->end += count;
	run->left -= count;
	run->place += (off_t)size;
}

/* Puts the run at a place where it belongs, which is there or further down. */
static void
spool_sift(struct extsort *spool, size_t place)
{
	struct spool_run **heap = spool->heap, *run = heap[place];
	size_t below;

	while ((below = 2 * place + 1) < spool->heap_count) {
		if (below + 1 < spool->heap_count &&
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
extsort_begin(struct extsort *spool)
{
	struct spool_run *run;
	size_t i;

	spool_sort(spool);
	if (spool->file != NULL && fflush(spool->file) != 0) {
		spool->failed = true;
		return (false);
	}
	spool->runs = memory_new_array(spool->file_runs + 1, sizeof(*run));
	spool->heap =
	    memory_new_array(spool->file_runs + 1, sizeof(*spool->heap));
	for (i = 0; i < spool->file_runs; i++) {
		run = &spool->runs[i];
		run->ahead = memory_new_array(SPOOL_AHEAD, sizeof(*run->ahead));
		run->place = (off_t)i * SPOOL_RUN_SIZE;
		run->left = EXTSORT_ROOM;
		spool_read(spool, run);
	}
	run = &spool->runs[spool->file_runs];
	run->next = spool->entries;
	run->end = spool->entries + spool->count;
	for (i = 0; i <= spool->file_runs; i++) {
		run = &spool->runs[i];
		if (run->next < run->end)
			spool->heap[spool->heap_count++] = run;
	}
	for (i = spool->heap_count / 2; i > 0; i--)
		spool_sift(spool, i - 1);
	return (!spool->failed);
}

const struct extsort_entry *
extsort_next(const struct extsort *spool)
{
	return (spool->heap_count > 0 ? spool->heap[0]->next : NULL);
}

void
extsort_take(struct extsort *spool)
{
	struct spool_run *run = spool->heap[0];

	if (++run->next == run->end && run->ahead != NULL)
		spool_read(spool, run);
	if (run->next == run->end)
		spool->heap[0] = spool->heap[--spool->heap_count];
	if (spool->heap_count > 0)
		spool_sift(spool, 0);
}

bool
extsort_failed(const struct extsort *spool)
{
	return (spool->failed);
}
