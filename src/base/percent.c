#include <event2/http.h>
#include <stddef.h>

#include "base/memory.h"
#include "base/percent.h"

char *
percent_decode(const char *text, size_t *size, bool plus)
{
	char *whole = memory_copy_bytes(text, *size), *plain;

	plain = evhttp_uridecode(whole, plus, size);
	memory_free(whole);
	return (plain);
}
