#include <string.h>

#include "base/log.h"
#include "call/member.h"
#include "call/wrap_key.h"
#include "db/columns.h"
#include "db/query.h"
#include "db/wrapped.h"
#include "keys/key_cache.h"

/* Derives the key for the ids in key, if its KEK is known. */
static bool
wrap_key_derive(struct wrap_key *key)
{
	key->known = keyring_wrap_key(
	    key->keyring, key->kek, key->project, key->secret, key->bytes);
	key->refused = false;
	return (key->known);
}

/* The key cache ------------------------------------------------------------ */

void
wrap_key_guess(struct wrap_key *key)
{
	const struct request *request = key->request;
	struct json_object *path, *id;
	struct key_cache_entry entry;

	json_object_object_get_ex(request->document.json, "path", &path);
	if (json_object_object_get_ex(path, "secret_id", &id)) {
		if (uuid_parse(json_object_get_string(id), key->secret) != 0)
			return;
	} else if (!key_cache_path_get(
		       key->cache, request->target, key->secret)) {
		return;
	}
	if (!key_cache_get(key->cache, key->secret, &entry) &&
	    !key_cache_get(key->cache, request->digest, &entry))
		return;
	uuid_copy(key->project, entry.project);
	uuid_copy(key->kek, entry.kek);
	(void)wrap_key_derive(key);
}

static void
wrap_key_remember(const struct wrap_key *key)
{
	const struct request *request = key->request;
	struct json_object *path;
	struct key_cache_entry entry = { .rotation = 0 };

	uuid_copy(entry.project, key->project);
	uuid_copy(entry.kek, key->kek);
	key_cache_put(key->cache, key->secret, &entry);
	key_cache_put(key->cache, request->digest, &entry);
	json_object_object_get_ex(request->document.json, "path", &path);
	if (!json_object_object_get_ex(path, "secret_id", NULL))
		key_cache_path_put(key->cache, request->target, key->secret);
}

void
wrap_key_describe(const struct wrap_key *key)
{
	struct json_object *about;
	char text[UUID_STR_LEN];

	if (!key->known && !key->refused)
		return;
	about = json_object_new_object();
	uuid_unparse_lower(key->secret, text);
	json_object_object_add(
	    about, "secret_id", json_object_new_string(text));
	uuid_unparse_lower(key->kek, text);
	json_object_object_add(about, "kek_id", json_object_new_string(text));
	if (key->refused)
		json_object_object_add(
		    about, "opened", json_object_new_boolean(false));
	json_object_object_add(key->request->document.json, "key", about);
}

/* Challenges --------------------------------------------------------------- */

/*
 * Goes on with the KEK that the database keeps.  A KEK that was tampered with,
 * or whose root key is not loaded, gives no key.  The API function is told, so
 * that it refuses the call with an audit row.
 */
static enum request_next
wrap_key_use(struct wrap_key *key, const struct keyring_wrapped *wrapped)
{
	uuid_copy(key->place.kek, key->kek);
	uuid_copy(key->place.project, key->project);
	if (wrap_key_derive(key) ||
	    (keyring_kek_load(key->keyring, &key->place, wrapped) &&
		wrap_key_derive(key))) {
		wrap_key_remember(key);
	} else {
		log_error("key cannot be unwrapped",
		    log_text("id", key->request->id),
		    log_text("root_id", wrapped->root_id));
		key->refused = true;
	}
	return (REQUEST_AGAIN);
}

static bool
wrap_key_read(struct wrap_key *key, struct json_object *challenge)
{
	return (member_uuid(challenge, "secret_id", key->secret) &&
	    member_uuid(challenge, "project_id", key->project));
}

enum request_next
wrap_key_unwrap(struct wrap_key *key, struct json_object *challenge)
{
	struct keyring_wrapped wrapped;

	if (!wrap_key_read(key, challenge) ||
	    !member_uuid(challenge, "kek_id", key->kek))
		return (request_fail(key->request, "challenge is malformed"));
	member_rotation(challenge, challenge, &key->place);
	member_wrapped(challenge, &wrapped);
	return (wrap_key_use(key, &wrapped));
}

static struct session_parameter
wrap_key_text(const char *text)
{
	return ((struct session_parameter){ .value = text });
}

enum request_next
wrap_key_make_kek(
    struct wrap_key *key, struct json_object *challenge, struct query *query)
{
	if (!wrap_key_read(key, challenge))
		return (request_fail(key->request, "challenge is malformed"));
	if (!request_activate(key->request, key->keyring,
		member_text(challenge, "active_root_id")))
		return (REQUEST_ENDS);
	memset(&key->place, 0, sizeof(key->place));
	uuid_copy(key->place.project, key->project);
	keyring_kek_make(key->keyring, &key->place, &key->wrapped);
	uuid_copy(key->kek, key->place.kek);
	uuid_unparse_lower(key->project, key->project_text);
	uuid_unparse_lower(key->kek, key->kek_text);
	query->statement = STATEMENT_KEK_KEEP;
	query->count = 4;
	query->parameters[0] = wrap_key_text(key->project_text);
	query->parameters[1] = wrap_key_text(key->kek_text);
	query->parameters[2] = wrap_key_text(key->wrapped.root_id);
	query->parameters[3] = (struct session_parameter){
		.value = key->wrapped.bytes,
		.size = sizeof(key->wrapped.bytes),
		.binary = true,
	};
	return (REQUEST_QUERY);
}

/* Another daemon may have stored one first, which is the one that counts. */
enum request_next
wrap_key_stored(struct wrap_key *key, const PGresult *result)
{
	/* Another root key is active now: the API function says which. */
	if (columns_rows(result) == 0)
		return (REQUEST_AGAIN);
	if (!wrapped_read(result, 0, 1, &key->wrapped))
		return (request_fail(key->request, "kept key is malformed"));
	uuid_copy(key->kek, columns_uuid(result, 0, 0));
	return (wrap_key_use(key, &key->wrapped));
}
