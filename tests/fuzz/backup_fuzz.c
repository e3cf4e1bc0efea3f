#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "command/backup.h"
#include "fuzz.h"

/* Each secret has as many lines as payloads, for any input. */
int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	int file = memfd_create("backup", MFD_CLOEXEC);
	enum backup_state state = BACKUP_SECRET;
	struct backup_secret secret;
	char fault[BACKUP_FAULT_SIZE] = "";
	struct backup *backup;

	FUZZ_EXPECT(file >= 0 && write(file, bytes, size) == (ssize_t)size);
	FUZZ_EXPECT(lseek(file, 0, SEEK_SET) == 0);
	backup = backup_new(file);
	while (state == BACKUP_SECRET) {
		state = backup_next(backup, &secret, fault);
		FUZZ_EXPECT(json_object_array_length(secret.versions) ==
		    secret.data.count);
		FUZZ_EXPECT((state == BACKUP_FAULT) == (fault[0] != '\0'));
		backup_secret_free(&secret);
	}
	backup_free(backup);
	close(file);
	return (0);
}
