#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"
#include "base/methods.h"
#include "base/utf8.h"
#include "http/http_head.h"

#define HTTP_HEAD_END "\r\n\r\n"
#define HTTP_HEAD_LENGTH_DIGITS 9 /* more than any body may have */

/* A piece of the head. */
struct http_head_text {
	const char *bytes;
	size_t size;
};

/* What the head has said so far. */
struct http_head_parse {
	const char *bytes;
	struct http_head_text method;
	bool old; /* HTTP/1.0, where Host need not be */
	size_t lines;
	size_t hosts;
	size_t lengths;
	size_t types;
	size_t authorizations;
	size_t encodings;
	size_t expectations;
	size_t tokens;
	bool token; /* the last of them is well-formed */
};

static bool
http_head_refuse(struct http_head *head, enum error_id error, const char *fault)
{
	head->error = error;
	head->fault = fault;
	return (false);
}

static bool
http_head_malformed(struct http_head *head, const char *fault)
{
	return (http_head_refuse(head, ERROR_REQUEST, fault));
}

static bool
http_head_is(struct http_head_text text, const char *word)
{
	return (text.size == strlen(word) &&
	    memcmp(text.bytes, word, text.size) == 0);
}

static bool
http_head_is_name(struct http_head_text text, const char *name)
{
	return (text.size == strlen(name) &&
	    strncasecmp(text.bytes, name, text.size) == 0);
}

static bool
http_head_is_token(struct http_head_text text)
{
	size_t i;

	for (i = 0; i < text.size; i++) {
		if (memchr("!#$%&'*+-.^_`|~0123456789"
			   "abcdefghijklmnopqrstuvwxyz"
			   "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
			text.bytes[i], 77) == NULL)
			return (false);
	}
	return (text.size > 0);
}

/* What comes before a byte, which goes too; all of it when there is none. */
static struct http_head_text
http_head_cut(struct http_head_text *text, char byte)
{
	const char *end = memchr(text->bytes, byte, text->size);
	struct http_head_text piece = *text;

	if (end != NULL)
		piece.size = (size_t)(end - text->bytes);
	text->bytes += piece.size + (end != NULL);
	text->size -= piece.size + (end != NULL);
	return (piece);
}

static bool
http_head_has(struct http_head_text text, const char *part)
{
	return (memmem(text.bytes, text.size, part, strlen(part)) != NULL);
}

static bool
http_head_begins(struct http_head_text text, const char *part)
{
	return (text.size >= strlen(part) &&
	    memcmp(text.bytes, part, strlen(part)) == 0);
}

static bool
http_head_ends(struct http_head_text text, const char *part)
{
	return (text.size >= strlen(part) &&
	    memcmp(text.bytes + text.size - strlen(part), part, strlen(part)) ==
		0);
}

/* Bytes ------------------------------------------------------------------- */

/*
 * Bytes that make two readers see two different requests: a NUL, where some
 * stop, a line feed alone, where some end the line, and the like.
 */
static bool
http_head_bytes(struct http_head *head, const char *bytes, size_t size)
{
	unsigned char byte;
	size_t i;

	for (i = head->seen; i < size; i++) {
		byte = (unsigned char)bytes[i];
		if (i == 0 &&
		    !http_head_is_token((struct http_head_text){ bytes, 1 }))
			return (http_head_malformed(head, "this is no HTTP"));
		if (byte == '\n' && bytes[i - 1] != '\r')
			return (http_head_malformed(
			    head, "a line ends without a carriage return"));
		if (byte != '\n' && i > 0 && bytes[i - 1] == '\r')
			return (http_head_malformed(
			    head, "a carriage return does not end a line"));
		if ((byte < ' ' && byte != '\t' && byte != '\r' &&
			byte != '\n') ||
		    byte == 0x7f)
			return (http_head_malformed(
			    head, "a control character is in the head"));
	}
	return (true);
}

/* Finds the end of the head, and faults on the way as soon as they come. */
static enum http_head_state
http_head_find_end(struct http_head *head, const char *bytes, size_t size,
    const struct http_head_limits *limits)
{
	size_t known = head->seen, limit = size;
	const char *end;

	/* What follows the head is none of it. */
	known =
	    known > strlen(HTTP_HEAD_END) ? known - strlen(HTTP_HEAD_END) : 0;
	end = memmem(
	    bytes + known, size - known, HTTP_HEAD_END, strlen(HTTP_HEAD_END));
	if (end != NULL)
		limit = (size_t)(end - bytes) + strlen(HTTP_HEAD_END);
	if (!http_head_bytes(head, bytes, limit))
		return (HTTP_HEAD_FAULT);
	head->seen = limit;
	if (limit > limits->head) {
		http_head_refuse(
		    head, ERROR_HEADERS_TOO_LARGE, "the head is too large");
		return (HTTP_HEAD_FAULT);
	}
	head->size = limit;
	return (end != NULL ? HTTP_HEAD_WHOLE : HTTP_HEAD_MORE);
}

/* The request line -------------------------------------------------------- */

/*
 * There is one way to write a path.  One that has to be put in order first may
 * mean something else to a proxy that decides by it who may pass.  An empty
 * segment is no route, and that is all that there is to say about it.
 */
static bool
http_head_target(struct http_head *head, struct http_head_text target)
{
	struct http_head_text path;
	size_t i;

	for (i = 0; i < target.size; i++) {
		if (target.bytes[i] <= ' ' || target.bytes[i] > '~')
			return (http_head_malformed(
			    head, "the target is not visible ASCII"));
	}
	if (target.size == 0 || target.bytes[0] != '/')
		return (http_head_malformed(
		    head, "the target does not begin with a slash"));
	if (http_head_has(target, "#"))
		return (http_head_malformed(head, "the target has a fragment"));
	path = http_head_cut(&target, '?');
	if (path.size > HTTP_HEAD_PATH_MAX)
		return (http_head_malformed(head, "the path is too long"));
	if (http_head_has(path, "%00"))
		return (http_head_malformed(head, "the path has a NUL"));
	/* evhttp would take what follows for a host. */
	if (http_head_begins(path, "//"))
		return (http_head_malformed(
		    head, "the path begins with two slashes"));
	if (http_head_has(path, "/./") || http_head_has(path, "/../") ||
	    http_head_ends(path, "/.") || http_head_ends(path, "/.."))
		return (
		    http_head_malformed(head, "the path has dotted segments"));
	return (true);
}

static bool
http_head_request_line(struct http_head *head, struct http_head_parse *parse,
    struct http_head_text line)
{
	struct http_head_text target;
	bool known = false;
	size_t i;

	parse->method = http_head_cut(&line, ' ');
	target = http_head_cut(&line, ' ');
	if (!http_head_is_token(parse->method) ||
	    !http_head_begins(line, "HTTP/"))
		return (http_head_malformed(head,
		    "the first line is not a method, a target and a version"));
	parse->old = http_head_is(line, "HTTP/1.0");
	if (!parse->old && !http_head_is(line, "HTTP/1.1"))
		return (http_head_refuse(
		    head, ERROR_VERSION, "the version is neither 1.0 nor 1.1"));
	for (i = 0; i < methods_count; i++)
		known = known || http_head_is(parse->method, methods[i].name);
	if (!known)
		return (http_head_refuse(
		    head, ERROR_NO_METHOD, "the method is unknown"));
	return (http_head_target(head, target));
}

/* Headers ------------------------------------------------------------------ */

static bool
http_head_length(struct http_head *head, struct http_head_parse *parse,
    struct http_head_text value)
{
	size_t i;

	if (++parse->lengths > 1)
		return (http_head_malformed(
		    head, "Content-Length is there more than once"));
	for (i = 0; i < value.size; i++) {
		if (value.bytes[i] < '0' || value.bytes[i] > '9')
			return (http_head_malformed(
			    head, "Content-Length is no number"));
	}
	if (value.size == 0)
		return (
		    http_head_malformed(head, "Content-Length is no number"));
	if (value.size > HTTP_HEAD_LENGTH_DIGITS)
		return (http_head_refuse(
		    head, ERROR_BODY_TOO_LARGE, "the body is too large"));
	for (i = 0; i < value.size; i++)
		head->body = head->body * 10 + (size_t)(value.bytes[i] - '0');
	return (true);
}

/* Keeps the line from evhttp, which would act on it by rules of its own. */
static void
http_head_remove(struct http_head *head, const struct http_head_parse *parse,
    struct http_head_text line)
{
	head->removed[head->removed_count++] = (struct http_head_line){
		.at = (size_t)(line.bytes - parse->bytes),
		.size = line.size + strlen("\r\n"),
	};
}

static bool
http_head_encoding(struct http_head *head, struct http_head_parse *parse,
    struct http_head_text line, struct http_head_text value)
{
	if (++parse->encodings > 1)
		return (http_head_malformed(
		    head, "Transfer-Encoding is there more than once"));
	if (parse->old)
		return (http_head_malformed(
		    head, "HTTP/1.0 does not have Transfer-Encoding"));
	if (!http_head_is_name(value, "chunked"))
		return (http_head_refuse(head, ERROR_ENCODING,
		    "Transfer-Encoding is not chunked alone"));
	head->chunked = true;
	http_head_remove(head, parse, line);
	return (true);
}

/* A client of HTTP/1.0 waits for nothing. */
static bool
http_head_expectation(struct http_head *head, struct http_head_parse *parse,
    struct http_head_text line, struct http_head_text value)
{
	if (++parse->expectations > 1)
		return (http_head_malformed(
		    head, "Expect is there more than once"));
	if (!http_head_is_name(value, "100-continue"))
		return (http_head_refuse(head, ERROR_EXPECTATION,
		    "the expectation is not 100-continue"));
	head->expects = !parse->old;
	http_head_remove(head, parse, line);
	return (true);
}

/* Whose token it is, authenticate.c and the database say. */
static void
http_head_token(struct http_head_parse *parse, struct http_head_text value)
{
	char token[UTF8_UUID_SIZE];

	parse->tokens++;
	parse->token = value.size == sizeof(token) - 1;
	if (!parse->token)
		return;
	memcpy(token, value.bytes, value.size);
	token[value.size] = '\0';
	parse->token = utf8_is_uuid(token);
	memory_wipe(token, sizeof(token));
}

/* Counts a header of which there may be one. */
static bool
http_head_single(struct http_head *head, struct http_head_parse *parse,
    struct http_head_text name)
{
	if ((http_head_is_name(name, "Host") && ++parse->hosts > 1) ||
	    (http_head_is_name(name, "Content-Type") && ++parse->types > 1) ||
	    (http_head_is_name(name, "Authorization") &&
		++parse->authorizations > 1))
		return (http_head_malformed(
		    head, "a header is there more than once"));
	return (true);
}

static bool
http_head_header(struct http_head *head, struct http_head_parse *parse,
    struct http_head_text line)
{
	struct http_head_text value = line, name;

	if (line.bytes[0] == ' ' || line.bytes[0] == '\t')
		return (
		    http_head_malformed(head, "a header goes over two lines"));
	name = http_head_cut(&value, ':');
	if (name.size == line.size || !http_head_is_token(name))
		return (http_head_malformed(
		    head, "a header has no name, or no colon"));
	while (value.size > 0 && strchr(" \t", value.bytes[0]) != NULL) {
		value.bytes++;
		value.size--;
	}
	while (value.size > 0 &&
	    strchr(" \t", value.bytes[value.size - 1]) != NULL)
		value.size--;
	if (http_head_is_name(name, "Transfer-Encoding"))
		return (http_head_encoding(head, parse, line, value));
	if (http_head_is_name(name, "Expect"))
		return (http_head_expectation(head, parse, line, value));
	if (http_head_is_name(name, "X-Auth-Token"))
		http_head_token(parse, value);
	if (http_head_is_name(name, "Content-Length"))
		return (http_head_length(head, parse, value));
	return (http_head_single(head, parse, name));
}

/*
 * A body is read only for a client that has a token to show: all others are
 * refused by their head.
 */
static bool
http_head_body(struct http_head *head, const struct http_head_parse *parse)
{
	/* evhttp does not read it, and would take it for a request. */
	if (http_head_is(parse->method, "HEAD") ||
	    http_head_is(parse->method, "TRACE"))
		return (http_head_malformed(
		    head, "this method must not have a body"));
	if (parse->tokens == 0)
		return (http_head_refuse(
		    head, ERROR_NO_TOKEN, "a body comes without a token"));
	if (parse->tokens > 1 || !parse->token)
		return (http_head_refuse(head, ERROR_BAD_TOKEN,
		    "a body comes with a malformed token"));
	return (true);
}

/*
 * A POST without a length has no body, by the letter; what it sends
 * instead is read as a request, and refused.
 */
static bool
http_head_whole(struct http_head *head, const struct http_head_parse *parse,
    const struct http_head_limits *limits)
{
	if (parse->hosts == 0 && !parse->old)
		return (http_head_malformed(head, "Host is missing"));
	if (head->chunked && parse->lengths > 0)
		return (http_head_malformed(
		    head, "Transfer-Encoding and Content-Length are there"));
	if (head->body > limits->body)
		return (http_head_refuse(
		    head, ERROR_BODY_TOO_LARGE, "the body is too large"));
	if (head->body > 0 || head->chunked)
		return (http_head_body(head, parse));
	return (true);
}

static bool
http_head_parse(struct http_head *head, const char *bytes,
    const struct http_head_limits *limits)
{
	/* Without the line end before the empty line, and that. */
	struct http_head_text rest = { bytes,
		head->size - strlen(HTTP_HEAD_END) };
	struct http_head_parse parse = { .bytes = bytes };
	struct http_head_text line = http_head_cut(&rest, '\n');

	if (rest.size > 0)
		line.size--; /* its carriage return */
	if (!http_head_request_line(head, &parse, line))
		return (false);
	while (rest.size > 0) {
		line = http_head_cut(&rest, '\n');
		if (rest.size > 0)
			line.size--;
		if (++parse.lines > limits->lines)
			return (http_head_refuse(head, ERROR_HEADERS_TOO_LARGE,
			    "there are too many headers"));
		if (!http_head_header(head, &parse, line))
			return (false);
	}
	return (http_head_whole(head, &parse, limits));
}

enum http_head_state
http_head_read(struct http_head *head, const char *bytes, size_t size,
    const struct http_head_limits *limits)
{
	enum http_head_state state =
	    http_head_find_end(head, bytes, size, limits);

	if (state == HTTP_HEAD_WHOLE && !http_head_parse(head, bytes, limits))
		return (HTTP_HEAD_FAULT);
	return (state);
}
