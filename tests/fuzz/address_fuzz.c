#include <event2/http.h>
#include <event2/http_struct.h>
#include <stdio.h>
#include <string.h>

#include "base/address.h"
#include "fuzz.h"

static const char *const headers[] = { "X-Forwarded-For", "Forwarded" };

/*
 * Trusted networks and a header, with a NUL between: it gives an address.  What
 * a client has put before the element of its proxy changes nothing.
 */
int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	char *text = malloc(size + 2), *value = malloc(size + 64);
	char client[ADDRESS_TEXT_SIZE];
	struct evhttp_request *http;
	struct evkeyvalq *input;
	unsigned char network[16];
	const char *header;
	size_t i;

	memcpy(text, bytes, size);
	text[size] = '\0';
	text[size + 1] = '\0';
	header = text + strlen(text) + 1;
	for (i = 0; i < 2; i++) {
		http = evhttp_request_new(NULL, NULL);
		input = evhttp_request_get_input_headers(http);
		/* That of evhttp takes no line ends, nor does evhttp. */
		if (address_are_all(text) &&
		    evhttp_add_header(input, headers[i], header) == 0) {
			address_of_client(
			    "127.0.0.1", http, text, headers[i], client);
			FUZZ_EXPECT(address_of_network(client, network));
		}
		snprintf(value, size + 64, "%s,%s192.0.2.1", header,
		    i == 0 ? "" : "for=");
		if (evhttp_add_header(input, headers[i], value) == 0) {
			address_of_client(
			    "127.0.0.1", http, "127.0.0.1", headers[i], client);
			FUZZ_EXPECT(strcmp(client, "192.0.2.1") == 0);
		}
		evhttp_request_free(http);
	}
	free(value);
	free(text);
	return (0);
}
