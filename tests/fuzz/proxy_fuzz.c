#include <string.h>

#include "base/address.h"
#include "fuzz.h"
#include "http/proxy.h"

/* However the bytes are cut, they are the same header, or none. */
int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	enum proxy_state state = PROXY_MORE, found = PROXY_MORE;
	struct proxy whole, piecemeal;
	unsigned char network[16];
	uint8_t *copy;
	size_t given;

	if (size > PROXY_SIZE_MAX)
		size = PROXY_SIZE_MAX;
	state = proxy_read(bytes, size, &whole);
	for (given = 0; given <= size && found == PROXY_MORE; given++) {
		/* Exactly as large as what may be read. */
		copy = malloc(given + 1);
		memcpy(copy + 1, bytes, given);
		found = proxy_read(copy + 1, given, &piecemeal);
		free(copy);
	}
	FUZZ_EXPECT(found == state);
	if (state != PROXY_WHOLE)
		return (0);
	FUZZ_EXPECT(whole.size == piecemeal.size && whole.size <= size);
	FUZZ_EXPECT(strcmp(whole.client, piecemeal.client) == 0);
	FUZZ_EXPECT(whole.client[0] == '\0' ||
	    address_of_network(whole.client, network));
	return (0);
}
