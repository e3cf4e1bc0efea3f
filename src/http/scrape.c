#include <event2/buffer.h>
#include <event2/http.h>
#include <string.h>

#include "base/errors.h"
#include "base/memory.h"
#include "base/metrics.h"
#include "base/settings.h"
#include "http/connection.h"
#include "http/http_head.h"
#include "http/listen.h"
#include "http/scrape.h"

#define SCRAPE_CONNECTIONS 16 /* more than there are servers of Prometheus */

struct scrape {
	struct listen *listen;
	void (*look)(void *owner, struct metrics_now *now);
	void *owner;
};

static void
scrape_write(const struct scrape *scrape, struct evbuffer *page)
{
	struct metrics_now now;

	memset(&now, 0, sizeof(now));
	scrape->look(scrape->owner, &now);
	metrics_write(page, &now);
	json_object_put(now.warnings);
}

static int
scrape_status(struct evhttp_request *http, const struct http_head *fault)
{
	const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(http);

	if (fault != NULL)
		return (errors[fault->error].status);
	if (strcmp(evhttp_uri_get_path(uri), "/metrics") != 0)
		return (errors[ERROR_NO_ROUTE].status);
	if (evhttp_request_get_command(http) != EVHTTP_REQ_GET)
		return (errors[ERROR_NO_METHOD].status);
	return (200);
}

static void
scrape_request(
    void *owner, struct evhttp_request *http, struct connection *connection)
{
	const int status = scrape_status(http, connection_fault(connection));
	struct evbuffer *page = evbuffer_new();

	if (status == 200) {
		scrape_write(owner, page);
		evhttp_add_header(evhttp_request_get_output_headers(http),
		    "Content-Type", "text/plain; version=0.0.4; charset=utf-8");
	}
	evhttp_send_reply(http, status, NULL, page);
	evbuffer_free(page);
}

struct scrape *
scrape_new(struct event_base *base, const struct settings *settings,
    void (*look)(void *owner, struct metrics_now *now), void *owner,
    char *cause, size_t size)
{
	struct scrape *scrape = memory_new(sizeof(*scrape));

	scrape->look = look;
	scrape->owner = owner;
	scrape->listen = listen_new_at(base, settings, settings->metrics_listen,
	    SCRAPE_CONNECTIONS, scrape_request, scrape, cause, size);
	if (scrape->listen != NULL)
		return (scrape);
	scrape_free(scrape);
	return (NULL);
}

void
scrape_free(struct scrape *scrape)
{
	if (scrape == NULL)
		return;
	listen_free(scrape->listen);
	memory_free(scrape);
}
