#include <event2/buffer.h>
#include <limits.h>
#include <string.h>

#include "base/base64.h"
#include "base/json_strict.h"
#include "base/memory.h"
#include "base/percent.h"
#include "base/utf8.h"
#include "call/document.h"
#include "keys/cipher.h"

#define DOCUMENT_USER_AGENT_SIZE 257
/*
 * The parser takes up to 800 bytes for a value of two.  No request has as many
 * values as this; those of a body then take no more memory than its text.
 */
#define DOCUMENT_VALUES_MAX 1024
#define DOCUMENT_ARGUMENTS_MAX 1024

/*
 * json-c gathers each string in a buffer, which it would let grow and leave
 * behind, payload and all.  It parses a string of this size before the text, so
 * that the buffer does not grow, and again after it, which overwrites it.
 */
static void
document_fill(struct json_tokener *tokener, size_t size)
{
	char filler[1024];
	size_t piece;

	memset(filler, 'x', sizeof(filler));
	json_tokener_reset(tokener);
	json_tokener_parse_ex(tokener, "\"", 1);
	for (; size > 0; size -= piece) {
		piece = size < sizeof(filler) ? size : sizeof(filler);
		json_tokener_parse_ex(tokener, filler, (int)piece);
	}
	json_tokener_reset(tokener);
}

struct json_object *
document_parse(const char *text, size_t size)
{
	struct json_tokener *tokener;
	struct json_object *value = NULL;

	if (size > INT_MAX || !utf8_is_clean(text, size) ||
	    !json_strict_is_sound(text, size))
		return (NULL);
	tokener = json_tokener_new_ex(JSON_STRICT_DEPTH_MAX + 1);
	document_fill(tokener, size);
	/* A NUL after the text tells json-c that it is the end. */
	value = json_tokener_parse_ex(tokener, text, (int)size + 1);
	if (json_tokener_get_error(tokener) != json_tokener_success ||
	    !json_object_is_type(value, json_type_object)) {
		json_object_put(value);
		value = NULL;
	}
	document_fill(tokener, size); /* overwrites */
	json_tokener_free(tokener);
	return (value);
}

const char *
document_cut(
    struct json_object *body, const char *name, struct document_value *value)
{
	struct json_object *member;
	const char *text, *state;
	size_t length;

	value->bytes = NULL;
	value->size = 0;
	if (!json_object_object_get_ex(body, name, &member) || member == NULL) {
		state = "absent";
	} else if (!json_object_is_type(member, json_type_string)) {
		state = "invalid";
	} else {
		text = json_object_get_string(member);
		length = (size_t)json_object_get_string_len(member);
		value->bytes = memory_new(BASE64_DECODED_MAX(length) + 1);
		state = "given";
		if (!base64_decode(text, length, value->bytes, &value->size)) {
			value->size = BASE64_DECODED_MAX(length);
			document_value_free(value);
			state = "invalid";
		}
		/* The object is ours, and about to go. */
		memory_wipe((char *)(uintptr_t)text, length);
	}
	json_object_object_del(body, name);
	return (state);
}

void
document_value_free(struct document_value *value)
{
	memory_wipe_free(value->bytes, value->size);
	value->bytes = NULL;
	value->size = 0;
}

static void
document_set(struct json_object *object, const char *name, const char *value)
{
	json_object_object_add(object, name, json_object_new_string(value));
}

/* Names the argument that is no clean text, if its own name may be told. */
static bool
document_refuse(struct document *document, const char *name, size_t size)
{
	if (!utf8_is_name(name, size)) {
		name = "query";
		size = strlen(name);
	}
	memcpy(document->refused, name, size);
	document->refused[size] = '\0';
	return (false);
}

static bool
document_add_path(
    struct document *document, const struct document_source *source)
{
	struct json_object *path = json_object_new_object();
	const struct route_capture *capture;
	struct json_object *into;
	char *name, *value;
	size_t size, i;
	bool clean = true;

	json_object_object_add(document->json, "path", path);
	for (i = 0; i < source->route->count && clean; i++) {
		capture = &source->route->captures[i];
		name = memory_copy_bytes(capture->name, capture->name_size);
		size = capture->value_size;
		value = percent_decode(capture->value, &size, false);
		clean = utf8_is_clean(value, size);
		into = strcmp(name, "region") == 0 ? document->json : path;
		if (clean)
			document_set(into, name, value);
		else
			document_refuse(document, name, strlen(name));
		memory_free(name);
		memory_free(value);
	}
	return (clean);
}

static bool
document_add_argument(struct document *document, struct json_object *query,
    const char *text, size_t size)
{
	struct json_object *values;
	size_t name_size = strcspn(text, "=&"), value_size = 0;
	char *name, *value;
	bool clean;

	if (name_size > size)
		name_size = size;
	if (name_size < size)
		value_size = size - name_size - 1;
	value = percent_decode(text + size - value_size, &value_size, true);
	name = percent_decode(text, &name_size, true);
	clean =
	    utf8_is_clean(name, name_size) && utf8_is_clean(value, value_size);
	if (!clean) {
		document_refuse(document, name, name_size);
	} else {
		if (!json_object_object_get_ex(query, name, &values)) {
			values = json_object_new_array();
			json_object_object_add(query, name, values);
		}
		json_object_array_add(values, json_object_new_string(value));
	}
	memory_free(name);
	memory_free(value);
	return (clean);
}

static bool
document_add_query(struct document *document, const char *text)
{
	struct json_object *query = json_object_new_object();
	size_t size, count = 0;

	json_object_object_add(document->json, "query", query);
	for (; text != NULL && *text != '\0'; text += size) {
		size = strcspn(text, "&");
		if (++count > DOCUMENT_ARGUMENTS_MAX)
			return (document_refuse(document, "query", 5));
		if (size > 0 &&
		    !document_add_argument(document, query, text, size))
			return (false);
		size += strspn(text + size, "&");
	}
	return (true);
}

/* Of a value that stays in the daemon, the API function is told this. */
static struct json_object *
document_add_value(struct document *document, struct json_object *body,
    const char *name, struct document_value *value)
{
	struct json_object *about = json_object_new_object();

	document_set(about, "state", document_cut(body, name, value));
	json_object_object_add(
	    about, "size", json_object_new_int64((int64_t)value->size));
	json_object_object_add(document->json, name, about);
	return (about);
}

static void
document_add_cipher(struct document *document, struct json_object *body)
{
	struct document_value *ciphertext = &document->ciphertext;
	struct json_object *about;
	int32_t rotation;

	document_add_value(document, body, "plaintext", &document->plaintext);
	document_add_value(
	    document, body, "associated_data", &document->associated_data);
	about = document_add_value(document, body, "ciphertext", ciphertext);
	rotation = cipher_rotation(ciphertext->bytes, ciphertext->size);
	json_object_object_add(about, "rotation",
	    rotation != 0 ? json_object_new_int(rotation) : NULL);
}

static bool
document_add_body(
    struct document *document, struct evbuffer *input, unsigned int flags)
{
	size_t size = evbuffer_get_length(input);
	struct json_object *body = NULL;
	const char *state = "absent", *text;

	if (size == 0) {
		body = json_object_new_object();
	} else {
		evbuffer_add(input, "", 1);
		text = (const char *)evbuffer_pullup(input, -1);
		if (json_strict_values(text, size) <= DOCUMENT_VALUES_MAX)
			body = document_parse(text, size);
		/* Drained memory is wiped (memory_guard_libraries). */
		evbuffer_drain(input, size + 1);
	}
	if (body == NULL)
		return (document_refuse(document, "body", 4));
	if (flags & ENDPOINT_DATA)
		state = document_cut(body, "data", &document->data);
	if (flags & ENDPOINT_CIPHERS)
		document_add_cipher(document, body);
	json_object_object_add(document->json, "body", body);
	document_set(document->json, "data", state);
	return (true);
}

bool
document_build(struct document *document, const struct document_source *source)
{
	struct json_object *json = json_object_new_object();
	char clean[DOCUMENT_USER_AGENT_SIZE];

	document->json = json;
	document_set(json, "id", source->id);
	document_set(json, "instance", source->instance);
	document_set(json, "ip", source->ip);
	document_set(json, "domain", source->domain);
	if (source->route->unserved)
		json_object_object_add(
		    json, "unserved", json_object_new_boolean(true));
	utf8_clean(clean, sizeof(clean),
	    source->user_agent != NULL ? source->user_agent : "");
	document_set(json, "user_agent", clean);
	return (document_add_path(document, source) &&
	    document_add_query(document, source->query) &&
	    document_add_body(
		document, source->body, source->route->endpoint->flags));
}

void
document_free(struct document *document)
{
	json_object_put(document->json);
	document->json = NULL;
	document_value_free(&document->data);
	document_value_free(&document->plaintext);
	document_value_free(&document->ciphertext);
	document_value_free(&document->associated_data);
}
