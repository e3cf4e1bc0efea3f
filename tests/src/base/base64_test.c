#include <string.h>

#include "base/base64.h"
#include "tests/src/test.h"

/* RFC 4648, 10. */
static const struct {
	const char *plain;
	const char *coded;
} vectors[] = {
	{ "", "" },
	{ "f", "Zg==" },
	{ "fo", "Zm8=" },
	{ "foo", "Zm9v" },
	{ "foob", "Zm9vYg==" },
	{ "fooba", "Zm9vYmE=" },
	{ "foobar", "Zm9vYmFy" },
	{ "\xfb\xff\xbf", "+/+/" },
};

static void
test_vectors(void **state)
{
	unsigned char plain[16];
	char coded[16];
	size_t i, size;

	(void)state;
	for (i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		assert_true(base64_decode(
		    vectors[i].coded, strlen(vectors[i].coded), plain, &size));
		assert_int_equal(size, strlen(vectors[i].plain));
		assert_memory_equal(plain, vectors[i].plain, size);
		base64_encode((const unsigned char *)vectors[i].plain,
		    strlen(vectors[i].plain), coded);
		assert_string_equal(coded, vectors[i].coded);
	}
}

static void
test_bits_that_padding_leaves_over(void **state)
{
	unsigned char plain[4];
	size_t size;

	(void)state;
	assert_true(base64_decode("Zh==", 4, plain, &size));
	assert_int_equal(size, 1);
	assert_int_equal(plain[0], 'f');
}

static void
test_refused(void **state)
{
	static const char *const texts[] = { "A", "AA", "AAA", "AAAAA", "=",
		"====", "A===", "AA=A", "=AAA", " AAA", "AAA ", "AA\nA", "-_-_",
		"AAAA=", "AA==AAAA", "AAA\xc3", "AAA\x80" };
	unsigned char plain[16];
	size_t i, size;

	(void)state;
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_false(
		    base64_decode(texts[i], strlen(texts[i]), plain, &size));
	/* A NUL is no character of the alphabet either. */
	assert_false(base64_decode("AA\0A", 4, plain, &size));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_bits_that_padding_leaves_over),
		cmocka_unit_test(test_refused),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
