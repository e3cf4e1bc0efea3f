/*
 * In the place of call.c and request.c, for the twins of what they hand their
 * work to: says what became of the call.  A test that includes it links none
 * of both.
 */
#ifndef COFFER_CALL_FAKE_H
#define COFFER_CALL_FAKE_H

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "http/request.h"
#include "service.h"
#include "tests/src/test.h"

/* A root key of bytes 0 to 31. */
#define FAKE_ROOT_ID "4f66d70271577fed"
#define FAKE_ROOT_LINE \
	FAKE_ROOT_ID " AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n"

static struct fake {
	int again;
	int anew;
	int finished;
	int failed;
	int asked; /* for a statement between two rounds */
} fake;

/* What is to be told of that statement. */
static void (*fake_done)(
    struct query *, const PGresult *, const struct error *);

void
call_again(struct request *request)
{
	(void)request;
	fake.again++;
}

void
call_anew(struct request *request)
{
	(void)request;
	fake.anew++;
}

void
call_finish(struct request *request)
{
	(void)request;
	fake.finished++;
}

void
call_fail(struct request *request, const char *event)
{
	(void)request;
	(void)event;
	fake.failed++;
}

void
call_ask(struct request *request,
    void (*done)(struct query *, const PGresult *, const struct error *))
{
	request->call.query.owner = request;
	fake.asked++;
	fake_done = done;
}

bool
request_refuse(struct request *request, enum error_id error)
{
	request->error = &errors[error];
	return (false);
}

bool
request_refuse_argument(struct request *request, const char *argument)
{
	(void)argument;
	return (request_refuse(request, ERROR_ARGUMENT));
}

static void
fake_expect(struct fake expected)
{
	assert_memory_equal(&fake, &expected, sizeof(fake));
}

/* The document of the request as text. */
static inline const char *
fake_document(struct request *request)
{
	return (json_object_to_json_string_ext(
	    request->document, JSON_C_TO_STRING_PLAIN));
}

/* A service with that root key; to be freed by keyring_free. */
static inline void
fake_service(struct service *service)
{
	char path[64], cause[256] = "";
	FILE *file;

	memset(&fake, 0, sizeof(fake));
	memset(service, 0, sizeof(*service));
	snprintf(path, sizeof(path), "call_fake.%ld", (long)getpid());
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(FAKE_ROOT_LINE, file);
	fclose(file);
	chmod(path, 0400);
	service->settings.root_key_file = path;
	service->keyring =
	    keyring_new(&service->settings, cause, sizeof(cause));
	service->settings.root_key_file = NULL;
	unlink(path);
	assert_string_equal(cause, "");
}

#endif
