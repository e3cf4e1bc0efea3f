#include <event2/buffer.h>
#include <event2/http.h>
#include <string.h>

#include "base/errors.h"
#include "base/metrics.h"
#include "http/connection.h"
#include "http/http_head.h"
#include "http/listen.h"
#include "http/scrape.h"
#include "readiness.h"
#include "service.h"

#define SCRAPE_CONNECTIONS 16 /* more than there are servers of Prometheus */

static void
scrape_write(struct service *service, struct evbuffer *page)
{
	struct metrics_now now;

	memset(&now, 0, sizeof(now));
	now.ready = readiness_reason(service) == NULL;
	now.warnings = readiness_warnings(service);
	now.audit = service->audit;
	now.jobs_count = job_faults(service->job, now.jobs);
	listen_count(service->listen, &now);
	pool_count(service->pool, &now);
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
scrape_request(struct service *service, struct evhttp_request *http,
    struct connection *connection)
{
	const int status = scrape_status(http, connection_fault(connection));
	struct evbuffer *page = evbuffer_new();

	if (status == 200) {
		scrape_write(service, page);
		evhttp_add_header(evhttp_request_get_output_headers(http),
		    "Content-Type", "text/plain; version=0.0.4; charset=utf-8");
	}
	evhttp_send_reply(http, status, NULL, page);
	evbuffer_free(page);
}

struct listen *
scrape_new(struct service *service, char *cause, size_t size)
{
	return (listen_new_at(service, service->settings.metrics_listen,
	    SCRAPE_CONNECTIONS, scrape_request, cause, size));
}
