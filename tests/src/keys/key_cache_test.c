#include <string.h>

#include "keys/key_cache.h"
#include "tests/src/test.h"

static void
test_remembers(void **state)
{
	struct key_cache *cache = key_cache_new(64);
	struct key_cache_entry entry, found;
	uuid_t secret, other;

	(void)state;
	uuid_generate_random(secret);
	uuid_generate_random(other);
	uuid_generate_random(entry.project);
	uuid_generate_random(entry.kek);
	entry.rotation = 7;
	assert_false(key_cache_get(cache, secret, &found));
	key_cache_put(cache, secret, &entry);
	assert_true(key_cache_get(cache, secret, &found));
	assert_memory_equal(&found, &entry, sizeof(entry));
	assert_false(key_cache_get(cache, other, &found));

	assert_false(key_cache_path_get(cache, "/a?name=b", other));
	key_cache_path_put(cache, "/a?name=b", secret);
	assert_true(key_cache_path_get(cache, "/a?name=b", other));
	assert_int_equal(uuid_compare(secret, other), 0);
	assert_false(key_cache_path_get(cache, "/a?name=c", other));
	key_cache_free(cache);
	key_cache_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_remembers),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
