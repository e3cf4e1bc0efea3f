#include <event2/http.h>
#include <event2/http_struct.h>
#include <string.h>

#include "../../src/address.h"
#include "fuzz.h"

/* Trusted networks and a header, with a NUL between: it gives an address. */
int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct evhttp_request *http = evhttp_request_new(NULL, NULL);
	char *text = malloc(size + 2), client[ADDRESS_TEXT_SIZE];
	const char *header;
	unsigned char network[16];

	memcpy(text, bytes, size);
	text[size] = '\0';
	text[size + 1] = '\0';
	header = text + strlen(text) + 1;
	if (address_are_all(text)) {
		/* That of evhttp takes no line ends, nor does evhttp. */
		evhttp_add_header(evhttp_request_get_input_headers(http),
		    "X-Forwarded-For", header);
		address_of_client("127.0.0.1", http, text, client);
		FUZZ_EXPECT(address_of_network(client, network));
	}
	evhttp_request_free(http);
	free(text);
	return (0);
}
