#include <endian.h>
#include <string.h>

#include "base/bigendian.h"
#include "keys/cipher.h"

#define CIPHER_VERSION 1
#define CIPHER_HEADER_SIZE 5

int32_t
cipher_rotation(const unsigned char *ciphertext, size_t size)
{
	uint32_t rotation;

	if (size <= CIPHER_OVERHEAD || ciphertext[0] != CIPHER_VERSION)
		return (0);
	rotation = bigendian_32(ciphertext + 1);
	/* There are no more in an integer of the database. */
	return (rotation <= INT32_MAX ? (int32_t)rotation : 0);
}

void
cipher_encrypt(const unsigned char key[CRYPTO_KEY_SIZE], int32_t rotation,
    const void *associated, size_t associated_size, const unsigned char *plain,
    size_t size, unsigned char *ciphertext)
{
	uint32_t number = htobe32((uint32_t)rotation);

	ciphertext[0] = CIPHER_VERSION;
	memcpy(ciphertext + 1, &number, sizeof(number));
	crypto_seal(key, associated, associated_size, plain, size,
	    ciphertext + CIPHER_HEADER_SIZE);
}

bool
cipher_decrypt(const unsigned char key[CRYPTO_KEY_SIZE], int32_t rotation,
    const void *associated, size_t associated_size,
    const unsigned char *ciphertext, size_t size, unsigned char *plain)
{
	return (rotation != 0 &&
	    cipher_rotation(ciphertext, size) == rotation &&
	    crypto_open(key, associated, associated_size,
		ciphertext + CIPHER_HEADER_SIZE, size - CIPHER_OVERHEAD,
		plain));
}
