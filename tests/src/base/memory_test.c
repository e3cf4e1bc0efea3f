#include <event2/buffer.h>
#include <string.h>

#include "base/memory.h"
#include "tests/src/test.h"

static void
test_new_is_zeroed(void **state)
{
	static const char zero[1000];
	char *memory = memory_new(1000);
	char *copy = memory_copy_bytes("a\0b", 3);

	(void)state;
	assert_memory_equal(memory, zero, 1000);
	assert_memory_equal(copy, "a\0b", 4);
	memory_free(memory);
	memory_free(copy);
	memory_free(NULL);
	memory_wipe_free(NULL, 0);
	memory_wipe_free_text(NULL);
}

static void
test_grow(void **state)
{
	size_t room = 0, count;
	int *list = NULL;

	(void)state;
	for (count = 0; count < 1000; count++) {
		list = memory_grow(list, count, &room, sizeof(*list));
		assert_true(count < room);
		assert_int_equal(list[count], 0);
		list[count] = (int)count + 1;
	}
	for (count = 0; count < 1000; count++)
		assert_int_equal(list[count], (int)count + 1);
	memory_free(list);
}

static void
test_wipe(void **state)
{
	char text[] = "secret";

	(void)state;
	memory_wipe(text, 3);
	assert_memory_equal(text, "\0\0\0ret", 7);
	memory_wipe(NULL, 0);
}

static void
test_locked(void **state)
{
	unsigned char *memory = memory_new_locked(5000);

	(void)state;
	assert_int_equal(memory[0], 0);
	memory[4999] = 1;
	memory_free_locked(memory, 5000);
	memory_free_locked(NULL, 5000);
}

/* libevent works on with the functions that it is given. */
static void
test_guarded_libevent(void **state)
{
	struct evbuffer *buffer;
	char text[100];
	int i;

	(void)state;
	memory_guard_libraries();
	buffer = evbuffer_new();
	for (i = 0; i < 1000; i++)
		evbuffer_add_printf(buffer, "%d,", i);
	assert_memory_equal(evbuffer_pullup(buffer, -1), "0,1,2,3,", 8);
	assert_int_equal(evbuffer_remove(buffer, text, 8), 8);
	evbuffer_free(buffer);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_new_is_zeroed),
		cmocka_unit_test(test_grow),
		cmocka_unit_test(test_wipe),
		cmocka_unit_test(test_locked),
		cmocka_unit_test(test_guarded_libevent),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
