#include <endian.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdint.h>
#include <string.h>

#include "base/crypto.h"
#include "base/memory.h"
#include "keys/envelope.h"

#define ENVELOPE_ALGORITHM 1
#define ENVELOPE_LABEL "coffer1" /* counts with its NUL, as does the kind */
#define ENVELOPE_IV_SIZE 16
#define ENVELOPE_TAG_SIZE 32
#define ENVELOPE_MAC_KEY_SIZE 32

/* Bytes only, so that its memory is what is authenticated. */
struct envelope_aad {
	unsigned char algorithm;
	char label[sizeof(ENVELOPE_LABEL)];
	char kind[4];
	uuid_t project;
	uuid_t secret;
	unsigned char revision[8];
	uuid_t kek;
};

_Static_assert(
    sizeof(struct envelope_aad) == 1 + 8 + 4 + 16 + 16 + 8 + 16, "padding");

static struct envelope_aad
envelope_aad(const struct envelope_place *place)
{
	struct envelope_aad aad = { .algorithm = ENVELOPE_ALGORITHM,
		.label = ENVELOPE_LABEL };
	uint64_t revision = htobe64(place->revision);

	memcpy(aad.kind, place->kind, sizeof(aad.kind));
	uuid_copy(aad.project, place->project);
	uuid_copy(aad.secret, place->secret);
	memcpy(aad.revision, &revision, sizeof(revision));
	if (place->kek != NULL)
		uuid_copy(aad.kek, place->kek);
	return (aad);
}

/* HMAC(aad || IV || ciphertext || bits of aad), whose first half is the tag. */
static bool
envelope_tag(const unsigned char *key, const struct envelope_place *place,
    const unsigned char *body, size_t size,
    unsigned char tag[CRYPTO_SHA512_SIZE])
{
	struct envelope_aad aad = envelope_aad(place);
	uint64_t bits = htobe64(sizeof(aad) * 8);
	unsigned char message[sizeof(aad) + ENVELOPE_SIZE_MAX + sizeof(bits)];

	memcpy(message, &aad, sizeof(aad));
	memcpy(message + sizeof(aad), body, size);
	memcpy(message + sizeof(aad) + size, &bits, sizeof(bits));
	return (HMAC(EVP_sha512(), key, ENVELOPE_MAC_KEY_SIZE, message,
		    sizeof(aad) + size + sizeof(bits), tag, NULL) != NULL);
}

static bool
envelope_decipher(const unsigned char *key, const unsigned char *iv,
    const unsigned char *cipher, size_t size, unsigned char *plain,
    size_t *plain_size)
{
	EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
	int length = 0, rest = 0;
	bool done;

	done = context != NULL &&
	    EVP_DecryptInit_ex(context, EVP_aes_256_cbc(), NULL, key, iv) ==
		1 &&
	    EVP_DecryptUpdate(context, plain, &length, cipher, (int)size) ==
		1 &&
	    EVP_DecryptFinal_ex(context, plain + length, &rest) == 1;
	*plain_size = done ? (size_t)(length + rest) : 0;
	EVP_CIPHER_CTX_free(context);
	return (done);
}

bool
envelope_decrypt(const unsigned char key[ENVELOPE_KEY_SIZE],
    const struct envelope_place *place, const unsigned char *sealed,
    size_t size, unsigned char *plain, size_t *plain_size)
{
	const unsigned char *iv = sealed + 1;
	unsigned char tag[CRYPTO_SHA512_SIZE];
	size_t body;

	if (size < ENVELOPE_SIZE_MIN || size > ENVELOPE_SIZE_MAX ||
	    sealed[0] != ENVELOPE_ALGORITHM)
		return (false);
	body = size - 1 - ENVELOPE_TAG_SIZE;
	if (!envelope_tag(key, place, iv, body, tag) ||
	    CRYPTO_memcmp(tag, iv + body, ENVELOPE_TAG_SIZE) != 0)
		return (false);
	return (envelope_decipher(key + ENVELOPE_MAC_KEY_SIZE, iv,
	    iv + ENVELOPE_IV_SIZE, body - ENVELOPE_IV_SIZE, plain, plain_size));
}
