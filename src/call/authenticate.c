#include <string.h>

#include "base/memory.h"
#include "base/utf8.h"
#include "call/authenticate.h"

bool
authenticate(char *token, const struct keyring *keyring,
    unsigned char digest[KEYRING_DIGEST_SIZE])
{
	const bool sound = utf8_is_uuid(token);

	if (sound) {
		utf8_lower(token);
		keyring_digest(keyring, token, digest);
	}
	memory_wipe(token, strlen(token));
	return (sound);
}
