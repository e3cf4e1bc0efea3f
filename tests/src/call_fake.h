/*
 * A keyring and a request document for the twins of the steps of a call.
 */
#ifndef COFFER_CALL_FAKE_H
#define COFFER_CALL_FAKE_H

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/settings.h"
#include "call/request.h"
#include "tests/src/test.h"

/* A root key of bytes 0 to 31. */
#define FAKE_ROOT_ID "4f66d70271577fed"
#define FAKE_ROOT_LINE \
	FAKE_ROOT_ID " AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n"

/* A keyring with that root key; to be freed by keyring_free(). */
static inline struct keyring *
fake_keyring(void)
{
	struct settings settings = { .root_key_file = NULL };
	char path[64], cause[256] = "";
	struct keyring *keyring;
	FILE *file;

	snprintf(path, sizeof(path), "call_fake.%ld", (long)getpid());
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(FAKE_ROOT_LINE, file);
	fclose(file);
	chmod(path, 0400);
	settings.root_key_file = path;
	keyring = keyring_new(&settings, cause, sizeof(cause));
	unlink(path);
	assert_string_equal(cause, "");
	return (keyring);
}

/* The document of the request as text. */
static inline const char *
fake_document(struct request *request)
{
	return (json_object_to_json_string_ext(
	    request->document.json, JSON_C_TO_STRING_PLAIN));
}

/* A fault was logged, and the call ends. */
static inline void
assert_failed(struct request *request, enum request_next next)
{
	assert_int_equal(next, REQUEST_ENDS);
	assert_ptr_equal(request->error, &errors[ERROR_INTERNAL]);
	request->error = NULL;
}

#endif
