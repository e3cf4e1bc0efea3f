#include <string.h>

#include "base/cache.h"
#include "tests/src/test.h"

static void
key_of(unsigned int number, unsigned char key[CACHE_KEY_SIZE])
{
	memset(key, 0, CACHE_KEY_SIZE);
	memcpy(key + CACHE_KEY_SIZE - 8, &number, sizeof(number));
}

static const unsigned int *
get(struct cache *cache, unsigned int number)
{
	unsigned char key[CACHE_KEY_SIZE];

	key_of(number, key);
	return (cache_get(cache, key));
}

static void
put(struct cache *cache, unsigned int number, unsigned int value)
{
	unsigned char key[CACHE_KEY_SIZE];

	key_of(number, key);
	cache_put(cache, key, &value);
}

static void
test_keeps_and_replaces(void **state)
{
	struct cache *cache = cache_new(64, sizeof(unsigned int), false);

	(void)state;
	assert_null(get(cache, 1));
	put(cache, 1, 10);
	put(cache, 2, 20);
	assert_int_equal(*get(cache, 1), 10);
	put(cache, 1, 11);
	assert_int_equal(*get(cache, 1), 11);
	assert_int_equal(*get(cache, 2), 20);
	cache_free(cache);
}

static void
test_forgets_the_least_recently_used(void **state)
{
	/* One set of eight. */
	struct cache *cache = cache_new(8, sizeof(unsigned int), true);
	unsigned int i;

	(void)state;
	for (i = 0; i < 8; i++)
		put(cache, i, i);
	assert_non_null(get(cache, 0));
	put(cache, 8, 8);
	assert_non_null(get(cache, 0));
	assert_null(get(cache, 1));
	assert_int_equal(*get(cache, 8), 8);
	cache_free(cache);
}

static void
test_is_bounded(void **state)
{
	struct cache *cache = cache_new(100, sizeof(unsigned int), false);
	unsigned int known = 0, i;

	(void)state;
	for (i = 0; i < 10000; i++)
		put(cache, i, i);
	for (i = 0; i < 10000; i++) {
		if (get(cache, i) == NULL)
			continue;
		assert_int_equal(*get(cache, i), i);
		known++;
	}
	assert_in_range(known, 100, 104);
	cache_free(cache);
	cache_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keeps_and_replaces),
		cmocka_unit_test(test_forgets_the_least_recently_used),
		cmocka_unit_test(test_is_bounded),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
