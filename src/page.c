#include <event2/buffer.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <uuid/uuid.h>

#include "errors.h"
#include "log.h"
#include "page.h"
#include "text.h"

/* How evhttp's pages end, and no reply of ours does, for these are JSON. */
#define PAGE_END "</BODY></HTML>\n"
#define PAGE_END_SIZE (sizeof(PAGE_END) - 1)
#define PAGE_STATUS_SIZE 16 /* HTTP/1.1 400 and a bit */

/*
 * By the status of evhttp: 413 for a body that passes the limit; 0 or 501 for
 * a method that it, or HTTP, does not know; else it could not read it.
 */
static enum error_id
page_error(int status)
{
	if (status == 413)
		return (ERROR_BODY_TOO_LARGE);
	if (status == 0 || status == 501)
		return (ERROR_NO_METHOD);
	return (ERROR_ARGUMENT);
}

static void
page_write(struct evbuffer *output, const struct error *error)
{
	const char *argument = strstr(error->body, "%s");
	char id[TEXT_UUID_SIZE], body[512];
	uuid_t uuid;

	uuid_generate_random(uuid);
	uuid_unparse_lower(uuid, id);
	snprintf(body, sizeof(body), "%s", error->body);
	if (argument != NULL)
		snprintf(body, sizeof(body), "%.*srequest%s",
		    (int)(argument - error->body), error->body,
		    argument + strlen("%s"));
	log_info("request refused", log_text("id", id),
	    log_number("status", error->status));
	evbuffer_add_printf(output,
	    "HTTP/1.1 %d \r\n"
	    "Content-Type: application/json\r\n"
	    "X-Request-Id: %s\r\n"
	    "X-Content-Type-Options: nosniff\r\n"
	    "Cache-Control: no-store\r\n"
	    "Connection: close\r\n"
	    "%s"
	    "Content-Length: %zu\r\n\r\n%s",
	    error->status, id,
	    error == &errors[ERROR_NO_METHOD]
		? "Allow: DELETE, GET, PATCH, POST\r\n"
		: "",
	    strlen(body), body);
}

/*
 * Called for each piece that is added; a page is complete when its end is.
 * evhttp closes the connection after a page, and keeps nothing of it but the
 * buffer, so what the buffer holds can be exchanged.
 */
static void
page_added(
    struct evbuffer *output, const struct evbuffer_cb_info *info, void *arg)
{
	static const struct timeval moment = { 1, 0 };
	struct evbuffer_ptr position;
	size_t length = evbuffer_get_length(output);
	char end[PAGE_END_SIZE], status[PAGE_STATUS_SIZE + 1] = "";
	int code = 0;

	if (info->n_added == 0 || length < PAGE_END_SIZE)
		return;
	/* A bufferevent freezes the front of its output against others. */
	evbuffer_unfreeze(output, 1);
	evbuffer_ptr_set(
	    output, &position, length - PAGE_END_SIZE, EVBUFFER_PTR_SET);
	if (evbuffer_copyout_from(output, &position, end, PAGE_END_SIZE) ==
		(ev_ssize_t)PAGE_END_SIZE &&
	    memcmp(end, PAGE_END, PAGE_END_SIZE) == 0) {
		evbuffer_copyout(output, status, PAGE_STATUS_SIZE);
		sscanf(status, "HTTP/%*d.%*d %d", &code);
		evbuffer_drain(output, length);
		page_write(output, &errors[page_error(code)]);
		/* After a CONNECT evhttp would not close by itself. */
		bufferevent_set_timeouts(arg, &moment, &moment);
	}
	evbuffer_freeze(output, 1);
}

void
page_watch(struct bufferevent *connection)
{
	evbuffer_add_cb(
	    bufferevent_get_output(connection), page_added, connection);
}
