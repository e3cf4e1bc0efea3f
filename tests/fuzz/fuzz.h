/*
 * What every fuzz target includes: the function that libFuzzer calls, again
 * and again, with bytes that it makes up.
 */
#ifndef COFFER_FUZZ_H
#define COFFER_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* A promise that is broken is a finding, as a crash is. */
#define FUZZ_EXPECT(condition)    \
	do {                      \
		if (!(condition)) \
			abort();  \
	} while (0)

#endif
