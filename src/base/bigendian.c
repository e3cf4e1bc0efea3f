#include <endian.h>
#include <string.h>

#include "base/bigendian.h"

uint16_t
bigendian_16(const void *bytes)
{
	uint16_t number;

	memcpy(&number, bytes, sizeof(number));
	return (be16toh(number));
}

uint32_t
bigendian_32(const void *bytes)
{
	uint32_t number;

	memcpy(&number, bytes, sizeof(number));
	return (be32toh(number));
}

uint64_t
bigendian_64(const void *bytes)
{
	uint64_t number;

	memcpy(&number, bytes, sizeof(number));
	return (be64toh(number));
}

int64_t
bigendian_signed(const void *bytes, size_t size)
{
	switch (size) {
	case sizeof(int16_t):
		return ((int16_t)bigendian_16(bytes));
	case sizeof(int32_t):
		return ((int32_t)bigendian_32(bytes));
	case sizeof(int64_t):
		return ((int64_t)bigendian_64(bytes));
	default:
		return (0);
	}
}
