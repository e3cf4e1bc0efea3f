#include <openssl/evp.h>
#include <string.h>

#include "keys/cipher.h"
#include "tests/src/test.h"

#define ROTATION 7
#define PLAIN "plaintext"
#define PLAIN_SIZE (sizeof(PLAIN) - 1)
#define SEALED_SIZE (PLAIN_SIZE + CIPHER_OVERHEAD)
#define ASSOCIATED "associated"
#define ASSOCIATED_SIZE (sizeof(ASSOCIATED) - 1)

static unsigned char key[CRYPTO_KEY_SIZE];
static unsigned char sealed[SEALED_SIZE];
static unsigned char plain[SEALED_SIZE];

static int
set_up(void **state)
{
	unsigned char i;

	(void)state;
	for (i = 0; i < sizeof(key); i++)
		key[i] = i;
	cipher_encrypt(key, ROTATION, ASSOCIATED, ASSOCIATED_SIZE,
	    (const unsigned char *)PLAIN, PLAIN_SIZE, sealed);
	return (0);
}

static bool
opens(size_t size)
{
	return (cipher_decrypt(
	    key, ROTATION, ASSOCIATED, ASSOCIATED_SIZE, sealed, size, plain));
}

/* Made with another implementation: IV of bytes 0 to 11. */
static void
test_vector(void **state)
{
	static const unsigned char vector[SEALED_SIZE] = { 0x01, 0x00, 0x00,
		0x00, 0x07, 0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07,
		0x08, 0x09, 0x0a, 0x0b, 0x37, 0x6e, 0xb7, 0x72, 0xab, 0x91,
		0xa7, 0x63, 0xf9, 0xed, 0x75, 0x73, 0xa9, 0x8e, 0xa3, 0x23,
		0x40, 0xa4, 0x3b, 0x85, 0x6d, 0x53, 0x8d, 0x12, 0xaa };

	(void)state;
	assert_int_equal(cipher_rotation(vector, sizeof(vector)), ROTATION);
	assert_true(cipher_decrypt(key, ROTATION, ASSOCIATED, ASSOCIATED_SIZE,
	    vector, sizeof(vector), plain));
	assert_memory_equal(plain, PLAIN, PLAIN_SIZE);
}

/* OpenSSL alone reads it with the key, byte by byte. */
static void
test_layout(void **state)
{
	static const unsigned char header[] = { 1, 0, 0, 0, ROTATION };
	EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
	int size;

	(void)state;
	assert_memory_equal(sealed, header, sizeof(header));
	assert_int_equal(EVP_DecryptInit_ex(
			     context, EVP_aes_256_gcm(), NULL, key, sealed + 5),
	    1);
	assert_int_equal(
	    EVP_DecryptUpdate(context, NULL, &size,
		(const unsigned char *)ASSOCIATED, (int)ASSOCIATED_SIZE),
	    1);
	assert_int_equal(EVP_DecryptUpdate(context, plain, &size, sealed + 17,
			     (int)PLAIN_SIZE),
	    1);
	assert_int_equal(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, 16,
			     sealed + 17 + PLAIN_SIZE),
	    1);
	assert_int_equal(
	    EVP_DecryptFinal_ex(context, plain + PLAIN_SIZE, &size), 1);
	assert_memory_equal(plain, PLAIN, PLAIN_SIZE);
	EVP_CIPHER_CTX_free(context);
}

static void
test_round_trip(void **state)
{
	unsigned char again[SEALED_SIZE];

	(void)state;
	assert_true(opens(sizeof(sealed)));
	assert_memory_equal(plain, PLAIN, PLAIN_SIZE);
	/* No two are alike. */
	cipher_encrypt(key, ROTATION, ASSOCIATED, ASSOCIATED_SIZE,
	    (const unsigned char *)PLAIN, PLAIN_SIZE, again);
	assert_memory_not_equal(sealed + 5, again + 5, 12);
	assert_memory_not_equal(sealed + 17, again + 17, sizeof(sealed) - 17);
	/* Without associated data. */
	cipher_encrypt(key, INT32_MAX, NULL, 0, (const unsigned char *)PLAIN,
	    PLAIN_SIZE, again);
	assert_true(cipher_decrypt(
	    key, INT32_MAX, NULL, 0, again, sizeof(again), plain));
	assert_true(
	    cipher_decrypt(key, INT32_MAX, "", 0, again, sizeof(again), plain));
}

static void
test_every_bit_counts(void **state)
{
	static const unsigned char zeros[PLAIN_SIZE];
	size_t bit;

	(void)state;
	for (bit = 0; bit < sizeof(sealed) * 8; bit++) {
		sealed[bit / 8] ^= (unsigned char)(1 << bit % 8);
		memset(plain, 0, sizeof(plain));
		assert_false(opens(sizeof(sealed)));
		assert_memory_equal(plain, zeros, sizeof(zeros));
		sealed[bit / 8] ^= (unsigned char)(1 << bit % 8);
	}
	assert_true(opens(sizeof(sealed)));
}

static void
test_every_length(void **state)
{
	size_t size;

	(void)state;
	for (size = 0; size < sizeof(sealed); size++)
		assert_false(opens(size));
}

static void
test_other_circumstances(void **state)
{
	(void)state;
	assert_false(cipher_decrypt(key, ROTATION, ASSOCIATED,
	    ASSOCIATED_SIZE - 1, sealed, sizeof(sealed), plain));
	assert_false(cipher_decrypt(key, ROTATION, "associatee",
	    ASSOCIATED_SIZE, sealed, sizeof(sealed), plain));
	assert_false(cipher_decrypt(
	    key, ROTATION, NULL, 0, sealed, sizeof(sealed), plain));
	assert_false(cipher_decrypt(key, ROTATION + 1, ASSOCIATED,
	    ASSOCIATED_SIZE, sealed, sizeof(sealed), plain));
	key[0] ^= 1;
	assert_false(opens(sizeof(sealed)));
}

static void
test_rotations(void **state)
{
	static const struct {
		unsigned char header[5];
		int32_t rotation;
	} rows[] = {
		{ { 1, 0, 0, 0, 1 }, 1 },
		{ { 1, 1, 2, 3, 4 }, 0x01020304 },
		{ { 1, 0x7f, 0xff, 0xff, 0xff }, INT32_MAX },
		{ { 1, 0x80, 0, 0, 0 }, 0 },
		{ { 1, 0xff, 0xff, 0xff, 0xff }, 0 },
		{ { 1, 0, 0, 0, 0 }, 0 },
		{ { 0, 0, 0, 0, 1 }, 0 },
		{ { 2, 0, 0, 0, 1 }, 0 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		memcpy(sealed, rows[i].header, sizeof(rows[i].header));
		assert_int_equal(cipher_rotation(sealed, CIPHER_OVERHEAD + 1),
		    rows[i].rotation);
		assert_int_equal(cipher_rotation(sealed, CIPHER_OVERHEAD), 0);
	}
	assert_int_equal(cipher_rotation(NULL, 0), 0);
	/* What names no rotation is not opened as one of rotation 0. */
	cipher_encrypt(
	    key, 0, NULL, 0, (const unsigned char *)PLAIN, PLAIN_SIZE, sealed);
	assert_false(
	    cipher_decrypt(key, 0, NULL, 0, sealed, sizeof(sealed), plain));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_vector, set_up),
		cmocka_unit_test_setup(test_layout, set_up),
		cmocka_unit_test_setup(test_round_trip, set_up),
		cmocka_unit_test_setup(test_every_bit_counts, set_up),
		cmocka_unit_test_setup(test_every_length, set_up),
		cmocka_unit_test_setup(test_other_circumstances, set_up),
		cmocka_unit_test_setup(test_rotations, set_up),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
