#include <stdio.h>
#include <string.h>

#include "keys/envelope.h"
#include "tests/src/test.h"

/*
 * Made with another implementation: key = bytes 0 to 63, IV = bytes 0 to 15,
 * "attack at dawn" as revision 258.
 */
#define DEK                                                                \
	"01000102030405060708090a0b0c0d0e0f4799002de1ad2634c755e64094dfdb" \
	"c8126eafdd73ae9ca54c0cb90cdf2a65c49e376aea7fd456d99c785d32c398e2" \
	"82"
#define PAYLOAD                                                            \
	"01000102030405060708090a0b0c0d0e0f4799002de1ad2634c755e64094dfdb" \
	"c8da515025380cc5ed8d8c6cb7796d6a59d587acc876156bfcf4ec9e7d382d98" \
	"8a"
#define PLAIN "attack at dawn"
#define SIZE 65

static unsigned char key[ENVELOPE_KEY_SIZE], sealed[SIZE], plain[SIZE];
static uuid_t project, secret, kek;
static struct envelope_place place;
static size_t plain_size;

static bool
opens(size_t size)
{
	return (
	    envelope_decrypt(key, &place, sealed, size, plain, &plain_size));
}

static void
unhex(const char *text)
{
	unsigned int byte;
	size_t i;

	assert_int_equal(strlen(text), 2 * SIZE);
	for (i = 0; i < SIZE; i++) {
		assert_int_equal(sscanf(text + 2 * i, "%2x", &byte), 1);
		sealed[i] = (unsigned char)byte;
	}
}

static int
set_up(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(key); i++)
		key[i] = (unsigned char)i;
	uuid_parse("11111111-2222-4333-8444-555555555555", project);
	uuid_parse("aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee", secret);
	uuid_parse("99999999-8888-4777-8666-555555555555", kek);
	place = (struct envelope_place){
		.kind = "dek",
		.project = project,
		.secret = secret,
		.revision = 258,
		.kek = kek,
	};
	unhex(DEK);
	return (0);
}

static void
test_vectors(void **state)
{
	(void)state;
	assert_true(opens(SIZE));
	assert_int_equal(plain_size, strlen(PLAIN));
	assert_memory_equal(plain, PLAIN, plain_size);
	unhex(PAYLOAD);
	assert_false(opens(SIZE));
	place.kind = "pay";
	place.kek = NULL;
	assert_true(opens(SIZE));
	assert_memory_equal(plain, PLAIN, plain_size);
}

static void
test_every_bit_counts(void **state)
{
	size_t bit;

	(void)state;
	for (bit = 0; bit < 8 * SIZE; bit++) {
		sealed[bit / 8] ^= (unsigned char)(1 << bit % 8);
		assert_false(opens(SIZE));
		sealed[bit / 8] ^= (unsigned char)(1 << bit % 8);
	}
	for (bit = 0; bit < 8 * ENVELOPE_KEY_SIZE / 2; bit++) {
		key[bit / 8] ^= (unsigned char)(1 << bit % 8);
		assert_false(opens(SIZE));
		key[bit / 8] ^= (unsigned char)(1 << bit % 8);
	}
	assert_true(opens(SIZE));
}

static void
test_length(void **state)
{
	size_t size;

	(void)state;
	for (size = 0; size < SIZE; size++)
		assert_false(opens(size));
	assert_false(opens(ENVELOPE_SIZE_MAX + 1));
}

static void
test_place(void **state)
{
	(void)state;
	place.revision++;
	assert_false(opens(SIZE));
	place.revision--;
	place.project = secret;
	assert_false(opens(SIZE));
	place.project = project;
	place.secret = project;
	assert_false(opens(SIZE));
	place.secret = secret;
	place.kek = NULL;
	assert_false(opens(SIZE));
	place.kek = kek;
	assert_true(opens(SIZE));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_vectors, set_up),
		cmocka_unit_test_setup(test_every_bit_counts, set_up),
		cmocka_unit_test_setup(test_length, set_up),
		cmocka_unit_test_setup(test_place, set_up),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
