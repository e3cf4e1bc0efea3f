/*
 * Root keys, and the file of them: made by `coffer root-key generate`, read at
 * start and at each SIGHUP.
 *
 * One key a line, `<id> <base64 of 32 bytes>`; blank lines and lines that begin
 * with '#' are passed over.  The database says which one is active; a database
 * that is new takes the first.  The id is the first
 * eight bytes, in hex, of HMAC-SHA256(key, "coffer/kcv"), so that a wrong key
 * is found when it is loaded and not when it has wrapped something.
 */
#ifndef COFFER_ROOT_KEY_H
#define COFFER_ROOT_KEY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/crypto.h"

#define ROOT_KEY_ID_SIZE 17 /* 16 characters and the NUL */
#define ROOT_KEY_MAX 16
#define ROOT_KEY_TEXT_MAX 4096

struct root_keys {
	size_t count;
	struct root_key {
		char id[ROOT_KEY_ID_SIZE];
		unsigned char key[CRYPTO_KEY_SIZE];
	} keys[ROOT_KEY_MAX];
};

/*
 * Reads path into keys, which lie in memory fit for keys.  On false cause, of
 * at least 256 bytes, says why and never what the file holds.
 */
bool root_key_load(const char *path, struct root_keys *keys, char *cause,
    size_t size) __attribute__((warn_unused_result));

/* The same of a file in the directory that systemd gives a service. */
bool root_key_load_credential(const char *path, struct root_keys *keys,
    char *cause, size_t size) __attribute__((warn_unused_result));

/* The same of lines in memory, which are cut up and are the caller's to wipe. */
bool root_key_parse(char *text, struct root_keys *keys, char *cause,
    size_t size) __attribute__((warn_unused_result));

/* Writes a new file with one new key, mode 0400; id is set to its id. */
bool root_key_generate(const char *path, char id[ROOT_KEY_ID_SIZE], char *cause,
    size_t size) __attribute__((warn_unused_result));

/* The id that belongs to a key. */
void root_key_id(
    const unsigned char key[CRYPTO_KEY_SIZE], char id[ROOT_KEY_ID_SIZE]);

/* The key of that id, NULL when it is not loaded. */
const struct root_key *
root_key_find(const struct root_keys *keys, const char *id);

#endif
