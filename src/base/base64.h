/*
 * Base64 (RFC 4648, 4), strict: the alphabet with '+' and '/', padded to
 * groups of four, no blanks, no line ends.  The bits that padding leaves over
 * are not looked at.
 */
#ifndef COFFER_BASE64_H
#define COFFER_BASE64_H

#include <stdbool.h>
#include <stddef.h>

#define BASE64_DECODED_MAX(size) ((size) / 4 * 3)
#define BASE64_ENCODED_SIZE(size) (((size) + 2) / 3 * 4 + 1)

/*
 * Decodes size characters into out, which has BASE64_DECODED_MAX(size) bytes,
 * and sets their number; on false what out holds is to be wiped all the same.
 */
bool base64_decode(const char *text, size_t size, unsigned char *out,
    size_t *length) __attribute__((warn_unused_result));

/* Encodes less than 1 GiB into out, which has BASE64_ENCODED_SIZE(size) bytes. */
void base64_encode(const unsigned char *bytes, size_t size, char *out);

#endif
