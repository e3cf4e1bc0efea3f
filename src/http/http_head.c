#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"
#include "base/utf8.h"
#include "http/http_head.h"

#define FRAME_END "\r\n\r\n"
#define FRAME_LENGTH_DIGITS 9 /* more than any body may have */

/* A piece of the head. */
struct frame_text {
	const char *bytes;
	size_t size;
};

/* What the head has said so far. */
struct frame_head {
	const char *bytes;
	struct frame_text method;
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
frame_refuse(struct http_head *frame, enum error_id error, const char *fault)
{
	frame->error = error;
	frame->fault = fault;
	return (false);
}

static bool
frame_malformed(struct http_head *frame, const char *fault)
{
	return (frame_refuse(frame, ERROR_REQUEST, fault));
}

static bool
frame_is(struct frame_text text, const char *word)
{
	return (text.size == strlen(word) &&
	    memcmp(text.bytes, word, text.size) == 0);
}

static bool
frame_is_name(struct frame_text text, const char *name)
{
	return (text.size == strlen(name) &&
	    strncasecmp(text.bytes, name, text.size) == 0);
}

static bool
frame_is_token(struct frame_text text)
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
static struct frame_text
frame_cut(struct frame_text *text, char byte)
{
	const char *end = memchr(text->bytes, byte, text->size);
	struct frame_text piece = *text;

	if (end != NULL)
		piece.size = (size_t)(end - text->bytes);
	text->bytes += piece.size + (end != NULL);
	text->size -= piece.size + (end != NULL);
	return (piece);
}

static bool
frame_has(struct frame_text text, const char *part)
{
	return (memmem(text.bytes, text.size, part, strlen(part)) != NULL);
}

static bool
frame_begins(struct frame_text text, const char *part)
{
	return (text.size >= strlen(part) &&
	    memcmp(text.bytes, part, strlen(part)) == 0);
}

static bool
frame_ends(struct frame_text text, const char *part)
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
frame_bytes(struct http_head *frame, const char *bytes, size_t size)
{
	unsigned char byte;
	size_t i;

	for (i = frame->seen; i < size; i++) {
		byte = (unsigned char)bytes[i];
		if (i == 0 && !frame_is_token((struct frame_text){ bytes, 1 }))
			return (frame_malformed(frame, "this is no HTTP"));
		if (byte == '\n' && bytes[i - 1] != '\r')
			return (frame_malformed(
			    frame, "a line ends without a carriage return"));
		if (byte != '\n' && i > 0 && bytes[i - 1] == '\r')
			return (frame_malformed(
			    frame, "a carriage return does not end a line"));
		if ((byte < ' ' && byte != '\t' && byte != '\r' &&
			byte != '\n') ||
		    byte == 0x7f)
			return (frame_malformed(
			    frame, "a control character is in the head"));
	}
	return (true);
}

/* Finds the end of the head, and faults on the way as soon as they come. */
static enum http_head_state
frame_find_end(struct http_head *frame, const char *bytes, size_t size,
    const struct http_head_limits *limits)
{
	size_t known = frame->seen, limit = size;
	const char *end;

	/* What follows the head is none of it. */
	known = known > strlen(FRAME_END) ? known - strlen(FRAME_END) : 0;
	end = memmem(bytes + known, size - known, FRAME_END, strlen(FRAME_END));
	if (end != NULL)
		limit = (size_t)(end - bytes) + strlen(FRAME_END);
	if (!frame_bytes(frame, bytes, limit))
		return (HTTP_HEAD_FAULT);
	frame->seen = limit;
	if (limit > limits->head) {
		frame_refuse(
		    frame, ERROR_HEADERS_TOO_LARGE, "the head is too large");
		return (HTTP_HEAD_FAULT);
	}
	frame->head = limit;
	return (end != NULL ? HTTP_HEAD_WHOLE : HTTP_HEAD_MORE);
}

/* The request line -------------------------------------------------------- */

/*
 * There is one way to write a path.  One that has to be put in order first may
 * mean something else to a proxy that decides by it who may pass.  An empty
 * segment is no route, and that is all that there is to say about it.
 */
static bool
frame_target(struct http_head *frame, struct frame_text target)
{
	struct frame_text path;
	size_t i;

	for (i = 0; i < target.size; i++) {
		if (target.bytes[i] <= ' ' || target.bytes[i] > '~')
			return (frame_malformed(
			    frame, "the target is not visible ASCII"));
	}
	if (target.size == 0 || target.bytes[0] != '/')
		return (frame_malformed(
		    frame, "the target does not begin with a slash"));
	if (frame_has(target, "#"))
		return (frame_malformed(frame, "the target has a fragment"));
	path = frame_cut(&target, '?');
	if (path.size > HTTP_HEAD_PATH_MAX)
		return (frame_malformed(frame, "the path is too long"));
	if (frame_has(path, "%00"))
		return (frame_malformed(frame, "the path has a NUL"));
	/* evhttp would take what follows for a host. */
	if (frame_begins(path, "//"))
		return (
		    frame_malformed(frame, "the path begins with two slashes"));
	if (frame_has(path, "/./") || frame_has(path, "/../") ||
	    frame_ends(path, "/.") || frame_ends(path, "/.."))
		return (frame_malformed(frame, "the path has dotted segments"));
	return (true);
}

static bool
frame_request_line(
    struct http_head *frame, struct frame_head *head, struct frame_text line)
{
	static const char *const methods[] = { "GET", "POST", "PATCH", "DELETE",
		"HEAD", "PUT", "OPTIONS", "TRACE" };
	struct frame_text target;
	bool known = false;
	size_t i;

	head->method = frame_cut(&line, ' ');
	target = frame_cut(&line, ' ');
	if (!frame_is_token(head->method) || !frame_begins(line, "HTTP/"))
		return (frame_malformed(frame,
		    "the first line is not a method, a target and a version"));
	head->old = frame_is(line, "HTTP/1.0");
	if (!head->old && !frame_is(line, "HTTP/1.1"))
		return (frame_refuse(frame, ERROR_VERSION,
		    "the version is neither 1.0 nor 1.1"));
	for (i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
		known = known || frame_is(head->method, methods[i]);
	if (!known)
		return (frame_refuse(
		    frame, ERROR_NO_METHOD, "the method is unknown"));
	return (frame_target(frame, target));
}

/* Headers ------------------------------------------------------------------ */

static bool
frame_length(
    struct http_head *frame, struct frame_head *head, struct frame_text value)
{
	size_t i;

	if (++head->lengths > 1)
		return (frame_malformed(
		    frame, "Content-Length is there more than once"));
	for (i = 0; i < value.size; i++) {
		if (value.bytes[i] < '0' || value.bytes[i] > '9')
			return (frame_malformed(
			    frame, "Content-Length is no number"));
	}
	if (value.size == 0)
		return (frame_malformed(frame, "Content-Length is no number"));
	if (value.size > FRAME_LENGTH_DIGITS)
		return (frame_refuse(
		    frame, ERROR_BODY_TOO_LARGE, "the body is too large"));
	for (i = 0; i < value.size; i++)
		frame->body = frame->body * 10 + (size_t)(value.bytes[i] - '0');
	return (true);
}

/* Keeps the line from evhttp, which would act on it by rules of its own. */
static void
frame_remove(struct http_head *frame, const struct frame_head *head,
    struct frame_text line)
{
	frame->removed[frame->removed_count++] = (struct http_head_line){
		.at = (size_t)(line.bytes - head->bytes),
		.size = line.size + strlen("\r\n"),
	};
}

static bool
frame_encoding(struct http_head *frame, struct frame_head *head,
    struct frame_text line, struct frame_text value)
{
	if (++head->encodings > 1)
		return (frame_malformed(
		    frame, "Transfer-Encoding is there more than once"));
	if (head->old)
		return (frame_malformed(
		    frame, "HTTP/1.0 does not have Transfer-Encoding"));
	if (!frame_is_name(value, "chunked"))
		return (frame_refuse(frame, ERROR_ENCODING,
		    "Transfer-Encoding is not chunked alone"));
	frame->chunked = true;
	frame_remove(frame, head, line);
	return (true);
}

/* A client of HTTP/1.0 waits for nothing. */
static bool
frame_expectation(struct http_head *frame, struct frame_head *head,
    struct frame_text line, struct frame_text value)
{
	if (++head->expectations > 1)
		return (
		    frame_malformed(frame, "Expect is there more than once"));
	if (!frame_is_name(value, "100-continue"))
		return (frame_refuse(frame, ERROR_EXPECTATION,
		    "the expectation is not 100-continue"));
	frame->expects = !head->old;
	frame_remove(frame, head, line);
	return (true);
}

/* Whose token it is, authenticate.c and the database say. */
static void
frame_token(struct frame_head *head, struct frame_text value)
{
	char token[UTF8_UUID_SIZE];

	head->tokens++;
	head->token = value.size == sizeof(token) - 1;
	if (!head->token)
		return;
	memcpy(token, value.bytes, value.size);
	token[value.size] = '\0';
	head->token = utf8_is_uuid(token);
	memory_wipe(token, sizeof(token));
}

/* Counts a header of which there may be one. */
static bool
frame_single(
    struct http_head *frame, struct frame_head *head, struct frame_text name)
{
	if ((frame_is_name(name, "Host") && ++head->hosts > 1) ||
	    (frame_is_name(name, "Content-Type") && ++head->types > 1) ||
	    (frame_is_name(name, "Authorization") &&
		++head->authorizations > 1))
		return (
		    frame_malformed(frame, "a header is there more than once"));
	return (true);
}

static bool
frame_header(
    struct http_head *frame, struct frame_head *head, struct frame_text line)
{
	struct frame_text value = line, name;

	if (line.bytes[0] == ' ' || line.bytes[0] == '\t')
		return (frame_malformed(frame, "a header goes over two lines"));
	name = frame_cut(&value, ':');
	if (name.size == line.size || !frame_is_token(name))
		return (frame_malformed(
		    frame, "a header has no name, or no colon"));
	while (value.size > 0 && strchr(" \t", value.bytes[0]) != NULL) {
		value.bytes++;
		value.size--;
	}
	while (value.size > 0 &&
	    strchr(" \t", value.bytes[value.size - 1]) != NULL)
		value.size--;
	if (frame_is_name(name, "Transfer-Encoding"))
		return (frame_encoding(frame, head, line, value));
	if (frame_is_name(name, "Expect"))
		return (frame_expectation(frame, head, line, value));
	if (frame_is_name(name, "X-Auth-Token"))
		frame_token(head, value);
	if (frame_is_name(name, "Content-Length"))
		return (frame_length(frame, head, value));
	return (frame_single(frame, head, name));
}

/*
 * A body is read only for a client that has a token to show: all others are
 * refused by their head.
 */
static bool
frame_body(struct http_head *frame, const struct frame_head *head)
{
	/* evhttp does not read it, and would take it for a request. */
	if (frame_is(head->method, "HEAD") || frame_is(head->method, "TRACE"))
		return (
		    frame_malformed(frame, "this method must not have a body"));
	if (head->tokens == 0)
		return (frame_refuse(
		    frame, ERROR_NO_TOKEN, "a body comes without a token"));
	if (head->tokens > 1 || !head->token)
		return (frame_refuse(frame, ERROR_BAD_TOKEN,
		    "a body comes with a malformed token"));
	return (true);
}

/*
 * A POST without a length has no body, by the letter; whatever it sends
 * instead is read as a request, and refused.
 */
static bool
frame_whole(struct http_head *frame, const struct frame_head *head,
    const struct http_head_limits *limits)
{
	if (head->hosts == 0 && !head->old)
		return (frame_malformed(frame, "Host is missing"));
	if (frame->chunked && head->lengths > 0)
		return (frame_malformed(
		    frame, "Transfer-Encoding and Content-Length are there"));
	if (frame->body > limits->body)
		return (frame_refuse(
		    frame, ERROR_BODY_TOO_LARGE, "the body is too large"));
	if (frame->body > 0 || frame->chunked)
		return (frame_body(frame, head));
	return (true);
}

static bool
frame_parse(struct http_head *frame, const char *bytes,
    const struct http_head_limits *limits)
{
	/* Without the line end before the empty line, and that. */
	struct frame_text rest = { bytes, frame->head - strlen(FRAME_END) };
	struct frame_head head = { .bytes = bytes };
	struct frame_text line = frame_cut(&rest, '\n');

	if (rest.size > 0)
		line.size--; /* its carriage return */
	if (!frame_request_line(frame, &head, line))
		return (false);
	while (rest.size > 0) {
		line = frame_cut(&rest, '\n');
		if (rest.size > 0)
			line.size--;
		if (++head.lines > limits->lines)
			return (frame_refuse(frame, ERROR_HEADERS_TOO_LARGE,
			    "there are too many headers"));
		if (!frame_header(frame, &head, line))
			return (false);
	}
	return (frame_whole(frame, &head, limits));
}

enum http_head_state
http_head_read(struct http_head *frame, const char *bytes, size_t size,
    const struct http_head_limits *limits)
{
	enum http_head_state state = frame_find_end(frame, bytes, size, limits);

	if (state == HTTP_HEAD_WHOLE && !frame_parse(frame, bytes, limits))
		return (HTTP_HEAD_FAULT);
	return (state);
}
