#include <json-c/json.h>
#include <string.h>

#include "base/utf8.h"
#include "call/document.h"
#include "fuzz.h"

/* What is taken for a document is one again after it has been written. */
int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	char *text = malloc(size + 1);
	struct json_object *document, *again;
	struct document_value data;
	const char *state, *written;

	memcpy(text, bytes, size);
	text[size] = '\0';
	document = document_parse(text, size);
	if (document != NULL) {
		state = document_cut(document, "data", &data);
		FUZZ_EXPECT(
		    (strcmp(state, "given") == 0) == (data.bytes != NULL));
		document_value_free(&data);
		written = json_object_to_json_string_ext(
		    document, JSON_C_TO_STRING_PLAIN);
		FUZZ_EXPECT(utf8_is_clean(written, strlen(written)));
		again = document_parse(written, strlen(written));
		FUZZ_EXPECT(json_object_equal(document, again));
		json_object_put(again);
		json_object_put(document);
	}
	free(text);
	return (0);
}
