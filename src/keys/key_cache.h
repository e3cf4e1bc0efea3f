/*
 * What the daemon remembers of earlier calls, so that it can send the key
 * with the first call: which project and KEK a secret has, and which secret a
 * path led to; and the newest rotation of a managed key, with which it can do
 * what is asked before the first call.  It may be stale; the database checks,
 * and asks again.
 *
 * A caller mostly reads in one project: what its last read told is kept under
 * its digest, and serves for a secret that nothing is known of.
 */
#ifndef COFFER_KEY_CACHE_H
#define COFFER_KEY_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uuid/uuid.h>

/* What a daemon remembers: a secret beyond it costs a call one more round. */
#define KEY_CACHE_ENTRIES 65536

struct key_cache;

struct key_cache_entry {
	uuid_t project;
	uuid_t kek;
	int32_t rotation; /* of a managed key; of what else there is, 0 */
};

struct key_cache *key_cache_new(size_t entries);
void key_cache_free(struct key_cache *cache);

/*
 * Of a secret or a managed key by its id, or of a caller by the first bytes of
 * its digest.
 */
bool key_cache_get(struct key_cache *cache, const uuid_t whose,
    struct key_cache_entry *entry) __attribute__((warn_unused_result));
void key_cache_put(struct key_cache *cache, const uuid_t whose,
    const struct key_cache_entry *entry);

/* path is any text that says where the caller looked. */
bool key_cache_path_get(struct key_cache *cache, const char *path,
    uuid_t secret) __attribute__((warn_unused_result));
void key_cache_path_put(
    struct key_cache *cache, const char *path, const uuid_t secret);

#endif
