#include <openssl/evp.h>
#include <stdint.h>

#include "base/base64.h"

static int
base64_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return (c - 'A');
	if (c >= 'a' && c <= 'z')
		return (c - 'a' + 26);
	if (c >= '0' && c <= '9')
		return (c - '0' + 52);
	if (c == '+')
		return (62);
	if (c == '/')
		return (63);
	return (-1);
}

bool
base64_decode(const char *text, size_t size, unsigned char *out, size_t *length)
{
	uint32_t group = 0;
	size_t pad = 0, used = 0, i;
	int value;

	*length = 0;
	if (size % 4 != 0)
		return (false);
	if (size > 0 && text[size - 1] == '=')
		pad = text[size - 2] == '=' ? 2 : 1;
	for (i = 0; i < size; i++) {
		value = i < size - pad ? base64_value(text[i]) : 0;
		if (value < 0)
			return (false);
		group = group << 6 | (uint32_t)value;
		if (i % 4 != 3)
			continue;
		out[used++] = (unsigned char)(group >> 16);
		out[used++] = (unsigned char)(group >> 8);
		out[used++] = (unsigned char)group;
	}
	*length = used - pad;
	return (true);
}

void
base64_encode(const unsigned char *bytes, size_t size, char *out)
{
	EVP_EncodeBlock((unsigned char *)out, bytes, (int)size);
}
