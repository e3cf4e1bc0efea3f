#include <stdint.h>
#include <string.h>

#include "base/cache.h"
#include "base/memory.h"

/*
 * Set-associative, as in a processor: a key belongs to one set of a few
 * entries, and a new one takes the place of the oldest there.  One block of
 * memory, no lists, no growth; entries are looked up by comparison, so a key
 * that a client has chosen can at worst push out its neighbours.
 */
#define CACHE_WAYS 8

struct cache_entry {
	uint64_t used; /* 0: free */
	unsigned char key[CACHE_KEY_SIZE];
	unsigned char value[];
};

struct cache {
	size_t sets;
	size_t value_size;
	size_t entry_size;
	size_t size;
	uint64_t clock;
	bool locked;
	unsigned char *entries;
};

struct cache *
cache_new(size_t entries, size_t value_size, bool locked)
{
	struct cache *cache = memory_new(sizeof(*cache));
	size_t align = _Alignof(struct cache_entry);

	cache->sets = (entries + CACHE_WAYS - 1) / CACHE_WAYS;
	cache->value_size = value_size;
	cache->entry_size =
	    (sizeof(struct cache_entry) + value_size + align - 1) / align *
	    align;
	cache->size = cache->sets * CACHE_WAYS * cache->entry_size;
	cache->locked = locked;
	cache->entries =
	    locked ? memory_new_locked(cache->size) : memory_new(cache->size);
	return (cache);
}

void
cache_free(struct cache *cache)
{
	if (cache == NULL)
		return;
	if (cache->locked)
		memory_free_locked(cache->entries, cache->size);
	else
		memory_wipe_free(cache->entries, cache->size);
	memory_free(cache);
}

static struct cache_entry *
cache_entry(struct cache *cache, size_t set, size_t way)
{
	return ((struct cache_entry *)(void *)(cache->entries +
	    (set * CACHE_WAYS + way) * cache->entry_size));
}

/* Keys are random UUIDs or digests: any eight bytes spread well. */
static size_t
cache_set(const struct cache *cache, const unsigned char key[CACHE_KEY_SIZE])
{
	uint64_t number;

	memcpy(&number, key + CACHE_KEY_SIZE - sizeof(number), sizeof(number));
	return (number % cache->sets);
}

const void *
cache_get(struct cache *cache, const unsigned char key[CACHE_KEY_SIZE])
{
	size_t set = cache_set(cache, key), way;
	struct cache_entry *entry;

	for (way = 0; way < CACHE_WAYS; way++) {
		entry = cache_entry(cache, set, way);
		if (entry->used != 0 &&
		    memcmp(entry->key, key, CACHE_KEY_SIZE) == 0) {
			entry->used = ++cache->clock;
			return (entry->value);
		}
	}
	return (NULL);
}

void
cache_put(struct cache *cache, const unsigned char key[CACHE_KEY_SIZE],
    const void *value)
{
	size_t set = cache_set(cache, key), way;
	struct cache_entry *entry, *place = NULL;

	for (way = 0; way < CACHE_WAYS; way++) {
		entry = cache_entry(cache, set, way);
		if (entry->used != 0 &&
		    memcmp(entry->key, key, CACHE_KEY_SIZE) == 0) {
			place = entry;
			break;
		}
		if (place == NULL || entry->used < place->used)
			place = entry;
	}
	place->used = ++cache->clock;
	memcpy(place->key, key, CACHE_KEY_SIZE);
	memcpy(place->value, value, cache->value_size);
}
