#include <stdbool.h>
#include <string.h>

#include "fuzz.h"
#include "http/http_head.h"

static const struct http_head_limits limits = { 512, 8, 1000 };

/* However the bytes are cut, they are the same request, or the same fault. */
int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct http_head whole = { 0 }, piecemeal = { 0 };
	enum http_head_state state, found = HTTP_HEAD_MORE;
	/* Exactly as large as what may be read. */
	char *copy = malloc(size + 1);
	size_t given;

	memcpy(copy, bytes, size);
	state = http_head_read(&whole, copy, size, &limits);
	for (given = 0; given <= size && found == HTTP_HEAD_MORE; given++)
		found = http_head_read(&piecemeal, copy, given, &limits);
	if (state == HTTP_HEAD_WHOLE) {
		FUZZ_EXPECT(found == HTTP_HEAD_WHOLE);
		FUZZ_EXPECT(whole.size == piecemeal.size);
		FUZZ_EXPECT(whole.body == piecemeal.body);
		FUZZ_EXPECT(whole.size <= size && whole.size <= limits.head);
		FUZZ_EXPECT(whole.body <= limits.body);
		FUZZ_EXPECT(memcmp(copy + whole.size - 4, "\r\n\r\n", 4) == 0);
		FUZZ_EXPECT(memchr(copy, '\0', whole.size) == NULL);
	} else {
		FUZZ_EXPECT(found == state);
		FUZZ_EXPECT(
		    (state == HTTP_HEAD_FAULT) == (piecemeal.fault != NULL));
	}
	free(copy);
	return (0);
}
