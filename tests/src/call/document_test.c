#include <string.h>

#include "base/json_strict.h"
#include "call/document.h"
#include "tests/src/test.h"

static struct json_object *
parse(const char *text)
{
	return (document_parse(text, strlen(text)));
}

static void
assert_parsed(const char *text, const char *expected)
{
	struct json_object *object = parse(text);

	assert_non_null(object);
	assert_string_equal(
	    json_object_to_json_string_ext(object,
		JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE),
	    expected);
	json_object_put(object);
}

static void
test_parsed(void **state)
{
	(void)state;
	assert_parsed("{}", "{}");
	assert_parsed(" {\"a\" : [1, \"\\/\"] } \r\n", "{\"a\":[1,\"/\"]}");
	assert_parsed("{\"a\":1.50,\"a\":2}", "{\"a\":2}");
	assert_parsed(
	    "{\"\\ud83d\\udd11\":null}", "{\"\xf0\x9f\x94\x91\":null}");
}

static void
test_refused(void **state)
{
	static const char *const texts[] = { "", " ", "null", "1", "\"a\"",
		"[]", "{", "}", "{}}", "{}{}", "{} x", "{\"a\"}", "{\"a\":}",
		"{\"a\":1,}", "{,}", "{\"a\" 1}", "{'a':1}", "{a:1}",
		"{\"a\":tru}", "{\"a\":nul}", "{\"a\":truefalse}",
		"{\"a\":[1,]}", "{\"a\":[1 2]}", "{\"a\":\"\xff\"}",
		"{\"a\":\"\\u0000\"}", "{\"a\":01}", "{\"a\":1]", "{/**/}",
		"\xef\xbb\xbf{}" };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_null(parse(texts[i]));
	assert_null(document_parse("{}\0", 3));
}

static void
test_depth(void **state)
{
	char text[8 * JSON_STRICT_DEPTH_MAX] = "";
	struct json_object *object;
	size_t levels, size, i;

	(void)state;
	for (levels = JSON_STRICT_DEPTH_MAX;
	     levels <= JSON_STRICT_DEPTH_MAX + 1; levels++) {
		size = 0;
		for (i = 0; i < levels; i++) {
			memcpy(text + size, "{\"a\":", 5);
			size += 5;
		}
		text[size++] = '1';
		memset(text + size, '}', levels);
		object = document_parse(text, size + levels);
		assert_int_equal(
		    object != NULL, levels == JSON_STRICT_DEPTH_MAX);
		json_object_put(object);
	}
}

static void
assert_cut(const char *text, const char *state, const char *bytes, size_t size)
{
	struct json_object *object = parse(text);
	struct document_value value;

	assert_non_null(object);
	assert_string_equal(document_cut(object, "data", &value), state);
	assert_int_equal(value.size, size);
	if (bytes == NULL)
		assert_null(value.bytes);
	else
		assert_memory_equal(value.bytes, bytes, size);
	assert_false(json_object_object_get_ex(object, "data", NULL));
	document_value_free(&value);
	assert_null(value.bytes);
	json_object_put(object);
}

static void
test_data_is_cut_out(void **state)
{
	(void)state;
	assert_cut("{\"name\":1}", "absent", NULL, 0);
	assert_cut("{\"data\":null}", "absent", NULL, 0);
	assert_cut("{\"data\":\"\"}", "given", "", 0);
	assert_cut("{\"data\":\"AAECAw==\"}", "given", "\0\1\2\3", 4);
	assert_cut("{\"d\\u0061ta\":\"\\/w==\"}", "given", "\xff", 1);
	assert_cut("{\"data\":\"AAECAw\"}", "invalid", NULL, 0);
	assert_cut("{\"data\":7}", "invalid", NULL, 0);
	assert_cut("{\"data\":{\"data\":\"AA==\"}}", "invalid", NULL, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parsed),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_data_is_cut_out),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
