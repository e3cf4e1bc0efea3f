#include <string.h>

#include "command/verify/event_row.h"
#include "tests/src/test.h"

#define DAY (86400 * (int64_t)EVENT_ROW_SECOND)

static void
test_months(void **state)
{
	(void)state;
	assert_int_equal(event_row_month(0), 0); /* 2000-01-01 */
	assert_int_equal(event_row_month(31 * DAY - 1), 0);
	assert_int_equal(event_row_month(31 * DAY), 31);
	assert_int_equal(event_row_month(60 * DAY - 1), 31); /* 29 February */
	assert_int_equal(event_row_month(60 * DAY), 60);
	assert_int_equal(event_row_month(-1), -31);
	assert_int_equal(event_row_month(9801 * DAY), 9801); /* 2026-11-01 */
	assert_int_equal(event_row_month(9831 * DAY - 1), 9801);
	assert_int_equal(event_row_month(9831 * DAY), 9831);
}

/* Each column counts, and a null is not an empty one. */
static void
test_hash(void **state)
{
	unsigned char bytes[] = "0123456789abcdef", hash[32], other[32];
	struct pgcopy_field event[EVENT_ROW_FIELDS];
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	int i;

	(void)state;
	for (i = 0; i < EVENT_ROW_FIELDS; i++)
		event[i] = (struct pgcopy_field){ bytes, 4 };
	event_row_hash(context, event, hash);
	event_row_hash(context, event, other);
	assert_memory_equal(hash, other, sizeof(hash));
	for (i = 0; i < EVENT_ROW_HASH; i++) {
		event[i].size = 0;
		event_row_hash(context, event, other);
		assert_memory_not_equal(hash, other, sizeof(hash));
		memcpy(hash, other, sizeof(hash));
		event[i].bytes = NULL;
		event_row_hash(context, event, other);
		assert_memory_not_equal(hash, other, sizeof(hash));
		memcpy(hash, other, sizeof(hash));
	}
	event[EVENT_ROW_HASH].size = 0;
	event_row_hash(context, event, other);
	assert_memory_equal(hash, other, sizeof(hash));
	EVP_MD_CTX_free(context);
}

static void
test_method(void **state)
{
	struct pgcopy_field event[EVENT_ROW_FIELDS];

	(void)state;
	memset(event, 0, sizeof(event));
	assert_false(event_row_did(event, "one"));
	event[EVENT_ROW_METHOD] =
	    (struct pgcopy_field){ (const unsigned char *)"one.two", 3 };
	assert_true(event_row_did(event, "one"));
	assert_false(event_row_did(event, "one.two"));
	assert_false(event_row_did(event, "on"));
	event[EVENT_ROW_ERROR] =
	    (struct pgcopy_field){ (const unsigned char *)"", 0 };
	assert_false(event_row_did(event, "one"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_months),
		cmocka_unit_test(test_hash),
		cmocka_unit_test(test_method),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
