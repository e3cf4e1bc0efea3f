#include <event2/event.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/log.h"
#include "base/memory.h"

/* Any byte but zero and 255, between which mallopt would see no difference. */
#define MEMORY_PERTURB 0xa5

static void *
memory_must(void *memory)
{
	static const char text[] =
	    "{\"level\":\"error\",\"event\":\"out of memory\"}\n";

	if (memory == NULL) {
		if (write(STDERR_FILENO, text, sizeof(text) - 1) < 0)
			_exit(1);
		_exit(1);
	}
	return (memory);
}

void *
memory_new(size_t size)
{
	return (memory_new_array(1, size));
}

void *
memory_new_array(size_t count, size_t size)
{
	return (memory_must(calloc(count, size)));
}

void *
memory_grow(void *list, size_t count, size_t *room, size_t size)
{
	void *larger;

	if (count < *room)
		return (list);
	*room = *room == 0 ? 64 : *room * 2;
	larger = memory_new_array(*room, size);
	if (count > 0)
		memcpy(larger, list, count * size);
	memory_free(list);
	return (larger);
}

char *
memory_copy(const char *text)
{
	return (memory_must(strdup(text)));
}

char *
memory_copy_bytes(const void *bytes, size_t size)
{
	char *copy = memory_new(size + 1);

	if (size > 0)
		memcpy(copy, bytes, size);
	return (copy);
}

void
memory_free(void *memory)
{
	free(memory);
}

void
memory_wipe(void *memory, size_t size)
{
	if (size > 0)
		explicit_bzero(memory, size);
}

void
memory_wipe_free(void *memory, size_t size)
{
	if (memory != NULL)
		memory_wipe(memory, size);
	free(memory);
}

void
memory_wipe_free_text(char *text)
{
	if (text != NULL)
		memory_wipe_free(text, strlen(text));
}

void
memory_wipe_registers(void)
{
	/* Each is copied in another way, some by its ends and some in a loop. */
	static const volatile size_t sizes[] = { 128, 256, 512, 1000, 2000 };
	static unsigned char zeros[2000], copy[2000];
	size_t i;

	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		memcpy(copy, zeros, sizes[i]);
		__asm__ volatile("" : : "r"(copy) : "memory");
	}
}

void *
memory_new_locked(size_t size)
{
	static bool told;
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	memory_must(memory == MAP_FAILED ? NULL : memory);
	if ((mlock(memory, size) != 0 ||
		madvise(memory, size, MADV_DONTDUMP) != 0) &&
	    !told) {
		told = true;
		log_warning("unable to lock the memory of the keys",
		    log_text("hint", "raise the limit of locked memory"));
	}
	return (memory);
}

void
memory_free_locked(void *memory, size_t size)
{
	if (memory == NULL)
		return;
	memory_wipe(memory, size);
	munmap(memory, size);
}

void
memory_hide(void)
{
#ifdef COFFER_DEBUG
	log_warning("built for debugging: debuggers see keys");
#else
	const struct rlimit none = { 0, 0 };

	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0 ||
	    setrlimit(RLIMIT_CORE, &none) != 0)
		log_warning("unable to forbid core files");
#endif
}

static void *
memory_library_new(size_t size)
{
	return (memory_must(malloc(size)));
}

static void
memory_library_free(void *memory)
{
	if (memory != NULL)
		memory_wipe(memory, malloc_usable_size(memory));
	free(memory);
}

/* Not realloc: it would leave the old block as it is when it moves. */
static void *
memory_library_resize(void *memory, size_t size)
{
	size_t old = memory != NULL ? malloc_usable_size(memory) : 0;
	void *larger;

	if (size != 0 && size <= old)
		return (memory);
	larger = memory_library_new(size);
	if (old > 0)
		memcpy(larger, memory, old < size ? old : size);
	memory_library_free(memory);
	return (larger);
}

void
memory_guard_libraries(void)
{
	event_set_mem_functions(
	    memory_library_new, memory_library_resize, memory_library_free);
	mallopt(M_PERTURB, MEMORY_PERTURB);
}
