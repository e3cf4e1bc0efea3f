#include <string.h>

#include "base/json_strict.h"
#include "tests/src/test.h"

static bool
sound(const char *text)
{
	return (json_strict_is_sound(text, strlen(text)));
}

static void
test_sound(void **state)
{
	static const char *const texts[] = { "{}", "[null,true,false,\"\"]",
		"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0001\\ud83d\\udd11\"", "0",
		"-0", "-1.5E+3", "1e308", "1e-300",
		"123456789012345678901234567890", " \t\r\n{ }", "\"\x7f\"" };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_true(sound(texts[i]));
}

static void
test_unsound(void **state)
{
	static const char *const texts[] = { "\"", "\"\\\"", "\"\\u12\"",
		"\"\\u+123\"", "\"\\u 123\"", "\"\\x\"", "\"\\u0000\"",
		"\"\\ud83d\"", "\"\\udd11\"", "\"\\ud83d\\ud83d\"",
		"\"\\ud83dx\"", "\"\t\"", "\"\x1f\"", "1e400", "-1e400",
		"1e-400", "01", "-", "1.", ".5", "+1", "1e", "1.2.3", "NaN",
		"Infinity", "True", "'a'", "// a", "\f", "0x10" };
	char digits[300];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_false(sound(texts[i]));
	memset(digits, '9', sizeof(digits));
	digits[257] = '\0';
	assert_false(sound(digits));
	digits[256] = '\0';
	assert_true(sound(digits));
	assert_false(json_strict_is_sound("{\0}", 3));
	assert_false(json_strict_is_sound("\"\\ud83d\\udd", 10));
}

static void
test_depth(void **state)
{
	char text[2 * (JSON_STRICT_DEPTH_MAX + 1)];

	(void)state;
	memset(text, '[', JSON_STRICT_DEPTH_MAX + 1);
	memset(
	    text + JSON_STRICT_DEPTH_MAX + 1, ']', JSON_STRICT_DEPTH_MAX + 1);
	assert_false(json_strict_is_sound(text, sizeof(text)));
	assert_true(json_strict_is_sound(text + 1, sizeof(text) - 2));
}

static void
test_grammar(void **state)
{
	static const char *const sound[] = { "{}", "[]", " {\"a\" : [ ] }\n",
		"{\"a\":{\"b\":[1,true,\"x\",null]},\"c\":false}", "1", "\"a\"",
		"{\"a\":\"\xc3\xa9\",\"\xf0\x9f\x94\x91\":1}" };
	static const char *const unsound[] = { "", " ", "{", "}", "[", "{]",
		"[}", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "[1,]", "[,1]",
		"[1 2]", "{\"a\" 1}", "{1:2}", "{a:1}", "{'a':1}", "{}{}",
		"{} x", "1 2", "[1]]", "truefalse", "True", "nul", "NaN",
		"[1]/**/", ",", ":", "{\"a\":1:2}", "{\"a\":1 \"b\":2}", "{,}",
		"[true false]" };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(sound) / sizeof(sound[0]); i++)
		assert_true(json_strict_is_sound(sound[i], strlen(sound[i])));
	for (i = 0; i < sizeof(unsound) / sizeof(unsound[0]); i++)
		assert_false(
		    json_strict_is_sound(unsound[i], strlen(unsound[i])));
}

static void
test_values(void **state)
{
	static const struct {
		const char *text;
		size_t values;
	} cases[] = {
		{ "{}", 2 },
		{ "{\"a\":1}", 3 },
		{ "[0,0,0]", 4 },
		{ "{\"a\":[{},{}]}", 7 },
		{ "{\"a,:[{\\\"\":\",,,,\"}", 3 },
		{ "\"unsound,", 2 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(
		    json_strict_values(cases[i].text, strlen(cases[i].text)),
		    cases[i].values);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_sound),
		cmocka_unit_test(test_unsound),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_grammar),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
