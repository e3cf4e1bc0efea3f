#include "base/bigendian.h"
#include "tests/src/test.h"

static const unsigned char bytes[] = { 0, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86,
	0x87, 0x88 };

/* At an odd address, too. */
static void
test_unsigned(void **state)
{
	(void)state;
	assert_int_equal(bigendian_16(bytes), 0x81);
	assert_int_equal(bigendian_16(bytes + 1), 0x8182);
	assert_int_equal(bigendian_32(bytes + 1), 0x81828384);
	assert_true(bigendian_64(bytes + 1) == 0x8182838485868788);
}

static void
test_signed(void **state)
{
	(void)state;
	assert_int_equal(bigendian_signed(bytes, 2), 0x81);
	assert_int_equal(bigendian_signed("\xff\xfe", 2), -2);
	assert_int_equal(bigendian_signed("\x80\0\0\0", 4), INT32_MIN);
	assert_int_equal(bigendian_signed("\x7f\xff\xff\xff", 4), INT32_MAX);
	assert_true(bigendian_signed("\x80\0\0\0\0\0\0\0", 8) == INT64_MIN);
	assert_int_equal(
	    bigendian_signed("\xff\xff\xff\xff\xff\xff\xff\xfd", 8), -3);
}

static void
test_other_sizes(void **state)
{
	(void)state;
	assert_int_equal(bigendian_signed(bytes + 1, 0), 0);
	assert_int_equal(bigendian_signed(bytes + 1, 1), 0);
	assert_int_equal(bigendian_signed(bytes + 1, 3), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_unsigned),
		cmocka_unit_test(test_signed),
		cmocka_unit_test(test_other_sizes),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
