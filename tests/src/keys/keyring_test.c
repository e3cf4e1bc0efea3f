#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "keys/keyring.h"
#include "tests/src/test.h"

/*
 * All vectors were made with another implementation, from the formulas:
 * root key = bytes 0 to 31, KEK = bytes 32 to 63, pepper = bytes 64 to 95.
 */
#define ROOT_ID "4f66d70271577fed"
#define ROOT_LINE ROOT_ID " AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n"
#define TOKEN "ec81336c-383b-43d7-b0ac-5cd03519afa0"
#define PROJECT "11111111-2222-4333-8444-555555555555"
#define SECRET "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"
#define KEK "99999999-8888-4777-8666-555555555555"
#define KEY "33333333-2222-4111-8000-999999999999"
#define WRAPPED_KEK                                                      \
	"000102030405060708090a0bcf06ff5b2798887cfea4a1af7114819da0012a" \
	"769fd4f73640c5dcd799f7a0ddb10e962c8ba834839d17fbd465cc58d3"
#define WRAPPED_ROTATION_7                                               \
	"000102030405060708090a0bcf06ff5b2798887cfea4a1af7114819da0012a" \
	"769fd4f73640c5dcd799f7a0ddfdb20e458330c56ada3dfdcdd8ee25c4"
#define WRAPPED_PEPPER                                                   \
	"000102030405060708090a0b1202fd95fcecfa214d9f538e9047c05502a108" \
	"fae058dbb6cbf8eddb96b91ecb13799e978a3c2f247f0adc813c333713"
/* As earlier releases wrapped them. */
#define UNBOUND_KEK                                                      \
	"000102030405060708090a0bcf06ff5b2798887cfea4a1af7114819da0012a" \
	"769fd4f73640c5dcd799f7a0dde6765f0476cc6f3efc9cd8cd6b8e1e9d"
#define UNBOUND_PEPPER                                                   \
	"000102030405060708090a0b1202fd95fcecfa214d9f538e9047c05502a108" \
	"fae058dbb6cbf8eddb96b91ecbdf59daba4bac2fbd3da97dea2bb273ac"
#define DIGEST \
	"45c8022c3c94c8690deb7c220d3b713389afbaca639a5ac2ad3dcdbbe95710e8"
#define ACCESS_KEY                                                         \
	"d9ca68fc74019349f9298bb73b47792b817c00edba9515379ef2838bba3edfa1" \
	"435ae16819b33eeb22cdec21f0cd4411caac942edebb3b14dbac8dd54ed8a1eb"
#define CIPHER_KEY \
	"87f0221bdec72bcc7e462a2652a009bbdfed49af067b9fe3afe5033bdfcb683d"

static struct keyring *ring;
static char nowhere[] = "/nonexistent";
static uuid_t project, secret, kek;
static struct keyring_place place; /* of kek in project */

static void
unhex(const char *text, unsigned char *bytes, size_t size)
{
	unsigned int byte;
	size_t i;

	assert_int_equal(strlen(text), 2 * size);
	for (i = 0; i < size; i++) {
		assert_int_equal(sscanf(text + 2 * i, "%2x", &byte), 1);
		bytes[i] = (unsigned char)byte;
	}
}

static struct keyring_wrapped
wrapped_of(const char *text)
{
	struct keyring_wrapped wrapped;

	memcpy(wrapped.root_id, ROOT_ID, sizeof(wrapped.root_id));
	unhex(text, wrapped.bytes, sizeof(wrapped.bytes));
	return (wrapped);
}

static int
set_up(void **state)
{
	struct settings settings = { .root_key_file = NULL };
	char path[64], cause[256] = "";
	FILE *file;

	(void)state;
	snprintf(path, sizeof(path), "keyring_test.%ld", (long)getpid());
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(ROOT_LINE, file);
	fclose(file);
	chmod(path, 0400);
	settings.root_key_file = path;
	ring = keyring_new(&settings, cause, sizeof(cause));
	unlink(path);
	assert_string_equal(cause, "");
	uuid_parse(PROJECT, project);
	uuid_parse(SECRET, secret);
	uuid_parse(KEK, kek);
	memset(&place, 0, sizeof(place));
	uuid_copy(place.kek, kek);
	uuid_copy(place.project, project);
	return (0);
}

static int
tear_down(void **state)
{
	(void)state;
	keyring_free(ring);
	return (0);
}

static void
test_root_ids(void **state)
{
	struct settings settings = { .root_key_file = nowhere };
	char ids[64], cause[256];

	(void)state;
	keyring_root_ids(ring, ids, sizeof(ids));
	assert_string_equal(ids, "{" ROOT_ID "}");
	assert_null(keyring_new(&settings, cause, sizeof(cause)));
}

/* The keys there are stay until the last offer is taken. */
static void
test_offer(void **state)
{
	struct keyring_wrapped wrapped = wrapped_of(WRAPPED_PEPPER);
	struct keyring_wrapped wrapped_kek = wrapped_of(WRAPPED_KEK);
	unsigned char key[CRYPTO_KEY_SIZE];
	struct root_keys roots = { .count = 1,
		.keys = { { .id = "00000000ffffffff" } } };
	char ids[64];

	(void)state;
	assert_int_equal(keyring_root_ids(ring, ids, sizeof(ids)), 0);
	assert_false(keyring_decide(ring, 0, true));
	keyring_offer(ring, &roots);
	assert_int_equal(keyring_root_ids(ring, ids, sizeof(ids)), 1);
	assert_string_equal(ids, "{00000000ffffffff}");
	assert_true(keyring_pepper_load(ring, &wrapped));
	assert_true(keyring_kek_load(ring, &place, &wrapped_kek));
	assert_true(keyring_decide(ring, 1, false));
	assert_true(keyring_cipher_key(ring, &place, key));
	assert_int_equal(keyring_root_ids(ring, ids, sizeof(ids)), 0);
	assert_string_equal(ids, "{" ROOT_ID "}");

	keyring_offer(ring, &roots);
	keyring_offer(ring, &roots);
	assert_false(keyring_decide(ring, 2, true));
	assert_int_equal(keyring_root_ids(ring, ids, sizeof(ids)), 3);
	assert_true(keyring_decide(ring, 3, true));
	assert_false(keyring_cipher_key(ring, &place, key));
	assert_false(keyring_decide(ring, 3, true));
	assert_int_equal(keyring_root_ids(ring, ids, sizeof(ids)), 0);
	assert_string_equal(ids, "{00000000ffffffff}");
	assert_false(keyring_pepper_load(ring, &wrapped));
}

static void
test_pepper_vector(void **state)
{
	struct keyring_wrapped wrapped = wrapped_of(WRAPPED_PEPPER);
	unsigned char digest[KEYRING_DIGEST_SIZE], expected[sizeof(digest)];

	(void)state;
	assert_false(keyring_has_pepper(ring));
	assert_true(keyring_pepper_load(ring, &wrapped));
	assert_true(keyring_has_pepper(ring));
	keyring_digest(ring, TOKEN, digest);
	unhex(DIGEST, expected, sizeof(expected));
	assert_memory_equal(digest, expected, sizeof(digest));
}

static void
test_signer(void **state)
{
	unsigned char public[CRYPTO_KEY_SIZE], hash[CRYPTO_SHA256_SIZE];
	unsigned char signature[CRYPTO_SIGNATURE_SIZE];
	struct keyring_wrapped wrapped, before;

	(void)state;
	assert_string_equal(keyring_signer(ring), "");
	keyring_signer_make(ring, public, &wrapped);
	assert_string_equal(keyring_signer(ring), "");
	assert_true(keyring_signer_load(ring, &wrapped));
	assert_int_equal(strlen(keyring_signer(ring)), 16);
	memset(hash, 7, sizeof(hash));
	keyring_sign(ring, hash, signature);
	assert_true(crypto_verify(public, hash, sizeof(hash), signature));
	before = wrapped;
	assert_true(keyring_signer_rewrap(ring, &wrapped));
	assert_memory_not_equal(
	    wrapped.bytes, before.bytes, sizeof(wrapped.bytes));
	assert_true(keyring_signer_load(ring, &wrapped));
	keyring_sign(ring, hash, signature);
	assert_true(crypto_verify(public, hash, sizeof(hash), signature));
	wrapped.bytes[20] ^= 1;
	assert_false(keyring_signer_rewrap(ring, &wrapped));
	assert_false(keyring_signer_load(ring, &wrapped));
	assert_string_equal(keyring_signer(ring), "");
}

static void
test_pepper_made_and_refused(void **state)
{
	unsigned char before[KEYRING_DIGEST_SIZE], after[KEYRING_DIGEST_SIZE];
	struct keyring_wrapped wrapped;

	(void)state;
	keyring_pepper_make(ring, &wrapped);
	assert_string_equal(wrapped.root_id, ROOT_ID);
	assert_false(keyring_has_pepper(ring));
	assert_true(keyring_pepper_load(ring, &wrapped));
	keyring_digest(ring, TOKEN, before);
	wrapped.bytes[20] ^= 1;
	assert_false(keyring_pepper_load(ring, &wrapped));
	/* The one in use stays, and as it was. */
	assert_true(keyring_has_pepper(ring));
	keyring_digest(ring, TOKEN, after);
	assert_memory_equal(after, before, sizeof(before));
	wrapped.bytes[20] ^= 1;
	wrapped.root_id[0] ^= 1;
	assert_false(keyring_pepper_load(ring, &wrapped));
	/* A KEK is no pepper. */
	wrapped = wrapped_of(WRAPPED_KEK);
	assert_false(keyring_pepper_load(ring, &wrapped));
}

static void
test_access_key_vector(void **state)
{
	struct keyring_wrapped wrapped = wrapped_of(WRAPPED_KEK);
	unsigned char key[KEYRING_WRAP_KEY_SIZE], expected[sizeof(key)];

	(void)state;
	assert_false(keyring_wrap_key(ring, kek, project, secret, key));
	assert_true(keyring_kek_load(ring, &place, &wrapped));
	assert_true(keyring_wrap_key(ring, kek, project, secret, key));
	unhex(ACCESS_KEY, expected, sizeof(expected));
	assert_memory_equal(key, expected, sizeof(key));
	/* A KEK serves its own project, and a secret has a key of its own. */
	assert_false(keyring_wrap_key(ring, kek, secret, secret, key));
	assert_true(keyring_wrap_key(ring, kek, project, project, key));
	assert_memory_not_equal(key, expected, sizeof(key));
}

static void
test_cipher_key_vector(void **state)
{
	struct keyring_wrapped wrapped = wrapped_of(WRAPPED_KEK);
	unsigned char key[CRYPTO_KEY_SIZE], expected[sizeof(key)];
	struct keyring_place elsewhere;

	(void)state;
	assert_false(keyring_cipher_key(ring, &place, key));
	assert_true(keyring_kek_load(ring, &place, &wrapped));
	elsewhere = place;
	uuid_copy(elsewhere.project, secret);
	assert_false(keyring_cipher_key(ring, &elsewhere, key));
	assert_true(keyring_cipher_key(ring, &place, key));
	unhex(CIPHER_KEY, expected, sizeof(expected));
	assert_memory_equal(key, expected, sizeof(key));
}

static void
test_kek_made_and_refused(void **state)
{
	struct keyring_place made = { .rotation = 7 }, other;
	struct keyring_wrapped wrapped, again;

	(void)state;
	uuid_copy(made.project, project);
	uuid_parse(KEY, made.key);
	keyring_kek_make(ring, &made, &wrapped);
	assert_true(keyring_kek_load(ring, &made, &wrapped));
	assert_true(keyring_kek_is_bound(ring, &made, &wrapped));
	again = wrapped;
	assert_true(keyring_kek_rewrap(ring, &made, &again));
	assert_true(keyring_kek_load(ring, &made, &again));
	/* It is bound to its id, its project, its key and its rotation. */
	other = made;
	uuid_copy(other.kek, kek);
	assert_false(keyring_kek_load(ring, &other, &wrapped));
	other = made;
	uuid_copy(other.project, secret);
	assert_false(keyring_kek_load(ring, &other, &wrapped));
	other = made;
	uuid_copy(other.key, secret);
	assert_false(keyring_kek_load(ring, &other, &wrapped));
	assert_false(keyring_kek_rewrap(ring, &other, &again));
	other = made;
	other.rotation++;
	assert_false(keyring_kek_load(ring, &other, &wrapped));
	wrapped.bytes[59] ^= 1;
	assert_false(keyring_kek_load(ring, &made, &wrapped));
}

/* A KEK that has been opened is not used as that of another rotation. */
static void
test_rotation_vector(void **state)
{
	struct keyring_wrapped wrapped = wrapped_of(WRAPPED_ROTATION_7);
	unsigned char key[CRYPTO_KEY_SIZE], expected[sizeof(key)];
	struct keyring_place rotation = place, other;

	(void)state;
	uuid_parse(KEY, rotation.key);
	rotation.rotation = 7;
	assert_true(keyring_kek_load(ring, &rotation, &wrapped));
	assert_true(keyring_cipher_key(ring, &rotation, key));
	unhex(CIPHER_KEY, expected, sizeof(expected));
	assert_memory_equal(key, expected, sizeof(key));
	assert_false(keyring_cipher_key(ring, &place, key));
	other = rotation;
	other.rotation = 8;
	assert_false(keyring_cipher_key(ring, &other, key));
	other = rotation;
	uuid_copy(other.key, secret);
	assert_false(keyring_cipher_key(ring, &other, key));
}

/* What earlier releases wrapped opens until the pepper says otherwise. */
static void
test_unbound(void **state)
{
	struct keyring_wrapped pepper = wrapped_of(UNBOUND_PEPPER);
	struct keyring_wrapped bound = wrapped_of(WRAPPED_PEPPER);
	struct keyring_wrapped wrapped = wrapped_of(UNBOUND_KEK), moved;

	(void)state;
	assert_false(keyring_takes_unbound(ring));
	assert_false(keyring_kek_load(ring, &place, &wrapped));
	assert_true(keyring_pepper_load(ring, &pepper));
	assert_true(keyring_takes_unbound(ring));
	assert_true(keyring_kek_load(ring, &place, &wrapped));
	assert_false(keyring_kek_is_bound(ring, &place, &wrapped));
	moved = wrapped;
	assert_true(keyring_kek_rewrap(ring, &place, &moved));
	assert_true(keyring_kek_is_bound(ring, &place, &moved));
	/* A pepper that moves to another root key ends nothing. */
	assert_true(keyring_pepper_rewrap(ring, &pepper));
	assert_true(keyring_pepper_load(ring, &pepper));
	assert_true(keyring_takes_unbound(ring));

	keyring_pepper_bind(ring, &bound);
	assert_true(keyring_pepper_load(ring, &bound));
	assert_false(keyring_takes_unbound(ring));
	assert_false(keyring_kek_load(ring, &place, &wrapped));
	assert_false(keyring_kek_rewrap(ring, &place, &wrapped));
	assert_true(keyring_kek_load(ring, &place, &moved));
	assert_true(keyring_pepper_rewrap(ring, &bound));
	assert_true(keyring_pepper_load(ring, &bound));
	/* Nor does an old one come back. */
	assert_false(keyring_pepper_load(ring, &pepper));
	assert_false(keyring_takes_unbound(ring));
}

/* Opened, and wrapped anew, neither happens with another bit. */
static void
test_every_bit_counts(void **state)
{
	unsigned char public[CRYPTO_KEY_SIZE];
	struct keyring_wrapped pepper, signer, wrapped, damaged;
	struct keyring_place made = { .rotation = 0 };
	size_t bit;

	(void)state;
	keyring_pepper_make(ring, &pepper);
	keyring_signer_make(ring, public, &signer);
	keyring_kek_make(ring, &made, &wrapped);
	for (bit = 0; bit < sizeof(wrapped.bytes) * 8; bit++) {
		damaged = pepper;
		damaged.bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
		assert_false(keyring_pepper_load(ring, &damaged));
		assert_false(keyring_pepper_rewrap(ring, &damaged));
		damaged = signer;
		damaged.bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
		assert_false(keyring_signer_load(ring, &damaged));
		assert_false(keyring_signer_rewrap(ring, &damaged));
		damaged = wrapped;
		damaged.bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
		assert_false(keyring_kek_load(ring, &made, &damaged));
		assert_false(keyring_kek_rewrap(ring, &made, &damaged));
	}
	assert_true(keyring_pepper_load(ring, &pepper));
	assert_true(keyring_signer_load(ring, &signer));
	assert_true(keyring_kek_load(ring, &made, &wrapped));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    test_every_bit_counts, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_root_ids, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_pepper_vector, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_pepper_made_and_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_offer, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_signer, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_access_key_vector, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_cipher_key_vector, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_kek_made_and_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_rotation_vector, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_unbound, set_up, tear_down),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
