#include <string.h>

#include "base/log.h"
#include "call/challenge.h"
#include "call/wrap_key.h"
#include "db/columns.h"
#include "http/request.h"
#include "keys/key_cache.h"
#include "service.h"

/* Derives the key for the ids in key, if its KEK is known. */
static bool
access_key_derive(struct request *request)
{
	struct wrap_key *key = &request->call.access_key;

	key->known = keyring_access_key(request->service->keyring, key->kek,
	    key->project, key->secret, key->bytes);
	key->closed = false;
	return (key->known);
}

/* Hints ------------------------------------------------------------------ */

void
wrap_key_guess(struct request *request)
{
	struct key_cache *hints = request->service->hints;
	struct wrap_key *key = &request->call.access_key;
	struct json_object *path, *id;
	struct key_cache_entry hint;

	json_object_object_get_ex(request->document, "path", &path);
	if (json_object_object_get_ex(path, "secret_id", &id)) {
		if (uuid_parse(json_object_get_string(id), key->secret) != 0)
			return;
	} else if (!key_cache_path_get(hints,
		       evhttp_request_get_uri(request->http), key->secret)) {
		return;
	}
	if (!key_cache_get(hints, key->secret, &hint) &&
	    !key_cache_get(hints, request->digest, &hint))
		return;
	uuid_copy(key->project, hint.project);
	uuid_copy(key->kek, hint.kek);
	(void)access_key_derive(request);
}

static void
access_key_remember(struct request *request)
{
	struct key_cache *hints = request->service->hints;
	const struct wrap_key *key = &request->call.access_key;
	struct json_object *path;
	struct key_cache_entry hint = { .rotation = 0 };

	uuid_copy(hint.project, key->project);
	uuid_copy(hint.kek, key->kek);
	key_cache_put(hints, key->secret, &hint);
	key_cache_put(hints, request->digest, &hint);
	json_object_object_get_ex(request->document, "path", &path);
	if (!json_object_object_get_ex(path, "secret_id", NULL))
		key_cache_path_put(
		    hints, evhttp_request_get_uri(request->http), key->secret);
}

void
wrap_key_describe(struct request *request)
{
	const struct wrap_key *key = &request->call.access_key;
	struct json_object *about;
	char text[UUID_STR_LEN];

	if (!key->known && !key->closed)
		return;
	about = json_object_new_object();
	uuid_unparse_lower(key->secret, text);
	json_object_object_add(
	    about, "secret_id", json_object_new_string(text));
	uuid_unparse_lower(key->kek, text);
	json_object_object_add(about, "kek_id", json_object_new_string(text));
	if (key->closed)
		json_object_object_add(
		    about, "opened", json_object_new_boolean(false));
	json_object_object_add(request->document, "key", about);
}

/* What the door needs ---------------------------------------------------- */

/*
 * Goes on with the KEK that the database keeps.  One that was tampered with,
 * or whose root key is not loaded, gives no key: the door is told, so that the
 * refusal is its own, as of all that does not open, and in the audit.
 */
static void
access_key_use(struct request *request, const struct keyring_wrapped *wrapped)
{
	struct keyring *keyring = request->service->keyring;
	struct wrap_key *key = &request->call.access_key;

	uuid_copy(key->place.kek, key->kek);
	uuid_copy(key->place.project, key->project);
	if (access_key_derive(request) ||
	    (keyring_kek_open(keyring, &key->place, wrapped) &&
		access_key_derive(request))) {
		access_key_remember(request);
	} else {
		log_error("key does not open", log_text("id", request->id),
		    log_text("root_id", wrapped->root_id));
		key->closed = true;
	}
	call_again(request);
}

static bool
access_key_hear(struct request *request, struct json_object *need)
{
	struct wrap_key *key = &request->call.access_key;

	return (challenge_uuid(need, "secret_id", key->secret) &&
	    challenge_uuid(need, "project_id", key->project));
}

void
wrap_key_open(struct request *request, struct json_object *need)
{
	struct keyring_wrapped wrapped;

	if (!access_key_hear(request, need) ||
	    !challenge_uuid(need, "kek_id", request->call.access_key.kek))
		return (call_fail(request, "call's need is malformed"));
	challenge_rotation(need, need, &request->call.access_key.place);
	challenge_wrapped(need, &wrapped);
	access_key_use(request, &wrapped);
}

static void
access_key_kept(
    struct query *query, const PGresult *result, const struct error *error)
{
	struct request *request = query->owner;
	struct wrap_key *key = &request->call.access_key;

	if (error != NULL) {
		request->error = error;
		return (call_finish(request));
	}
	/* Another root key has become active meanwhile: the door says which. */
	if (columns_rows(result) == 0)
		return (call_again(request));
	if (!columns_copy(
		result, 0, 1, key->wrapped.root_id, ROOT_KEY_ID_SIZE - 1) ||
	    !columns_copy(
		result, 0, 2, key->wrapped.bytes, sizeof(key->wrapped.bytes)))
		return (call_fail(request, "kept key is malformed"));
	uuid_copy(key->kek, columns_uuid(result, 0, 0));
	access_key_use(request, &key->wrapped);
}

/* The project has no KEK yet: this daemon makes one, and may come second. */
void
wrap_key_make_kek(struct request *request, struct json_object *need)
{
	struct wrap_key *key = &request->call.access_key;
	struct query *query = &request->call.query;

	if (!access_key_hear(request, need))
		return (call_fail(request, "call's need is malformed"));
	if (!challenge_root_key(request, need))
		return;
	memset(&key->place, 0, sizeof(key->place));
	uuid_copy(key->place.project, key->project);
	keyring_kek_make(request->service->keyring, &key->place, &key->wrapped);
	uuid_copy(key->kek, key->place.kek);
	uuid_unparse_lower(key->project, key->project_text);
	uuid_unparse_lower(key->kek, key->kek_text);
	query->statement = STATEMENT_KEK_KEEP;
	query->count = 4;
	query->parameters[0] =
	    (struct session_parameter){ .value = key->project_text };
	query->parameters[1] =
	    (struct session_parameter){ .value = key->kek_text };
	query->parameters[2] =
	    (struct session_parameter){ .value = key->wrapped.root_id };
	query->parameters[3] = (struct session_parameter){
		.value = key->wrapped.bytes,
		.size = sizeof(key->wrapped.bytes),
		.binary = true,
	};
	call_ask(request, access_key_kept);
}
