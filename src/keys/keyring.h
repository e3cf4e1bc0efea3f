/*
 * The keys that the daemon holds, and what it derives from them.
 *
 *   root key   from outside; wraps the pepper and the KEKs
 *   pepper     turns a token into the digest that the database knows
 *   signer     signs the seals over the audit
 *   KEK        one per project, and one per rotation of a managed key; gives
 *              the access key (AK) of each secret, and that of ciphertexts
 *
 * All of them lie in locked memory and are wiped when the ring is freed.
 * Ids are UUIDs in binary.
 */
#ifndef COFFER_KEYRING_H
#define COFFER_KEYRING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uuid/uuid.h>

#include "base/crypto.h"
#include "base/settings.h"
#include "keys/root_key.h"

#define KEYRING_WRAP_KEY_SIZE 64
#define KEYRING_DIGEST_SIZE 32

/* A key as the database keeps it. */
struct keyring_wrapped {
	char root_id[ROOT_KEY_ID_SIZE];
	unsigned char bytes[CRYPTO_SEALED_SIZE];
};

/* What a KEK is bound to when it is wrapped, and what it is used for. */
struct keyring_place {
	uuid_t kek;
	uuid_t project;
	uuid_t key; /* the managed key; zeros: the KEK is of the project */
	uint32_t rotation; /* of the managed key, from 1; 0: of the project */
};

struct keyring;

/* Loads the root keys; NULL and a cause of at most size bytes on failure. */
struct keyring *keyring_new(const struct settings *settings, char *cause,
    size_t size) __attribute__((warn_unused_result));
void keyring_free(struct keyring *ring);

/*
 * Root keys to be had instead of those it has, which stay until a database
 * has been asked and nothing that it needs is missing among the new ones.
 */
void keyring_offer(struct keyring *ring, const struct root_keys *roots);

/* Wraps under the root key of that id from now on; false: it is not loaded. */
bool keyring_activate(struct keyring *ring, const char *root_id)
    __attribute__((warn_unused_result));

/*
 * The ids of the root keys that are offered or else had, as an array literal
 * of PostgreSQL, and the number of that offer; 0: none is open.
 */
unsigned int
keyring_root_ids(const struct keyring *ring, char *out, size_t size);

/*
 * A number that changes with each offer and each decision: what was shown to a
 * database under another number is out of date.
 */
unsigned int keyring_revision(const struct keyring *ring);

/*
 * Takes the root keys of that offer and forgets the KEKs that were opened
 * before, or forgets the offer; false: it is not open any more, and nothing has
 * been done.
 */
bool keyring_decide(struct keyring *ring, unsigned int offer, bool take);

/* A new pepper, wrapped under the active root key; it is not put to use. */
void keyring_pepper_make(
    const struct keyring *ring, struct keyring_wrapped *wrapped);

/*
 * Puts a pepper to use, or wraps it anew under the active root key; false when
 * no loaded root key opens it, and the one that is in use stays.
 *
 * The pepper also says whether KEKs may still be wrapped as earlier releases
 * did, without the managed key and the rotation: its own wrap is then of that
 * form.  Once a pepper of the new form has been opened, the ring refuses the
 * old form of both for good.
 */
bool keyring_pepper_load(struct keyring *ring,
    const struct keyring_wrapped *wrapped) __attribute__((warn_unused_result));
bool keyring_pepper_rewrap(const struct keyring *ring,
    struct keyring_wrapped *wrapped) __attribute__((warn_unused_result));
bool keyring_has_pepper(const struct keyring *ring);

/* The pepper that is in use, which there must be, wrapped in the new form. */
void keyring_pepper_bind(
    const struct keyring *ring, struct keyring_wrapped *wrapped);

/* Whether KEKs of the old form are opened; for recovery they can be. */
bool keyring_takes_unbound(const struct keyring *ring);
void keyring_take_unbound(struct keyring *ring);

/* HMAC-SHA256(pepper, token); there must be a pepper. */
void keyring_digest(const struct keyring *ring, const char *token,
    unsigned char digest[KEYRING_DIGEST_SIZE]);

/* A new key for seals, wrapped; it is not put to use. */
void keyring_signer_make(const struct keyring *ring,
    unsigned char public[CRYPTO_KEY_SIZE], struct keyring_wrapped *wrapped);

/* The same of a key for seals, but none is in use after one did not open. */
bool keyring_signer_load(struct keyring *ring,
    const struct keyring_wrapped *wrapped) __attribute__((warn_unused_result));
bool keyring_signer_rewrap(const struct keyring *ring,
    struct keyring_wrapped *wrapped) __attribute__((warn_unused_result));

/* Its id: the first 8 bytes of SHA-256 of the public key; "" without one. */
const char *keyring_signer(const struct keyring *ring);

/* Ed25519 over the hash of a seal; there must be a key for seals. */
void keyring_sign(const struct keyring *ring,
    const unsigned char hash[CRYPTO_SHA256_SIZE],
    unsigned char signature[CRYPTO_SIGNATURE_SIZE]);

/* A new KEK, wrapped, and its id into place; it is not put to use. */
void keyring_kek_make(const struct keyring *ring, struct keyring_place *place,
    struct keyring_wrapped *wrapped);

/* The same of a KEK; what is wrapped anew is of the new form. */
bool keyring_kek_load(struct keyring *ring, const struct keyring_place *place,
    const struct keyring_wrapped *wrapped) __attribute__((warn_unused_result));
bool keyring_kek_rewrap(const struct keyring *ring,
    const struct keyring_place *place, struct keyring_wrapped *wrapped)
    __attribute__((warn_unused_result));

/* Whether it opens, and is of the new form. */
bool keyring_kek_is_bound(const struct keyring *ring,
    const struct keyring_place *place, const struct keyring_wrapped *wrapped);

/* The access key of secret; false when the KEK is not, or no more, known. */
bool
keyring_wrap_key(struct keyring *ring, const uuid_t kek, const uuid_t project,
    const uuid_t secret, unsigned char key[KEYRING_WRAP_KEY_SIZE])
    __attribute__((warn_unused_result));

/*
 * The key of ciphertexts; false when the KEK is not, or no more, known, or is
 * that of another managed key or rotation.
 */
bool keyring_cipher_key(struct keyring *ring, const struct keyring_place *place,
    unsigned char key[CRYPTO_KEY_SIZE]) __attribute__((warn_unused_result));

#endif
