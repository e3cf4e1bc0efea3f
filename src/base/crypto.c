#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "base/log.h"
#include "base/memory.h"

#define CRYPTO_NONCE_SIZE 12
#define CRYPTO_TAG_SIZE 16

_Static_assert(CRYPTO_NONCE_SIZE + CRYPTO_TAG_SIZE == CRYPTO_OVERHEAD, "sizes");

static void
crypto_must(bool done, const char *what)
{
	if (!done) {
		log_error("cryptography failed", log_text("what", what));
		exit(1);
	}
}

void
crypto_random(void *out, size_t size)
{
	crypto_must(RAND_bytes(out, (int)size) == 1, "random");
}

void
crypto_sha256(
    const void *data, size_t size, unsigned char out[CRYPTO_SHA256_SIZE])
{
	crypto_must(SHA256(data, size, out) != NULL, "sha256");
}

void
crypto_hmac_sha256(const unsigned char key[CRYPTO_KEY_SIZE], const void *data,
    size_t size, unsigned char out[CRYPTO_SHA256_SIZE])
{
	crypto_must(HMAC(EVP_sha256(), key, CRYPTO_KEY_SIZE, data, size, out,
			NULL) != NULL,
	    "hmac-sha256");
}

void
crypto_hmac_sha512(const unsigned char key[CRYPTO_KEY_SIZE], const void *data,
    size_t size, unsigned char out[CRYPTO_SHA512_SIZE])
{
	crypto_must(HMAC(EVP_sha512(), key, CRYPTO_KEY_SIZE, data, size, out,
			NULL) != NULL,
	    "hmac-sha512");
}

void
crypto_derive(const unsigned char key[CRYPTO_KEY_SIZE], const char *info,
    unsigned char out[CRYPTO_KEY_SIZE])
{
	EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
	EVP_KDF_CTX *context = EVP_KDF_CTX_new(kdf);
	/* OpenSSL's parameters are not const, but are only read here. */
	OSSL_PARAM parameters[] = {
		OSSL_PARAM_construct_utf8_string(
		    OSSL_KDF_PARAM_DIGEST, (char *)"SHA256", 0),
		OSSL_PARAM_construct_octet_string(
		    OSSL_KDF_PARAM_KEY, (void *)key, CRYPTO_KEY_SIZE),
		OSSL_PARAM_construct_octet_string(
		    OSSL_KDF_PARAM_INFO, (void *)info, strlen(info)),
		OSSL_PARAM_construct_end(),
	};

	crypto_must(context != NULL &&
		EVP_KDF_derive(context, out, CRYPTO_KEY_SIZE, parameters) == 1,
	    "hkdf");
	EVP_KDF_CTX_free(context);
	EVP_KDF_free(kdf);
}

void
crypto_seal(const unsigned char key[CRYPTO_KEY_SIZE], const void *aad,
    size_t aad_size, const unsigned char *plain, size_t size,
    unsigned char *sealed)
{
	EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
	unsigned char *nonce = sealed;
	unsigned char *body = nonce + CRYPTO_NONCE_SIZE;
	unsigned char *tag = body + size;
	int length;

	crypto_random(nonce, CRYPTO_NONCE_SIZE);
	crypto_must(context != NULL &&
		EVP_EncryptInit_ex(
		    context, EVP_aes_256_gcm(), NULL, key, nonce) == 1 &&
		EVP_EncryptUpdate(context, NULL, &length, aad, (int)aad_size) ==
		    1 &&
		EVP_EncryptUpdate(context, body, &length, plain, (int)size) ==
		    1 &&
		EVP_EncryptFinal_ex(context, tag, &length) == 1 &&
		EVP_CIPHER_CTX_ctrl(
		    context, EVP_CTRL_AEAD_GET_TAG, CRYPTO_TAG_SIZE, tag) == 1,
	    "aes-256-gcm");
	EVP_CIPHER_CTX_free(context);
}

bool
crypto_open(const unsigned char key[CRYPTO_KEY_SIZE], const void *aad,
    size_t aad_size, const unsigned char *sealed, size_t size,
    unsigned char *plain)
{
	EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
	const unsigned char *nonce = sealed;
	const unsigned char *body = nonce + CRYPTO_NONCE_SIZE;
	unsigned char tag[CRYPTO_TAG_SIZE];
	unsigned char none[CRYPTO_TAG_SIZE];
	int length;
	bool opened;

	memcpy(tag, body + size, CRYPTO_TAG_SIZE);
	crypto_must(context != NULL &&
		EVP_DecryptInit_ex(
		    context, EVP_aes_256_gcm(), NULL, key, nonce) == 1 &&
		EVP_DecryptUpdate(context, NULL, &length, aad, (int)aad_size) ==
		    1 &&
		EVP_DecryptUpdate(context, plain, &length, body, (int)size) ==
		    1 &&
		EVP_CIPHER_CTX_ctrl(
		    context, EVP_CTRL_AEAD_SET_TAG, CRYPTO_TAG_SIZE, tag) == 1,
	    "aes-256-gcm");
	opened = EVP_DecryptFinal_ex(context, none, &length) == 1;
	if (!opened)
		memory_wipe(plain, size);
	EVP_CIPHER_CTX_free(context);
	return (opened);
}

void
crypto_public(const unsigned char key[CRYPTO_KEY_SIZE],
    unsigned char public[CRYPTO_KEY_SIZE])
{
	EVP_PKEY *pair = EVP_PKEY_new_raw_private_key(
	    EVP_PKEY_ED25519, NULL, key, CRYPTO_KEY_SIZE);
	size_t size = CRYPTO_KEY_SIZE;

	crypto_must(pair != NULL &&
		EVP_PKEY_get_raw_public_key(pair, public, &size) == 1,
	    "ed25519");
	EVP_PKEY_free(pair);
}

void
crypto_hex(const unsigned char *bytes, size_t size, char *text)
{
	size_t i;

	for (i = 0; i < size; i++)
		snprintf(text + 2 * i, 3, "%02x", bytes[i]);
}

void
crypto_public_id(
    const unsigned char public[CRYPTO_KEY_SIZE], char id[CRYPTO_PUBLIC_ID_SIZE])
{
	unsigned char hash[CRYPTO_SHA256_SIZE];

	crypto_sha256(public, CRYPTO_KEY_SIZE, hash);
	crypto_hex(hash, (CRYPTO_PUBLIC_ID_SIZE - 1) / 2, id);
}

void
crypto_sign(const unsigned char key[CRYPTO_KEY_SIZE], const void *data,
    size_t size, unsigned char signature[CRYPTO_SIGNATURE_SIZE])
{
	EVP_PKEY *pair = EVP_PKEY_new_raw_private_key(
	    EVP_PKEY_ED25519, NULL, key, CRYPTO_KEY_SIZE);
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	size_t length = CRYPTO_SIGNATURE_SIZE;

	crypto_must(pair != NULL && context != NULL &&
		EVP_DigestSignInit(context, NULL, NULL, NULL, pair) == 1 &&
		EVP_DigestSign(context, signature, &length, data, size) == 1,
	    "ed25519");
	EVP_MD_CTX_free(context);
	EVP_PKEY_free(pair);
}

bool
crypto_verify(const unsigned char public[CRYPTO_KEY_SIZE], const void *data,
    size_t size, const unsigned char signature[CRYPTO_SIGNATURE_SIZE])
{
	EVP_PKEY *pair = EVP_PKEY_new_raw_public_key(
	    EVP_PKEY_ED25519, NULL, public, CRYPTO_KEY_SIZE);
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	bool good;

	crypto_must(pair != NULL && context != NULL &&
		EVP_DigestVerifyInit(context, NULL, NULL, NULL, pair) == 1,
	    "ed25519");
	good = EVP_DigestVerify(
		   context, signature, CRYPTO_SIGNATURE_SIZE, data, size) == 1;
	EVP_MD_CTX_free(context);
	EVP_PKEY_free(pair);
	return (good);
}
