#include <stdint.h>
#include <string.h>
#include <uuid/uuid.h>

#include "base/utf8.h"

size_t
utf8_character(const char *text, size_t size)
{
	const unsigned char *byte = (const unsigned char *)text;
	unsigned char low = 0x80, high = 0xbf;
	size_t length, i;

	if (size == 0)
		return (0);
	if (byte[0] < 0x80)
		return (1);
	if (byte[0] >= 0xc2 && byte[0] <= 0xdf)
		length = 2;
	else if (byte[0] >= 0xe0 && byte[0] <= 0xef)
		length = 3;
	else if (byte[0] >= 0xf0 && byte[0] <= 0xf4)
		length = 4;
	else
		return (0);
	if (length > size)
		return (0);

	/* Where the first byte leaves room for overlong forms, surrogates or
	 * more than U+10FFFF, the second is narrower (RFC 3629, 4). */
	if (byte[0] == 0xe0)
		low = 0xa0;
	else if (byte[0] == 0xed)
		high = 0x9f;
	else if (byte[0] == 0xf0)
		low = 0x90;
	else if (byte[0] == 0xf4)
		high = 0x8f;
	if (byte[1] < low || byte[1] > high)
		return (0);
	for (i = 2; i < length; i++) {
		if (byte[i] < 0x80 || byte[i] > 0xbf)
			return (0);
	}
	return (length);
}

bool
utf8_is_clean(const char *text, size_t size)
{
	size_t length;

	while (size > 0) {
		length = utf8_character(text, size);
		if (length == 0 || *text == '\0')
			return (false);
		text += length;
		size -= length;
	}
	return (true);
}

void
utf8_clean(char *destination, size_t size, const char *source)
{
	size_t left = strlen(source), used = 0, length;

	while (left > 0) {
		length = utf8_character(source, left);
		if (length > 1) {
			if (used + length >= size)
				break;
			memcpy(destination + used, source, length);
		} else {
			if (used + 1 >= size)
				break;
			destination[used] = *source;
			if (length == 0 || *source < ' ' || *source == 0x7f)
				destination[used] = '?';
			length = 1;
		}
		used += length;
		source += length;
		left -= length;
	}
	destination[used] = '\0';
}

bool
utf8_is_name(const char *text, size_t size)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789_";

	return (size > 0 && size <= 64 && strnlen(text, size) == size &&
	    strspn(text, letters) >= size);
}

bool
utf8_is_uuid(const char *text)
{
	uuid_t uuid;

	return (uuid_parse(text, uuid) == 0);
}

void
utf8_lower(char *text)
{
	for (; *text != '\0'; text++) {
		if (*text >= 'A' && *text <= 'Z')
			*text = (char)(*text - 'A' + 'a');
	}
}
