#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/load.h"
#include "fuzz.h"

/* A file of settings is read, or what is wrong with it is said. */
int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct settings values;
	char path[64], cause[256] = "";
	int file = memfd_create("settings", MFD_CLOEXEC);

	FUZZ_EXPECT(file >= 0 && write(file, bytes, size) == (ssize_t)size);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
	if (load_settings(&values, path, cause, sizeof(cause)))
		FUZZ_EXPECT(values.listen != NULL && values.pool_size > 0);
	else
		FUZZ_EXPECT(cause[0] != '\0');
	load_free(&values);
	close(file);
	return (0);
}
