#include <string.h>

#include "base/cache.h"
#include "base/crypto.h"
#include "base/memory.h"
#include "keys/key_cache.h"

struct key_cache {
	struct cache *secrets;
	struct cache *paths;
};

struct key_cache *
key_cache_new(size_t entries)
{
	struct key_cache *cache = memory_new(sizeof(*cache));

	cache->secrets =
	    cache_new(entries, sizeof(struct key_cache_entry), false);
	cache->paths = cache_new(entries, sizeof(uuid_t), false);
	return (cache);
}

void
key_cache_free(struct key_cache *cache)
{
	if (cache == NULL)
		return;
	cache_free(cache->secrets);
	cache_free(cache->paths);
	memory_free(cache);
}

bool
key_cache_get(
    struct key_cache *cache, const uuid_t whose, struct key_cache_entry *entry)
{
	const struct key_cache_entry *known = cache_get(cache->secrets, whose);

	if (known != NULL)
		*entry = *known;
	return (known != NULL);
}

void
key_cache_put(struct key_cache *cache, const uuid_t whose,
    const struct key_cache_entry *entry)
{
	cache_put(cache->secrets, whose, entry);
}

/* A path is of any length: its digest stands for it. */
bool
key_cache_path_get(struct key_cache *cache, const char *path, uuid_t secret)
{
	unsigned char digest[CRYPTO_SHA256_SIZE];
	const void *known;

	crypto_sha256(path, strlen(path), digest);
	known = cache_get(cache->paths, digest);
	if (known != NULL)
		memcpy(secret, known, sizeof(uuid_t));
	return (known != NULL);
}

void
key_cache_path_put(
    struct key_cache *cache, const char *path, const uuid_t secret)
{
	unsigned char digest[CRYPTO_SHA256_SIZE];

	crypto_sha256(path, strlen(path), digest);
	cache_put(cache->paths, digest, secret);
}
