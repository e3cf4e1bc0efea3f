#include <json-c/json.h>
#include <string.h>

#include "../../src/document.h"
#include "../../src/text.h"
#include "fuzz.h"

/* What is taken for a document is one again after it has been written. */
int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	char *text = malloc(size + 1);
	struct json_object *document, *again;
	unsigned char *data;
	const char *state, *written;
	size_t length;

	memcpy(text, bytes, size);
	text[size] = '\0';
	document = document_parse(text, size);
	if (document != NULL) {
		state = document_cut_data(document, &data, &length);
		FUZZ_EXPECT((strcmp(state, "given") == 0) == (data != NULL));
		free(data);
		written = json_object_to_json_string_ext(
		    document, JSON_C_TO_STRING_PLAIN);
		FUZZ_EXPECT(text_is_clean(written, strlen(written)));
		again = document_parse(written, strlen(written));
		FUZZ_EXPECT(json_object_equal(document, again));
		json_object_put(again);
		json_object_put(document);
	}
	free(text);
	return (0);
}
