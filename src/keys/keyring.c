#include <endian.h>
#include <stdio.h>
#include <string.h>

#include "base/cache.h"
#include "base/memory.h"
#include "keys/keyring.h"
#include "keys/root_key_source.h"

#define KEYRING_KEKS 1024

/* Labels count with their NUL, which parts them from what follows. */
#define KEYRING_PEPPER "coffer/pepper"
#define KEYRING_SIGNER "coffer/signer"
#define KEYRING_KEK "coffer/kek"
#define KEYRING_BOUND_PEPPER "coffer/pepper2"
#define KEYRING_BOUND_KEK "coffer/kek2"
#define KEYRING_AK "coffer/ak"
#define KEYRING_CIPHER "coffer/cipher"
#define KEYRING_ID_SIZE (ROOT_KEY_ID_SIZE - 1)

/* Which form of wraps is opened: what the pepper has said. */
enum keyring_form {
	KEYRING_UNTOLD, /* the new one alone */
	KEYRING_UNBOUND, /* both */
	KEYRING_BOUND, /* the new one alone, for good */
};

/* In locked memory. */
struct keyring {
	struct root_keys roots;
	size_t active; /* among them */
	struct root_keys offered;
	unsigned int offers; /* that there have been; the last may be open */
	bool offer_open;
	unsigned int revision; /* of both */
	unsigned char pepper[CRYPTO_KEY_SIZE];
	bool has_pepper;
	enum keyring_form form;
	unsigned char signer[CRYPTO_KEY_SIZE];
	char signer_id[CRYPTO_PUBLIC_ID_SIZE];
	struct cache *keks;
};

struct keyring_kek {
	struct keyring_place place;
	unsigned char key[CRYPTO_KEY_SIZE];
};

struct keyring_kek_aad {
	char label[sizeof(KEYRING_BOUND_KEK)];
	uuid_t kek;
	uuid_t project;
	uuid_t key;
	unsigned char rotation[sizeof(uint32_t)]; /* big-endian */
	char root_id[KEYRING_ID_SIZE];
};

struct keyring_pepper_aad {
	char label[sizeof(KEYRING_BOUND_PEPPER)];
	char root_id[KEYRING_ID_SIZE];
};

/* What earlier releases authenticated. */
struct keyring_unbound_kek_aad {
	char label[sizeof(KEYRING_KEK)];
	uuid_t kek;
	uuid_t project;
	char root_id[KEYRING_ID_SIZE];
};

struct keyring_unbound_pepper_aad {
	char label[sizeof(KEYRING_PEPPER)];
	char root_id[KEYRING_ID_SIZE];
};

struct keyring_signer_aad {
	char label[sizeof(KEYRING_SIGNER)];
	char root_id[KEYRING_ID_SIZE];
};

struct keyring_access {
	char label[sizeof(KEYRING_AK)];
	uuid_t project;
	uuid_t secret;
};

/* What is authenticated is these structs' memory: all of it is fields. */
_Static_assert(
    sizeof(struct keyring_kek_aad) == 12 + 16 + 16 + 16 + 4 + 16, "padding");
_Static_assert(sizeof(struct keyring_pepper_aad) == 15 + 16, "padding");
_Static_assert(
    sizeof(struct keyring_unbound_kek_aad) == 11 + 16 + 16 + 16, "padding");
_Static_assert(sizeof(struct keyring_unbound_pepper_aad) == 14 + 16, "padding");
_Static_assert(sizeof(struct keyring_signer_aad) == 14 + 16, "padding");
_Static_assert(sizeof(struct keyring_place) == 16 + 16 + 16 + 4, "padding");
_Static_assert(sizeof(struct keyring_access) == 10 + 16 + 16, "padding");

static struct cache *
keyring_keks(void)
{
	return (cache_new(KEYRING_KEKS, sizeof(struct keyring_kek), true));
}

struct keyring *
keyring_new(const struct settings *settings, char *cause, size_t size)
{
	struct keyring *keyring = memory_new_locked(sizeof(*keyring));

	if (!root_key_source_load(settings, &keyring->roots, cause, size)) {
		memory_free_locked(keyring, sizeof(*keyring));
		return (NULL);
	}
	keyring->keks = keyring_keks();
	return (keyring);
}

void
keyring_free(struct keyring *keyring)
{
	if (keyring == NULL)
		return;
	cache_free(keyring->keks);
	memory_free_locked(keyring, sizeof(*keyring));
}

bool
keyring_activate(struct keyring *keyring, const char *root_id)
{
	const struct root_key *root = root_key_find(&keyring->roots, root_id);

	if (root != NULL)
		keyring->active = (size_t)(root - keyring->roots.keys);
	return (root != NULL);
}

void
keyring_offer(struct keyring *keyring, const struct root_keys *roots)
{
	keyring->offered = *roots;
	keyring->offers++;
	keyring->offer_open = true;
	keyring->revision++;
}

bool
keyring_decide(struct keyring *keyring, unsigned int offer, bool take)
{
	char active[ROOT_KEY_ID_SIZE];

	if (!keyring->offer_open || offer != keyring->offers)
		return (false);
	if (take) {
		memcpy(active, keyring->roots.keys[keyring->active].id,
		    sizeof(active));
		keyring->roots = keyring->offered;
		if (!keyring_activate(keyring, active))
			keyring->active = 0;
		/* What a root key that is gone has opened is gone with it. */
		cache_free(keyring->keks);
		keyring->keks = keyring_keks();
	}
	memory_wipe(&keyring->offered, sizeof(keyring->offered));
	keyring->offer_open = false;
	keyring->revision++;
	return (true);
}

unsigned int
keyring_revision(const struct keyring *keyring)
{
	return (keyring->revision);
}

unsigned int
keyring_root_ids(const struct keyring *keyring, char *out, size_t size)
{
	const struct root_keys *roots =
	    keyring->offer_open ? &keyring->offered : &keyring->roots;
	size_t used = 0, i;

	for (i = 0; i < roots->count && used < size; i++)
		used += (size_t)snprintf(out + used, size - used, "%c%s",
		    i == 0 ? '{' : ',', roots->keys[i].id);
	if (used < size)
		snprintf(out + used, size - used, "}");
	return (keyring->offer_open ? keyring->offers : 0);
}

static void
keyring_wrap(const struct root_key *root, const char *info, const void *aad,
    size_t aad_size, const unsigned char key[CRYPTO_KEY_SIZE],
    struct keyring_wrapped *wrapped)
{
	unsigned char wrapping[CRYPTO_KEY_SIZE];

	memcpy(wrapped->root_id, root->id, sizeof(wrapped->root_id));
	crypto_derive(root->key, info, wrapping);
	crypto_seal(
	    wrapping, aad, aad_size, key, CRYPTO_KEY_SIZE, wrapped->bytes);
	memory_wipe(wrapping, sizeof(wrapping));
}

static bool
keyring_unwrap(const struct keyring *keyring, const char *info, const void *aad,
    size_t aad_size, const struct keyring_wrapped *wrapped,
    unsigned char key[CRYPTO_KEY_SIZE])
{
	const struct root_key *root =
	    root_key_find(&keyring->roots, wrapped->root_id);
	unsigned char wrapping[CRYPTO_KEY_SIZE];
	bool opened;

	if (root == NULL)
		return (false);
	crypto_derive(root->key, info, wrapping);
	opened = crypto_open(
	    wrapping, aad, aad_size, wrapped->bytes, CRYPTO_KEY_SIZE, key);
	memory_wipe(wrapping, sizeof(wrapping));
	return (opened);
}

static struct keyring_pepper_aad
keyring_pepper_aad(const char *root_id)
{
	struct keyring_pepper_aad aad = { .label = KEYRING_BOUND_PEPPER };

	memcpy(aad.root_id, root_id, sizeof(aad.root_id));
	return (aad);
}

static struct keyring_unbound_pepper_aad
keyring_unbound_pepper_aad(const char *root_id)
{
	struct keyring_unbound_pepper_aad aad = { .label = KEYRING_PEPPER };

	memcpy(aad.root_id, root_id, sizeof(aad.root_id));
	return (aad);
}

static void
keyring_pepper_wrap(const struct keyring *keyring,
    const unsigned char pepper[CRYPTO_KEY_SIZE],
    struct keyring_wrapped *wrapped)
{
	const struct root_key *root = &keyring->roots.keys[keyring->active];
	struct keyring_pepper_aad aad = keyring_pepper_aad(root->id);

	keyring_wrap(root, KEYRING_PEPPER, &aad, sizeof(aad), pepper, wrapped);
}

/* Opens a pepper of either form, and says of which it is. */
static bool
keyring_pepper_unwrap(const struct keyring *keyring,
    const struct keyring_wrapped *wrapped,
    unsigned char pepper[CRYPTO_KEY_SIZE], enum keyring_form *form)
{
	struct keyring_pepper_aad aad = keyring_pepper_aad(wrapped->root_id);
	struct keyring_unbound_pepper_aad unbound =
	    keyring_unbound_pepper_aad(wrapped->root_id);

	*form = KEYRING_BOUND;
	if (keyring_unwrap(
		keyring, KEYRING_PEPPER, &aad, sizeof(aad), wrapped, pepper))
		return (true);
	*form = KEYRING_UNBOUND;
	return (keyring->form != KEYRING_BOUND &&
	    keyring_unwrap(keyring, KEYRING_PEPPER, &unbound, sizeof(unbound),
		wrapped, pepper));
}

void
keyring_pepper_make(
    const struct keyring *keyring, struct keyring_wrapped *wrapped)
{
	unsigned char pepper[CRYPTO_KEY_SIZE];

	crypto_random(pepper, sizeof(pepper));
	keyring_pepper_wrap(keyring, pepper, wrapped);
	memory_wipe(pepper, sizeof(pepper));
}

bool
keyring_pepper_load(
    struct keyring *keyring, const struct keyring_wrapped *wrapped)
{
	unsigned char pepper[CRYPTO_KEY_SIZE];
	enum keyring_form form;

	if (!keyring_pepper_unwrap(keyring, wrapped, pepper, &form))
		return (false);
	memcpy(keyring->pepper, pepper, sizeof(keyring->pepper));
	memory_wipe(pepper, sizeof(pepper));
	keyring->has_pepper = true;
	keyring->form = form;
	return (true);
}

/* Its form stays: the new one says that nothing of the old one is left. */
bool
keyring_pepper_rewrap(
    const struct keyring *keyring, struct keyring_wrapped *wrapped)
{
	const struct root_key *root = &keyring->roots.keys[keyring->active];
	struct keyring_unbound_pepper_aad unbound =
	    keyring_unbound_pepper_aad(root->id);
	unsigned char pepper[CRYPTO_KEY_SIZE];
	enum keyring_form form;

	if (!keyring_pepper_unwrap(keyring, wrapped, pepper, &form))
		return (false);
	if (form == KEYRING_BOUND)
		keyring_pepper_wrap(keyring, pepper, wrapped);
	else
		keyring_wrap(root, KEYRING_PEPPER, &unbound, sizeof(unbound),
		    pepper, wrapped);
	memory_wipe(pepper, sizeof(pepper));
	return (true);
}

void
keyring_pepper_bind(
    const struct keyring *keyring, struct keyring_wrapped *wrapped)
{
	keyring_pepper_wrap(keyring, keyring->pepper, wrapped);
}

bool
keyring_takes_unbound(const struct keyring *keyring)
{
	return (keyring->form == KEYRING_UNBOUND);
}

void
keyring_take_unbound(struct keyring *keyring)
{
	keyring->form = KEYRING_UNBOUND;
}

bool
keyring_has_pepper(const struct keyring *keyring)
{
	return (keyring->has_pepper);
}

void
keyring_digest(const struct keyring *keyring, const char *token,
    unsigned char digest[KEYRING_DIGEST_SIZE])
{
	crypto_hmac_sha256(keyring->pepper, token, strlen(token), digest);
}

static struct keyring_signer_aad
keyring_signer_aad(const char *root_id)
{
	struct keyring_signer_aad aad = { .label = KEYRING_SIGNER };

	memcpy(aad.root_id, root_id, sizeof(aad.root_id));
	return (aad);
}

void
keyring_signer_make(const struct keyring *keyring,
    unsigned char public[CRYPTO_KEY_SIZE], struct keyring_wrapped *wrapped)
{
	const struct root_key *root = &keyring->roots.keys[keyring->active];
	struct keyring_signer_aad aad = keyring_signer_aad(root->id);
	unsigned char key[CRYPTO_KEY_SIZE];

	crypto_random(key, sizeof(key));
	crypto_public(key, public);
	keyring_wrap(root, KEYRING_SIGNER, &aad, sizeof(aad), key, wrapped);
	memory_wipe(key, sizeof(key));
}

bool
keyring_signer_load(
    struct keyring *keyring, const struct keyring_wrapped *wrapped)
{
	struct keyring_signer_aad aad = keyring_signer_aad(wrapped->root_id);
	unsigned char public[CRYPTO_KEY_SIZE];

	keyring->signer_id[0] = '\0';
	if (!keyring_unwrap(keyring, KEYRING_SIGNER, &aad, sizeof(aad), wrapped,
		keyring->signer))
		return (false);
	crypto_public(keyring->signer, public);
	crypto_public_id(public, keyring->signer_id);
	return (true);
}

bool
keyring_signer_rewrap(
    const struct keyring *keyring, struct keyring_wrapped *wrapped)
{
	const struct root_key *root = &keyring->roots.keys[keyring->active];
	struct keyring_signer_aad aad = keyring_signer_aad(wrapped->root_id);
	unsigned char key[CRYPTO_KEY_SIZE];

	if (!keyring_unwrap(
		keyring, KEYRING_SIGNER, &aad, sizeof(aad), wrapped, key))
		return (false);
	aad = keyring_signer_aad(root->id);
	keyring_wrap(root, KEYRING_SIGNER, &aad, sizeof(aad), key, wrapped);
	memory_wipe(key, sizeof(key));
	return (true);
}

const char *
keyring_signer(const struct keyring *keyring)
{
	return (keyring->signer_id);
}

void
keyring_sign(const struct keyring *keyring,
    const unsigned char hash[CRYPTO_SHA256_SIZE],
    unsigned char signature[CRYPTO_SIGNATURE_SIZE])
{
	crypto_sign(keyring->signer, hash, CRYPTO_SHA256_SIZE, signature);
}

static struct keyring_kek_aad
keyring_kek_aad(const struct keyring_place *place, const char *root_id)
{
	struct keyring_kek_aad aad = { .label = KEYRING_BOUND_KEK };
	uint32_t rotation = htobe32(place->rotation);

	uuid_copy(aad.kek, place->kek);
	uuid_copy(aad.project, place->project);
	uuid_copy(aad.key, place->key);
	memcpy(aad.rotation, &rotation, sizeof(aad.rotation));
	memcpy(aad.root_id, root_id, sizeof(aad.root_id));
	return (aad);
}

static void
keyring_kek_wrap(const struct keyring *keyring,
    const struct keyring_place *place, const unsigned char key[CRYPTO_KEY_SIZE],
    struct keyring_wrapped *wrapped)
{
	const struct root_key *root = &keyring->roots.keys[keyring->active];
	struct keyring_kek_aad aad = keyring_kek_aad(place, root->id);

	keyring_wrap(root, KEYRING_KEK, &aad, sizeof(aad), key, wrapped);
}

static bool
keyring_kek_unwrap_bound(const struct keyring *keyring,
    const struct keyring_place *place, const struct keyring_wrapped *wrapped,
    unsigned char key[CRYPTO_KEY_SIZE])
{
	struct keyring_kek_aad aad = keyring_kek_aad(place, wrapped->root_id);

	return (keyring_unwrap(
	    keyring, KEYRING_KEK, &aad, sizeof(aad), wrapped, key));
}

static bool
keyring_kek_unwrap(const struct keyring *keyring,
    const struct keyring_place *place, const struct keyring_wrapped *wrapped,
    unsigned char key[CRYPTO_KEY_SIZE])
{
	struct keyring_unbound_kek_aad unbound = { .label = KEYRING_KEK };

	if (keyring_kek_unwrap_bound(keyring, place, wrapped, key))
		return (true);
	uuid_copy(unbound.kek, place->kek);
	uuid_copy(unbound.project, place->project);
	memcpy(unbound.root_id, wrapped->root_id, sizeof(unbound.root_id));
	return (keyring->form == KEYRING_UNBOUND &&
	    keyring_unwrap(
		keyring, KEYRING_KEK, &unbound, sizeof(unbound), wrapped, key));
}

void
keyring_kek_make(const struct keyring *keyring, struct keyring_place *place,
    struct keyring_wrapped *wrapped)
{
	unsigned char key[CRYPTO_KEY_SIZE];

	uuid_generate_random(place->kek);
	crypto_random(key, sizeof(key));
	keyring_kek_wrap(keyring, place, key, wrapped);
	memory_wipe(key, sizeof(key));
}

bool
keyring_kek_load(struct keyring *keyring, const struct keyring_place *place,
    const struct keyring_wrapped *wrapped)
{
	struct keyring_kek value = { .place = *place };
	bool opened = keyring_kek_unwrap(keyring, place, wrapped, value.key);

	if (opened)
		cache_put(keyring->keks, place->kek, &value);
	memory_wipe(&value, sizeof(value));
	return (opened);
}

bool
keyring_kek_rewrap(const struct keyring *keyring,
    const struct keyring_place *place, struct keyring_wrapped *wrapped)
{
	unsigned char key[CRYPTO_KEY_SIZE];

	if (!keyring_kek_unwrap(keyring, place, wrapped, key))
		return (false);
	keyring_kek_wrap(keyring, place, key, wrapped);
	memory_wipe(key, sizeof(key));
	return (true);
}

bool
keyring_kek_is_bound(const struct keyring *keyring,
    const struct keyring_place *place, const struct keyring_wrapped *wrapped)
{
	unsigned char key[CRYPTO_KEY_SIZE];
	bool bound = keyring_kek_unwrap_bound(keyring, place, wrapped, key);

	memory_wipe(key, sizeof(key));
	return (bound);
}

bool
keyring_wrap_key(struct keyring *keyring, const uuid_t kek,
    const uuid_t project, const uuid_t secret,
    unsigned char key[KEYRING_WRAP_KEY_SIZE])
{
	const struct keyring_kek *value = cache_get(keyring->keks, kek);
	struct keyring_access message = { .label = KEYRING_AK };

	if (value == NULL || uuid_compare(value->place.project, project) != 0)
		return (false);
	uuid_copy(message.project, project);
	uuid_copy(message.secret, secret);
	crypto_hmac_sha512(value->key, &message, sizeof(message), key);
	return (true);
}

/* What opened it once is not asked again, so what it was bound to is kept. */
bool
keyring_cipher_key(struct keyring *keyring, const struct keyring_place *place,
    unsigned char key[CRYPTO_KEY_SIZE])
{
	const struct keyring_kek *value = cache_get(keyring->keks, place->kek);

	if (value == NULL ||
	    memcmp(&value->place, place, sizeof(value->place)) != 0)
		return (false);
	crypto_derive(value->key, KEYRING_CIPHER, key);
	return (true);
}
