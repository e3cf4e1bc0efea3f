#include <string.h>

#include "base/base64.h"
#include "fuzz.h"

/* What decodes is what encoding gives back, but for bits that padding hides. */
int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	unsigned char *decoded = malloc(BASE64_DECODED_MAX(size) + 1);
	char *encoded = malloc(BASE64_ENCODED_SIZE(size) + 1);
	size_t length = 0;

	if (base64_decode((const char *)bytes, size, decoded, &length)) {
		FUZZ_EXPECT(length <= BASE64_DECODED_MAX(size));
		base64_encode(decoded, length, encoded);
		FUZZ_EXPECT(strlen(encoded) == size);
		FUZZ_EXPECT(size < 4 || memcmp(encoded, bytes, size - 4) == 0);
	}
	base64_encode(bytes, size, encoded);
	free(decoded);
	decoded = malloc(BASE64_DECODED_MAX(strlen(encoded)) + 1);
	FUZZ_EXPECT(base64_decode(encoded, strlen(encoded), decoded, &length));
	FUZZ_EXPECT(length == size && memcmp(decoded, bytes, size) == 0);
	free(decoded);
	free(encoded);
	return (0);
}
