#include <event2/buffer.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <string.h>

#include "limit.h"
#include "request.h"
#include "service.h"

/*
 * evhttp has limits of its own, but says 400 when headers pass them: it gets
 * larger ones (listen.c), and the ones that count are kept here.
 */
static size_t
limit_headers_size(struct evhttp_request *http)
{
	const struct evkeyvalq *headers =
	    evhttp_request_get_input_headers(http);
	const struct evkeyval *header;
	size_t size = strlen(evhttp_request_get_uri(http));

	for (header = headers->tqh_first; header != NULL;
	     header = header->next.tqe_next)
		size += strlen(header->key) + strlen(header->value) +
		    strlen(": \r\n");
	return (size);
}

bool
limit_request(struct request *request)
{
	const struct settings *settings = &request->service->settings;
	struct evbuffer *body = evhttp_request_get_input_buffer(request->http);

	if (limit_headers_size(request->http) > (size_t)settings->max_headers)
		return (request_refuse(request, ERROR_HEADERS_TOO_LARGE));
	if (evbuffer_get_length(body) > (size_t)settings->max_body)
		return (request_refuse(request, ERROR_BODY_TOO_LARGE));
	return (true);
}
