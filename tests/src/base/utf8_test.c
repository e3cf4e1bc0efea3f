#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "tests/src/test.h"

#define CLEAN(text) utf8_is_clean(text, sizeof(text) - 1)

static void
test_clean(void **state)
{
	(void)state;
	assert_true(CLEAN(""));
	assert_true(CLEAN("a\t\x7f"));
	assert_true(CLEAN("\xc3\xa9\xe2\x82\xac\xf0\x9f\x94\x91"));
	/* the ends of each range of RFC 3629, 4 */
	assert_true(CLEAN("\xc2\x80\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf"));
	assert_true(CLEAN("\xee\x80\x80\xef\xbf\xbf\xf0\x90\x80\x80"));
	assert_true(CLEAN("\xf4\x8f\xbf\xbf"));

	assert_false(CLEAN("a\0b"));
	assert_false(CLEAN("\x80"));
	assert_false(CLEAN("\xc0\x80")); /* overlong */
	assert_false(CLEAN("\xe0\x9f\xbf")); /* overlong */
	assert_false(CLEAN("\xf0\x8f\xbf\xbf")); /* overlong */
	assert_false(CLEAN("\xed\xa0\x80")); /* a surrogate */
	assert_false(CLEAN("\xf4\x90\x80\x80")); /* above U+10FFFF */
	assert_false(CLEAN("\xf5\x80\x80\x80"));
	assert_false(CLEAN("\xe2\x82")); /* cut off */
	assert_false(CLEAN("\xe2\x28\xa1"));
}

static void
test_made_clean(void **state)
{
	char text[8];

	(void)state;
	utf8_clean(text, sizeof(text), "a\tb\xff");
	assert_string_equal(text, "a?b?");
	/* A character that does not fit whole is left out. */
	utf8_clean(text, sizeof(text), "123456\xc3\xa9");
	assert_string_equal(text, "123456");
	utf8_clean(text, sizeof(text), "12345\xc3\xa9");
	assert_string_equal(text, "12345\xc3\xa9");
	utf8_clean(text, sizeof(text), "123456789");
	assert_string_equal(text, "1234567");
}

static void
test_names(void **state)
{
	(void)state;
	assert_true(utf8_is_name("page_size", 9));
	assert_false(utf8_is_name("", 0));
	assert_false(utf8_is_name("a\"b", 3));
	assert_false(utf8_is_name("a\0b", 3));
	assert_false(utf8_is_name("Name", 4));
}

static void
test_uuids(void **state)
{
	char text[] = "EC81336C-383b-43d7-B0AC-5cd03519afa0";

	(void)state;
	assert_true(utf8_is_uuid(text));
	utf8_lower(text);
	assert_string_equal(text, "ec81336c-383b-43d7-b0ac-5cd03519afa0");
	assert_false(utf8_is_uuid(""));
	assert_false(utf8_is_uuid("ec81336c-383b-43d7-b0ac-5cd03519afa"));
	assert_false(utf8_is_uuid("ec81336c-383b-43d7-b0ac-5cd03519afa00"));
	assert_false(utf8_is_uuid("ec81336c-383b-43d7-b0ac-5cd03519afag"));
	assert_false(utf8_is_uuid("ec81336c383b43d7b0ac5cd03519afa0"));
	assert_false(utf8_is_uuid("ec81336c-383b-43d7-b0ac-5cd03519afa "));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_clean),
		cmocka_unit_test(test_made_clean),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_uuids),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
