/*
 * A bounded store of small values under keys of 16 bytes.  What it holds may
 * be forgotten at any time, the least recently used of a few first.
 */
#ifndef COFFER_CACHE_H
#define COFFER_CACHE_H

#include <stdbool.h>
#include <stddef.h>

#define CACHE_KEY_SIZE 16

struct cache;

/* Room for at least entries values; locked: in memory fit for keys. */
struct cache *cache_new(size_t entries, size_t value_size, bool locked);

/* Accepts NULL; wipes everything. */
void cache_free(struct cache *cache);

/* The value under key, valid until the next cache_put; NULL: not known. */
const void *
cache_get(struct cache *cache, const unsigned char key[CACHE_KEY_SIZE]);

/* Keeps a copy of value under key, in the place of what it held there. */
void cache_put(struct cache *cache, const unsigned char key[CACHE_KEY_SIZE],
    const void *value);

#endif
