#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "command/verify/receipt_log.h"
#include "fuzz.h"

static const unsigned char hash[CRYPTO_SHA256_SIZE];

/* The seals and rows of a small audit, compared with what the log says. */
static void
compare(struct receipt_log *log)
{
	struct receipt_log_fault fault;
	uint64_t receipts = 0;
	int64_t number;

	for (number = 0; number < 8; number++)
		(void)receipt_log_seal_agrees(log, number, 1, hash);
	receipt_log_seals_end(log, 2);
	for (number = 60; number < 80; number++)
		receipt_log_row(
		    log, number, COVERAGE_FOREIGN, (uint32_t)number, hash);
	FUZZ_EXPECT(receipt_log_rows_end(log));
	while (receipt_log_next_fault(log, &fault))
		receipts++;
	coverage_end(&log->coverage);
	FUZZ_EXPECT(receipts <= log->entries);
	FUZZ_EXPECT(log->receipts_found <= log->receipts_rows);
	FUZZ_EXPECT(receipt_log_is_whole(log));
}

/* A log of any lines is read, and says something or nothing. */
int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	int file = memfd_create("log", MFD_CLOEXEC);
	struct receipt_log log;
	char path[64];

	FUZZ_EXPECT(file >= 0 && write(file, bytes, size) == (ssize_t)size);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
	memset(&log, 0, sizeof(log));
	FUZZ_EXPECT(receipt_log_read(&log, path));
	FUZZ_EXPECT(receipt_log_begin(&log));
	compare(&log);
	receipt_log_free(&log);
	close(file);
	return (0);
}
