/*
 * The only module that allocates.  Nothing here returns NULL: memory that
 * cannot be had ends the process, because every size that comes from outside
 * has been bounded before it gets here.
 */
#ifndef COFFER_MEMORY_H
#define COFFER_MEMORY_H

#include <stddef.h>

/* Zeroed memory, to be given to memory_free. */
void *memory_new(size_t size);
void *memory_new_array(size_t count, size_t size);

/*
 * An array with room for one more than the count of those in it: itself, or a
 * larger one, in whose place it is freed.  room: how many it has room for; 0,
 * with a list that is NULL, at first.  What is new in it is zeroed.
 */
void *memory_grow(void *list, size_t count, size_t *room, size_t size)
    __attribute__((warn_unused_result));

/* A copy that ends in NUL, to be given to memory_free. */
char *memory_copy(const char *text);
char *memory_copy_bytes(const void *bytes, size_t size);

/* Accepts NULL. */
void memory_free(void *memory);

/* Overwrites what a compiler would be free to leave. */
void memory_wipe(void *memory, size_t size);
void memory_wipe_free(void *memory, size_t size);
void memory_wipe_free_text(char *text);

/*
 * Overwrites the registers by which the C library copies blocks, and which have
 * the end of the last large one until there is another.
 */
void memory_wipe_registers(void);

/*
 * Memory for keys: never swapped, never in a core file, wiped on release.
 * When the system refuses to lock it, that is logged once and borne.
 */
void *memory_new_locked(size_t size);
void memory_free_locked(void *memory, size_t size);

/*
 * No core file, and no other process of the same user, gets to see a key from
 * now on: but for a build with --enable-debug, which says so in each log.
 */
void memory_hide(void);

/*
 * Makes what the libraries free be overwritten too: libevent, which holds
 * tokens and bodies, in full; libpq and json-c for blocks above the size that
 * the C library keeps for quick reuse.  Called before any of them is used.
 */
void memory_guard_libraries(void);

#endif
