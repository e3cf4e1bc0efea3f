/*
 * What a call knows of its request, however that came, and its outcome.
 */
#ifndef COFFER_REQUEST_H
#define COFFER_REQUEST_H

#include <stdbool.h>
#include <stdint.h>

#include "base/address.h"
#include "base/errors.h"
#include "base/route.h"
#include "base/utf8.h"
#include "call/document.h"
#include "keys/keyring.h"

#define REQUEST_ARGUMENT_SIZE 65

struct call;
struct evbuffer;

/* What a call does next, as the step says that has answered a challenge. */
enum request_next {
	REQUEST_AGAIN, /* another round */
	REQUEST_RESTART, /* a first round, with the whole time of a call */
	REQUEST_QUERY, /* another statement first, which the step has set */
	REQUEST_WAITS, /* for a change */
	REQUEST_ENDS, /* with the error that is set */
};

struct request {
	char id[UTF8_UUID_SIZE];
	char ip[ADDRESS_TEXT_SIZE];
	const char *target; /* path and query, as sent */
	int64_t arrived; /* microseconds of the monotonic clock */
	struct route route;
	unsigned char digest[KEYRING_DIGEST_SIZE]; /* of the API key */
	struct document document;
	struct call *call; /* NULL: there is none */

	/* The key is good, although the call goes on; more than once. */
	void (*accepted)(struct request *request);
	/* The outcome is set; once. */
	void (*answered)(struct request *request);

	/* The outcome: an error, or status and body. */
	const struct error *error;
	char argument[REQUEST_ARGUMENT_SIZE]; /* what the error has to say */
	int status;
	struct evbuffer *body;
	bool has_receipt;
	int64_t receipt;
	unsigned char receipt_hash[KEYRING_DIGEST_SIZE];
};

/* Sets the error, and returns false for a step to return in turn. */
bool request_refuse(struct request *request, enum error_id error);
bool request_refuse_saying(
    struct request *request, enum error_id error, const char *argument);
bool request_refuse_argument(struct request *request, const char *argument);

/* Logs event as an error, and sets an internal error. */
enum request_next request_fail(struct request *request, const char *event);

/*
 * New keys are wrapped under this root key from now on.  False when it is not
 * loaded: the error is set.
 */
bool request_activate(struct request *request, struct keyring *keyring,
    const char *root_id) __attribute__((warn_unused_result));

#endif
