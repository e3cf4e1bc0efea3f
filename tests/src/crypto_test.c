#include <string.h>

#include "../../src/crypto.h"
#include "test.h"

/* Vectors made with another implementation: bytes 0 to 31 as the key. */
static unsigned char key[CRYPTO_KEY_SIZE];

static int
set_up(void **state)
{
	unsigned char i;

	(void)state;
	for (i = 0; i < sizeof(key); i++)
		key[i] = i;
	return (0);
}

static void
test_derive(void **state)
{
	static const unsigned char expected[] = { 0xf4, 0x94, 0x18, 0xbd, 0x66,
		0xf1, 0x70, 0xae, 0x33, 0xc7, 0xa5, 0x7f, 0x8f, 0x65, 0x79,
		0xa4, 0x8b, 0xda, 0x8c, 0xc2, 0xe4, 0x9f, 0x6a, 0x96, 0x34,
		0xe8, 0x51, 0xfc, 0xba, 0x9a, 0x3c, 0x63 };
	unsigned char derived[CRYPTO_KEY_SIZE];

	(void)state;
	crypto_derive(key, "coffer/kek", derived);
	assert_memory_equal(derived, expected, sizeof(expected));
}

static void
test_seal_and_open(void **state)
{
	unsigned char plain[CRYPTO_KEY_SIZE], opened[CRYPTO_KEY_SIZE];
	unsigned char sealed[CRYPTO_SEALED_SIZE], again[CRYPTO_SEALED_SIZE];

	(void)state;
	crypto_random(plain, sizeof(plain));
	crypto_seal(key, "aad", 3, plain, sealed);
	assert_true(crypto_open(key, "aad", 3, sealed, opened));
	assert_memory_equal(plain, opened, sizeof(plain));
	/* A nonce is used once. */
	crypto_seal(key, "aad", 3, plain, again);
	assert_memory_not_equal(sealed, again, 12);
}

static void
test_open_refuses(void **state)
{
	unsigned char sealed[CRYPTO_SEALED_SIZE], opened[CRYPTO_KEY_SIZE];
	unsigned char other[CRYPTO_KEY_SIZE];
	static const unsigned char zero[CRYPTO_KEY_SIZE];
	size_t bit;

	(void)state;
	crypto_seal(key, "aad", 3, key, sealed);
	memcpy(other, key, sizeof(other));
	other[31] ^= 1;
	assert_false(crypto_open(other, "aad", 3, sealed, opened));
	assert_false(crypto_open(key, "aae", 3, sealed, opened));
	assert_false(crypto_open(key, "aad", 2, sealed, opened));
	for (bit = 0; bit < 8 * sizeof(sealed); bit++) {
		sealed[bit / 8] ^= (unsigned char)(1 << bit % 8);
		assert_false(crypto_open(key, "aad", 3, sealed, opened));
		assert_memory_equal(opened, zero, sizeof(zero));
		sealed[bit / 8] ^= (unsigned char)(1 << bit % 8);
	}
	assert_true(crypto_open(key, "aad", 3, sealed, opened));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_derive),
		cmocka_unit_test(test_seal_and_open),
		cmocka_unit_test(test_open_refuses),
	};

	return (cmocka_run_group_tests(tests, set_up, NULL));
}
