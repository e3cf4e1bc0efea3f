/*
 * The request document: what an API function is told of a request, as JSON.
 *
 * Nothing that a client sends may make PostgreSQL stumble, for its messages
 * quote what they stumble over: so all text in a document is UTF-8 without
 * NUL, and all JSON in it is such as jsonb takes.
 */
#ifndef COFFER_DOCUMENT_H
#define COFFER_DOCUMENT_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/route.h"

struct evbuffer;

#define DOCUMENT_NAME_SIZE 65 /* of an argument */

/*
 * Parses a body that must be one JSON object, by the letter of RFC 8259 and:
 * not deeper than 32, numbers within a double, no NUL and no half of a
 * surrogate pair.  NULL when it is not.
 */
struct json_object *document_parse(const char *text, size_t size)
    __attribute__((warn_unused_result));

/* A value that was cut out of a body; bytes NULL: none was given. */
struct document_value {
	unsigned char *bytes;
	size_t size;
};

/*
 * Cuts the member of that name out of body and decodes it.  Returns what
 * became of it: "absent", "invalid" or "given", with bytes only in the last
 * case.
 */
const char *document_cut(
    struct json_object *body, const char *name, struct document_value *value);

/* Wipes what it holds. */
void document_value_free(struct document_value *value);

/* What a document is built from; all of it is borrowed. */
struct document_source {
	const char *id; /* of the request */
	const char *instance;
	const char *ip;
	const char *domain;
	const char *user_agent; /* NULL: none */
	const char *query; /* with percent escapes; NULL: none */
	const struct route *route;
	struct evbuffer *body; /* is drained */
};

struct document {
	struct json_object *json;
	struct document_value data; /* the payload */
	struct document_value plaintext; /* given, decrypted or generated */
	struct document_value ciphertext;
	struct document_value associated_data;
	char refused[DOCUMENT_NAME_SIZE]; /* the argument that is at fault */
};

/*
 * Fills a document of zeros.  False: refused names what is at fault, an
 * argument, "query" or "body".
 */
bool document_build(struct document *document,
    const struct document_source *source) __attribute__((warn_unused_result));

/* Wipes the values; the document may be built again. */
void document_free(struct document *document);

#endif
