/*
 * Reads integers whose first byte is the most significant.
 */
#ifndef COFFER_BIGENDIAN_H
#define COFFER_BIGENDIAN_H

#include <stddef.h>
#include <stdint.h>

/* The unsigned integer at bytes, which need not be aligned. */
uint16_t bigendian_16(const void *bytes);
uint32_t bigendian_32(const void *bytes);
uint64_t bigendian_64(const void *bytes);

/* The signed integer of 2, 4 or 8 bytes; 0 for any other size. */
int64_t bigendian_signed(const void *bytes, size_t size);

#endif
