#include <string.h>

#include "http/peer.h"
#include "tests/src/test.h"

static void
test_counts(void **state)
{
	const unsigned char one[16] = { 1 }, other[16] = { 2 };
	struct peers *peers = peers_new();
	struct peer *first = peers_enter(peers, one), *second;

	(void)state;
	assert_int_equal(peer_count(first), 1);
	second = peers_enter(peers, other);
	assert_ptr_not_equal(first, second);
	assert_ptr_equal(peers_enter(peers, one), first);
	assert_int_equal(peer_count(first), 2);
	assert_int_equal(peer_count(second), 1);
	peer_leave(first);
	assert_int_equal(peer_count(first), 1);
	peer_leave(first);
	peer_leave(second);
	peer_leave(NULL);
	/* It has been forgotten. */
	first = peers_enter(peers, one);
	assert_int_equal(peer_count(first), 1);
	peer_leave(first);
	peers_free(peers);
}

static void
test_many(void **state)
{
	static struct peer *known[4096];
	struct peers *peers = peers_new();
	unsigned char network[16] = { 0 };
	size_t i;

	(void)state;
	for (i = 0; i < 4096; i++) {
		network[0] = (unsigned char)(i >> 8);
		network[1] = (unsigned char)i;
		known[i] = peers_enter(peers, network);
		assert_int_equal(peer_count(known[i]), 1);
	}
	for (i = 0; i < 4096; i++)
		peer_leave(known[i]);
	peers_free(peers);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_counts),
		cmocka_unit_test(test_many),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
