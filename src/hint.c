#include <string.h>

#include "cache.h"
#include "crypto.h"
#include "hint.h"
#include "memory.h"

struct hints {
	struct cache *secrets;
	struct cache *paths;
};

struct hints *
hint_new(size_t entries)
{
	struct hints *hints = memory_new(sizeof(*hints));

	hints->secrets = cache_new(entries, sizeof(struct hint), false);
	hints->paths = cache_new(entries, sizeof(uuid_t), false);
	return (hints);
}

void
hint_free(struct hints *hints)
{
	if (hints == NULL)
		return;
	cache_free(hints->secrets);
	cache_free(hints->paths);
	memory_free(hints);
}

bool
hint_get(struct hints *hints, const uuid_t whose, struct hint *hint)
{
	const struct hint *known = cache_get(hints->secrets, whose);

	if (known != NULL)
		*hint = *known;
	return (known != NULL);
}

void
hint_put(struct hints *hints, const uuid_t whose, const struct hint *hint)
{
	cache_put(hints->secrets, whose, hint);
}

/* A path is of any length: its digest stands for it. */
bool
hint_path_get(struct hints *hints, const char *path, uuid_t secret)
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
hint_path_put(struct hints *hints, const char *path, const uuid_t secret)
{
	unsigned char digest[CRYPTO_SHA256_SIZE];

	crypto_sha256(path, strlen(path), digest);
	cache_put(hints->paths, digest, secret);
}
