#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "command/verify/verify.h"
#include "db/columns.h"

void
verify_trust(struct verify *verify, const unsigned char *key)
{
	struct verify_key *last;

	verify->keys = memory_grow(verify->keys, verify->keys_count,
	    &verify->keys_room, sizeof(*verify->keys));
	last = &verify->keys[verify->keys_count++];
	memcpy(last->bytes, key, sizeof(last->bytes));
	crypto_public_id(key, last->signer);
}

void
verify_damage(struct verify *verify, const char *kind, const char *place,
    const char *format, ...)
{
	va_list arguments;

	verify->damages++;
	printf("%s %s: ", kind, place);
	va_start(arguments, format);
	vprintf(format, arguments);
	va_end(arguments);
	putchar('\n');
}

const char *
verify_place(const char *what, int64_t number)
{
	static char place[40];

	snprintf(place, sizeof(place), "%s %" PRId64, what, number);
	return (place);
}

void
verify_read_failed(struct verify *verify, const struct pgcopy *copy)
{
	if (pgcopy_failed(copy))
		verify_damage(verify, "unreadable", "input",
		    "it ends early, or is none of this form");
}

void
verify_free(struct verify *verify)
{
	closing_free(&verify->closing);
	months_free(&verify->months);
	epochs_free(&verify->epochs);
	memory_free(verify->keys);
}
