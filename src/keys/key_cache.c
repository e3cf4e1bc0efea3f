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
	struct key_cache *hints = memory_new(sizeof(*hints));

	hints->secrets =
	    cache_new(entries, sizeof(struct key_cache_entry), false);
	hints->paths = cache_new(entries, sizeof(uuid_t), false);
	return (hints);
}

void
key_cache_free(struct key_cache *hints)
{
	if (hints == NULL)
		return;
	cache_free(hints->secrets);
	cache_free(hints->paths);
	memory_free(hints);
}

bool
key_cache_get(
    struct key_cache *hints, const uuid_t whose, struct key_cache_entry *hint)
{
	const struct key_cache_entry *known = cache_get(hints->secrets, whose);

	if (known != NULL)
		*hint = *known;
	return (known != NULL);
}

void
key_cache_put(struct key_cache *hints, const uuid_t whose,
    const struct key_cache_entry *hint)
{
	cache_put(hints->secrets, whose, hint);
}

/* A path is of any length: its digest stands for it. */
bool
key_cache_path_get(struct key_cache *hints, const char *path, uuid_t secret)
{
	unsigned char digest[CRYPTO_SHA256_SIZE];
	const void *known;

	crypto_sha256(path, strlen(path), digest);
	known = cache_get(hints->paths, digest);
	if (known != NULL)
		memcpy(secret, known, sizeof(uuid_t));
	return (known != NULL);
}

void
key_cache_path_put(
    struct key_cache *hints, const char *path, const uuid_t secret)
{
	unsigned char digest[CRYPTO_SHA256_SIZE];

	crypto_sha256(path, strlen(path), digest);
	cache_put(hints->paths, digest, secret);
}
