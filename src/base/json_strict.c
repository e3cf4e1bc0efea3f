#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_strict.h"

/* Longer ones could still be too much for the numbers of jsonb. */
#define SCAN_NUMBER_MAX 256

/* The value of the four digits of \uXXXX; -1: these are none. */
static long
scan_unit(const char *text, size_t size)
{
	char digits[5] = "";
	long unit;

	if (size < 6 || text[0] != '\\' || text[1] != 'u')
		return (-1);
	memcpy(digits, text + 2, 4);
	/* strtol would take blanks and signs as well. */
	if (strspn(digits, "0123456789abcdefABCDEF") != 4)
		return (-1);
	unit = strtol(digits, NULL, 16);
	return (unit);
}

/* The length of an escape, 0 when it is not sound. */
static size_t
scan_escape(const char *text, size_t size)
{
	long unit, low;

	if (size < 2)
		return (0);
	if (text[1] != 'u')
		return (strchr("\"\\/bfnrt", text[1]) != NULL ? 2 : 0);
	unit = scan_unit(text, size);
	if (unit <= 0 || (unit >= 0xdc00 && unit <= 0xdfff))
		return (0);
	if (unit < 0xd800 || unit > 0xdbff)
		return (6);
	low = scan_unit(text + 6, size - 6);
	return (low >= 0xdc00 && low <= 0xdfff ? 12 : 0);
}

/* The length of a string with its quotes, 0 when it is not sound. */
static size_t
scan_string(const char *text, size_t size)
{
	size_t i = 1, length;

	while (i < size && text[i] != '"') {
		length = 1;
		if (text[i] == '\\')
			length = scan_escape(text + i, size - i);
		else if ((unsigned char)text[i] < ' ')
			length = 0;
		if (length == 0)
			return (0);
		i += length;
	}
	return (i < size ? i + 1 : 0);
}

static size_t
scan_digits(const char *text)
{
	return (strspn(text, "0123456789"));
}

/* Whether all of text is -? int frac? exp? of RFC 8259, 6. */
static bool
scan_is_number(const char *text)
{
	size_t digits;

	text += *text == '-';
	digits = scan_digits(text);
	if (digits == 0 || (digits > 1 && *text == '0'))
		return (false);
	text += digits;
	if (*text == '.') {
		digits = scan_digits(++text);
		if (digits == 0)
			return (false);
		text += digits;
	}
	if (*text == 'e' || *text == 'E') {
		text++;
		text += *text == '+' || *text == '-';
		digits = scan_digits(text);
		if (digits == 0)
			return (false);
		text += digits;
	}
	return (*text == '\0');
}

/* The length of a number, 0 when it is not sound. */
static size_t
scan_number(const char *text, size_t size)
{
	char number[SCAN_NUMBER_MAX + 1];
	size_t length = 0;

	while (length < size && text[length] != '\0' &&
	    strchr("+-.0123456789eE", text[length]) != NULL)
		length++;
	if (length > SCAN_NUMBER_MAX)
		return (0);
	memcpy(number, text, length);
	number[length] = '\0';
	errno = 0;
	if (!scan_is_number(number) || !isfinite(strtod(number, NULL)) ||
	    errno != 0)
		return (0);
	return (length);
}

/* What may come next. */
enum scan_next {
	SCAN_VALUE,
	SCAN_VALUE_OR_END, /* of an array */
	SCAN_NAME,
	SCAN_NAME_OR_END, /* of an object */
	SCAN_COLON,
	SCAN_COMMA_OR_END,
};

/* Of true, false and null, 0 for another word. */
static size_t
scan_word(const char *text, size_t size)
{
	static const char *const words[] = { "true", "false", "null" };
	size_t i, length;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		length = strlen(words[i]);
		if (size >= length && memcmp(text, words[i], length) == 0)
			return (length);
	}
	return (0);
}

bool
json_strict_is_sound(const char *text, size_t size)
{
	enum scan_next next = SCAN_VALUE;
	bool objects[JSON_STRICT_DEPTH_MAX], whole = false;
	size_t depth = 0, i, length;
	char c;

	for (i = 0; i < size; i += length) {
		c = text[i];
		length = 1;
		if (c != '\0' && strchr(" \t\r\n", c) != NULL)
			continue;
		if (whole)
			return (false);
		if (next == SCAN_COLON) {
			if (c != ':')
				return (false);
			next = SCAN_VALUE;
			continue;
		}
		if (next == SCAN_COMMA_OR_END && c == ',') {
			next = objects[depth - 1] ? SCAN_NAME : SCAN_VALUE;
			continue;
		}
		if ((c == '}' && depth > 0 && objects[depth - 1] &&
			(next == SCAN_COMMA_OR_END ||
			    next == SCAN_NAME_OR_END)) ||
		    (c == ']' && depth > 0 && !objects[depth - 1] &&
			(next == SCAN_COMMA_OR_END ||
			    next == SCAN_VALUE_OR_END))) {
			whole = --depth == 0;
			next = SCAN_COMMA_OR_END;
			continue;
		}
		if (next == SCAN_COMMA_OR_END)
			return (false);
		if (next == SCAN_NAME || next == SCAN_NAME_OR_END) {
			length = c == '"' ? scan_string(text + i, size - i) : 0;
			next = SCAN_COLON;
		} else if (c == '{' || c == '[') {
			if (depth == JSON_STRICT_DEPTH_MAX)
				return (false);
			objects[depth++] = c == '{';
			next = c == '{' ? SCAN_NAME_OR_END : SCAN_VALUE_OR_END;
			continue;
		} else {
			if (c == '"')
				length = scan_string(text + i, size - i);
			else if (c == '-' || (c >= '0' && c <= '9'))
				length = scan_number(text + i, size - i);
			else
				length = scan_word(text + i, size - i);
			whole = depth == 0;
			next = SCAN_COMMA_OR_END;
		}
		if (length == 0)
			return (false);
	}
	return (whole);
}

size_t
json_strict_values(const char *text, size_t size)
{
	size_t values = 1, i = 0, length;

	while (i < size) {
		length = text[i] == '"' ? scan_string(text + i, size - i) : 1;
		if (length == 0)
			length = 1;
		if (text[i] != '"' && memchr(",:[{", text[i], 4) != NULL)
			values++;
		i += length;
	}
	return (values);
}
