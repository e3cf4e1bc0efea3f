#include <string.h>

#include "base/crypto.h"
#include "tests/src/test.h"

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
	crypto_seal(key, "aad", 3, plain, sizeof(plain), sealed);
	assert_true(crypto_open(key, "aad", 3, sealed, sizeof(opened), opened));
	assert_memory_equal(plain, opened, sizeof(plain));
	/* A nonce is used once. */
	crypto_seal(key, "aad", 3, plain, sizeof(plain), again);
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
	crypto_seal(key, "aad", 3, key, sizeof(key), sealed);
	memcpy(other, key, sizeof(other));
	other[31] ^= 1;
	assert_false(
	    crypto_open(other, "aad", 3, sealed, sizeof(opened), opened));
	assert_false(
	    crypto_open(key, "aae", 3, sealed, sizeof(opened), opened));
	assert_false(
	    crypto_open(key, "aad", 2, sealed, sizeof(opened), opened));
	for (bit = 0; bit < 8 * sizeof(sealed); bit++) {
		sealed[bit / 8] ^= (unsigned char)(1 << bit % 8);
		assert_false(
		    crypto_open(key, "aad", 3, sealed, sizeof(opened), opened));
		assert_memory_equal(opened, zero, sizeof(zero));
		sealed[bit / 8] ^= (unsigned char)(1 << bit % 8);
	}
	assert_true(crypto_open(key, "aad", 3, sealed, sizeof(opened), opened));
}

/* RFC 8032, 7.1, test 1. */
static void
test_sign_and_verify(void **state)
{
	static const unsigned char private[] = { 0x9d, 0x61, 0xb1, 0x9d, 0xef,
		0xfd, 0x5a, 0x60, 0xba, 0x84, 0x4a, 0xf4, 0x92, 0xec, 0x2c,
		0xc4, 0x44, 0x49, 0xc5, 0x69, 0x7b, 0x32, 0x69, 0x19, 0x70,
		0x3b, 0xac, 0x03, 0x1c, 0xae, 0x7f, 0x60 };
	static const unsigned char expected[] = { 0xd7, 0x5a, 0x98, 0x01, 0x82,
		0xb1, 0x0a, 0xb7, 0xd5, 0x4b, 0xfe, 0xd3, 0xc9, 0x64, 0x07,
		0x3a, 0x0e, 0xe1, 0x72, 0xf3, 0xda, 0xa6, 0x23, 0x25, 0xaf,
		0x02, 0x1a, 0x68, 0xf7, 0x07, 0x51, 0x1a };
	static const unsigned char expected_signature[] = { 0xe5, 0x56, 0x43,
		0x00, 0xc3, 0x60, 0xac, 0x72, 0x90, 0x86, 0xe2, 0xcc, 0x80,
		0x6e, 0x82, 0x8a, 0x84, 0x87, 0x7f, 0x1e, 0xb8, 0xe5, 0xd9,
		0x74, 0xd8, 0x73, 0xe0, 0x65, 0x22, 0x49, 0x01, 0x55, 0x5f,
		0xb8, 0x82, 0x15, 0x90, 0xa3, 0x3b, 0xac, 0xc6, 0x1e, 0x39,
		0x70, 0x1c, 0xf9, 0xb4, 0x6b, 0xd2, 0x5b, 0xf5, 0xf0, 0x59,
		0x5b, 0xbe, 0x24, 0x65, 0x51, 0x41, 0x43, 0x8e, 0x7a, 0x10,
		0x0b };
	unsigned char public[CRYPTO_KEY_SIZE];
	unsigned char signature[CRYPTO_SIGNATURE_SIZE];
	char id[CRYPTO_PUBLIC_ID_SIZE];

	(void)state;
	crypto_public(private, public);
	assert_memory_equal(public, expected, sizeof(expected));
	crypto_public_id(public, id);
	assert_string_equal(id, "21fe31dfa154a261");
	crypto_sign(private, "", 0, signature);
	assert_memory_equal(
	    signature, expected_signature, sizeof(expected_signature));
	assert_true(crypto_verify(public, "", 0, signature));
	assert_false(crypto_verify(public, "x", 1, signature));
	signature[7] ^= 1;
	assert_false(crypto_verify(public, "", 0, signature));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_derive),
		cmocka_unit_test(test_seal_and_open),
		cmocka_unit_test(test_open_refuses),
		cmocka_unit_test(test_sign_and_verify),
	};

	return (cmocka_run_group_tests(tests, set_up, NULL));
}
