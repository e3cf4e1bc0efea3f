#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <string.h>

#include "base/memory.h"
#include "base/utf8.h"
#include "call/authenticate.h"
#include "http/request.h"
#include "service.h"

#define AUTHENTICATE_HEADER "X-Auth-Token"

bool
authenticate_request(struct request *request)
{
	const struct evkeyvalq *headers =
	    evhttp_request_get_input_headers(request->http);
	struct keyring *keyring = request->service->keyring;
	struct evkeyval *header;
	size_t found = 0;
	bool sound = false;

	if (!keyring_has_pepper(keyring))
		return (request_refuse(request, ERROR_UNAVAILABLE));
	for (header = headers->tqh_first; header != NULL;
	     header = header->next.tqe_next) {
		if (strcasecmp(header->key, AUTHENTICATE_HEADER) != 0)
			continue;
		found++;
		sound = utf8_is_uuid(header->value);
		if (sound) {
			utf8_lower(header->value);
			keyring_digest(keyring, header->value, request->digest);
		}
		memory_wipe(header->value, strlen(header->value));
	}
	if (found == 0)
		return (request_refuse(request, ERROR_NO_TOKEN));
	/* With two tokens there is no telling who calls. */
	if (found > 1 || !sound)
		return (request_refuse(request, ERROR_BAD_TOKEN));
	return (true);
}
