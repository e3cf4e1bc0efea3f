#include <errno.h>
#include <event2/buffer.h>
#include <event2/http.h>
#include <event2/listener.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "listen.h"
#include "local.h"
#include "memory.h"
#include "metrics.h"
#include "scrape.h"
#include "service.h"

#define SCRAPE_BACKLOG 16
#define SCRAPE_TIMEOUT 10 /* seconds */
#define SCRAPE_REQUEST_MAX 8192

struct scrape {
	struct service *service;
	struct evhttp *http;
};

static void
scrape_metrics(struct evhttp_request *http, void *arg)
{
	struct scrape *scrape = arg;
	struct service *service = scrape->service;
	struct evbuffer *page = evbuffer_new();
	struct metrics_now now;

	memset(&now, 0, sizeof(now));
	now.ready = local_not_ready(service) == NULL;
	now.audit = service->audit;
	listen_count(service->listen, &now);
	pool_count(service->pool, &now);
	metrics_write(page, &now);
	evhttp_add_header(evhttp_request_get_output_headers(http),
	    "Content-Type", "text/plain; version=0.0.4; charset=utf-8");
	evhttp_send_reply(http, 200, NULL, page);
	evbuffer_free(page);
}

struct scrape *
scrape_new(struct service *service, char *cause, size_t size)
{
	const char *text = service->settings.metrics_listen;
	struct sockaddr_storage address;
	int length = sizeof(address);
	struct evconnlistener *listener;
	struct scrape *scrape;

	evutil_parse_sockaddr_port(text, (struct sockaddr *)&address, &length);
	listener = evconnlistener_new_bind(service->base, NULL, NULL,
	    LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC | LEV_OPT_REUSEABLE,
	    SCRAPE_BACKLOG, (struct sockaddr *)&address, length);
	if (listener == NULL) {
		snprintf(cause, size, "unable to listen on %s: %s", text,
		    strerror(errno));
		return (NULL);
	}
	scrape = memory_new(sizeof(*scrape));
	scrape->service = service;
	scrape->http = evhttp_new(service->base);
	evhttp_set_allowed_methods(scrape->http, EVHTTP_REQ_GET);
	evhttp_set_max_headers_size(scrape->http, SCRAPE_REQUEST_MAX);
	evhttp_set_max_body_size(scrape->http, SCRAPE_REQUEST_MAX);
	evhttp_set_timeout(scrape->http, SCRAPE_TIMEOUT);
	evhttp_set_cb(scrape->http, "/metrics", scrape_metrics, scrape);
	evhttp_bind_listener(scrape->http, listener);
	return (scrape);
}

void
scrape_free(struct scrape *scrape)
{
	if (scrape == NULL)
		return;
	evhttp_free(scrape->http);
	memory_free(scrape);
}
