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
#ifndef COFFER_HINT_H
#define COFFER_HINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uuid/uuid.h>

struct hints;

struct hint {
	uuid_t project;
	uuid_t kek;
	int32_t rotation; /* of a managed key; of what else there is, 0 */
};

struct hints *hint_new(size_t entries);
void hint_free(struct hints *hints);

/*
 * Of a secret or a managed key by its id, or of a caller by the first bytes of
 * its digest.
 */
bool hint_get(struct hints *hints, const uuid_t whose, struct hint *hint)
    __attribute__((warn_unused_result));
void hint_put(struct hints *hints, const uuid_t whose, const struct hint *hint);

/* path is any text that says where the caller looked. */
bool hint_path_get(struct hints *hints, const char *path, uuid_t secret)
    __attribute__((warn_unused_result));
void hint_path_put(struct hints *hints, const char *path, const uuid_t secret);

#endif
