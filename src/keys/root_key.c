#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/memory.h"
#include "keys/root_key.h"

#define ROOT_KEY_BASE64_SIZE BASE64_ENCODED_SIZE(CRYPTO_KEY_SIZE)

void
root_key_id(const unsigned char key[CRYPTO_KEY_SIZE], char id[ROOT_KEY_ID_SIZE])
{
	static const char label[] = "coffer/kcv";
	unsigned char check[CRYPTO_SHA256_SIZE];

	crypto_hmac_sha256(key, label, sizeof(label) - 1, check);
	crypto_hex(check, (ROOT_KEY_ID_SIZE - 1) / 2, id);
}

const struct root_key *
root_key_find(const struct root_keys *keys, const char *id)
{
	size_t i;

	for (i = 0; i < keys->count; i++) {
		if (strcmp(keys->keys[i].id, id) == 0)
			return (&keys->keys[i]);
	}
	return (NULL);
}

/*
 * Another user who may read the file, or may have written it, has the keys.
 * Of a credential, the rights of the group are the mask of an access list, by
 * which systemd lets the user of the service alone read what is root's.
 */
static bool
root_key_file_is_private(int file, mode_t bearable, char *cause, size_t size)
{
	struct stat status;

	if (fstat(file, &status) != 0) {
		snprintf(cause, size, "%s", strerror(errno));
		return (false);
	}
	if (!S_ISREG(status.st_mode)) {
		snprintf(cause, size, "it is not a regular file");
		return (false);
	}
	if (status.st_uid != geteuid() && status.st_uid != 0) {
		snprintf(cause, size, "it belongs to another user");
		return (false);
	}
	if ((status.st_mode & (S_IRWXG | S_IRWXO) & ~bearable) != 0) {
		snprintf(cause, size,
		    "group or others have rights on it (mode %04o); chmod 0400",
		    (unsigned int)(status.st_mode & 07777));
		return (false);
	}
	return (true);
}

static bool
root_key_line(char *line, struct root_keys *keys)
{
	unsigned char bytes[BASE64_DECODED_MAX(ROOT_KEY_BASE64_SIZE - 1)];
	struct root_key *key = &keys->keys[keys->count];
	char id[ROOT_KEY_ID_SIZE], *text = strchr(line, ' ');
	size_t length = 0;
	bool sound;

	if (text == NULL || keys->count == ROOT_KEY_MAX)
		return (false);
	*text++ = '\0';
	sound = strlen(text) == ROOT_KEY_BASE64_SIZE - 1 &&
	    base64_decode(text, strlen(text), bytes, &length) &&
	    length == CRYPTO_KEY_SIZE;
	if (sound) {
		root_key_id(bytes, id);
		sound =
		    strcmp(id, line) == 0 && root_key_find(keys, id) == NULL;
	}
	if (sound) {
		memcpy(key->id, id, sizeof(key->id));
		memcpy(key->key, bytes, sizeof(key->key));
		keys->count++;
	}
	memory_wipe(bytes, sizeof(bytes));
	return (sound);
}

bool
root_key_parse(char *text, struct root_keys *keys, char *cause, size_t size)
{
	size_t number = 0;
	char *line;

	keys->count = 0;
	while ((line = strsep(&text, "\n")) != NULL) {
		number++;
		if (line[0] == '\0' || line[0] == '#')
			continue;
		if (!root_key_line(line, keys)) {
			snprintf(cause, size,
			    "line %zu is no root key, one too many, or does "
			    "not fit its id",
			    number);
			return (false);
		}
	}
	if (keys->count == 0)
		snprintf(cause, size, "it holds no root key");
	return (keys->count > 0);
}

static bool
root_key_read(const char *path, mode_t bearable, struct root_keys *keys,
    char *cause, size_t size)
{
	char text[ROOT_KEY_TEXT_MAX];
	ssize_t length = 0;
	bool loaded = false;
	int file;

	keys->count = 0;
	file = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (file < 0) {
		snprintf(cause, size, "%s", strerror(errno));
		return (false);
	}
	if (!root_key_file_is_private(file, bearable, cause, size))
		goto out;
	length = read(file, text, sizeof(text));
	if (length < 0 || (size_t)length == sizeof(text)) {
		snprintf(cause, size, "it cannot be read, or is too long");
		goto out;
	}
	text[length] = '\0';
	loaded = root_key_parse(text, keys, cause, size);

out:
	memory_wipe(text, sizeof(text));
	close(file);
	return (loaded);
}

bool
root_key_load(
    const char *path, struct root_keys *keys, char *cause, size_t size)
{
	return (root_key_read(path, 0, keys, cause, size));
}

bool
root_key_load_credential(
    const char *path, struct root_keys *keys, char *cause, size_t size)
{
	return (root_key_read(path, S_IRGRP, keys, cause, size));
}

bool
root_key_generate(
    const char *path, char id[ROOT_KEY_ID_SIZE], char *cause, size_t size)
{
	unsigned char key[CRYPTO_KEY_SIZE];
	char text[ROOT_KEY_BASE64_SIZE];
	char line[ROOT_KEY_ID_SIZE + ROOT_KEY_BASE64_SIZE + 1];
	bool written = false;
	int file, length;

	file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0400);
	if (file < 0) {
		snprintf(cause, size, "%s", strerror(errno));
		return (false);
	}
	crypto_random(key, sizeof(key));
	root_key_id(key, id);
	base64_encode(key, sizeof(key), text);
	length = snprintf(line, sizeof(line), "%s %s\n", id, text);
	written = fchmod(file, 0400) == 0 &&
	    write(file, line, (size_t)length) == length && fsync(file) == 0;
	if (!written) {
		snprintf(cause, size, "%s", strerror(errno));
		unlink(path);
	}
	memory_wipe(key, sizeof(key));
	memory_wipe(text, sizeof(text));
	memory_wipe(line, sizeof(line));
	close(file);
	return (written);
}
