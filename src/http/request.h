/*
 * One HTTP request, from its arrival to its reply.
 */
#ifndef COFFER_REQUEST_H
#define COFFER_REQUEST_H

#include <event2/http.h>
#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"
#include "base/errors.h"
#include "base/utf8.h"
#include "call/budget.h"
#include "call/call.h"
#include "call/document.h"
#include "http/http_head.h"
#include "http/rate.h"
#include "http/route.h"
#include "keys/keyring.h"

#define REQUEST_ARGUMENT_SIZE 65

struct connection;
struct service;

struct request {
	struct service *service;
	struct evhttp_request *http;
	struct connection *connection; /* until it is answered */
	int64_t arrived; /* microseconds of the monotonic clock */
	char id[UTF8_UUID_SIZE];
	char ip[ADDRESS_TEXT_SIZE];
	const struct http_head *fault; /* NULL: it is well-formed */
	struct route route;
	unsigned char digest[KEYRING_DIGEST_SIZE];
	struct json_object *document;
	struct document_value data; /* the payload */
	struct document_value plaintext; /* given, opened or made */
	struct document_value ciphertext;
	struct document_value associated_data;
	struct rate_call rate;
	struct budget_call budget;
	struct call call;

	/* The outcome: an error, or status and body. */
	const struct error *error;
	char argument[REQUEST_ARGUMENT_SIZE]; /* what the error has to say */
	int status;
	struct evbuffer *body;
	bool has_receipt;
	int64_t receipt;
	unsigned char receipt_hash[KEYRING_DIGEST_SIZE];
};

/*
 * Takes charge of a request of evhttp, and answers it exactly once, now or
 * later, also when its client has gone.  A fault of its connection is all that
 * is known of the request.
 */
void request_start(struct service *service, struct evhttp_request *http,
    struct connection *connection);

/* Sets the error, and returns false for a step to return in turn. */
bool request_refuse(struct request *request, enum error_id error);
bool request_refuse_saying(
    struct request *request, enum error_id error, const char *argument);
bool request_refuse_argument(struct request *request, const char *argument);

#endif
