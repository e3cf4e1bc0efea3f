#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "command/verify/pgcopy.h"
#include "fuzz.h"

/* Of the narrowest table that is read, and more than any has. */
static const uint16_t counts[] = { 1, 15, 21, PGCOPY_FIELDS_MAX };

static void
read_rows(const char *path, uint16_t count)
{
	struct pgcopy *copy = pgcopy_open(path);
	struct pgcopy_field fields[PGCOPY_FIELDS_MAX];
	unsigned int sum = 0;
	uint32_t byte;
	uint16_t i;

	FUZZ_EXPECT(copy != NULL);
	while (pgcopy_next(copy, fields, count)) {
		FUZZ_EXPECT(!pgcopy_failed(copy));
		for (i = 0; i < count; i++) {
			FUZZ_EXPECT(
			    fields[i].bytes != NULL || fields[i].size == 0);
			for (byte = 0; byte < fields[i].size; byte++)
				sum += fields[i].bytes[byte];
			sum += (unsigned int)pgcopy_number(&fields[i]);
		}
	}
	/* It stays at its end. */
	FUZZ_EXPECT(!pgcopy_next(copy, fields, count));
	pgcopy_free(copy);
	(void)sum;
}

/* A file of COPY is read to its end, or to where it is none. */
int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	int file = memfd_create("copy", MFD_CLOEXEC);
	char path[64];
	size_t i;

	FUZZ_EXPECT(file >= 0 && write(file, bytes, size) == (ssize_t)size);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
	for (i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
		read_rows(path, counts[i]);
	close(file);
	return (0);
}
