#include <string.h>

#include "http/peer.h"
#include "http/room.h"
#include "tests/src/test.h"

#define FRESH 1000
#define MOST 16
#define MEMBERS 40

static const struct settings settings = { .idle_timeout = 40 };

static struct phases phases;
static struct phase_member members[MEMBERS];

static void
cut(struct phase_member *member)
{
	phase_enter(&phases, member, PHASE_CUT, 0);
}

static void
put(size_t number, enum phase phase, int64_t since, bool authenticated)
{
	members[number].authenticated = authenticated;
	phase_begin(&phases, &members[number], since);
	phase_enter(&phases, &members[number], phase, since);
}

static bool
is_cut(size_t number)
{
	return (members[number].phase == PHASE_CUT);
}

static size_t
count_cut(void)
{
	size_t count = 0, i;

	for (i = 0; i < MEMBERS; i++)
		count += is_cut(i);
	return (count);
}

static int
set_up(void **state)
{
	(void)state;
	memset(members, 0, sizeof(members));
	phases_init(&phases, &settings);
	return (0);
}

static void
test_unauthenticated_ones_go_first(void **state)
{
	(void)state;
	put(0, PHASE_IDLE, 0, true);
	put(1, PHASE_IDLE, 0, false);
	put(2, PHASE_HANDSHAKE, 0, false);
	put(3, PHASE_PROXY, 0, false);
	put(4, PHASE_HEAD, 0, false);
	put(5, PHASE_EXPECTS, 0, false);
	put(6, PHASE_BODY, 0, false);
	put(7, PHASE_BODY, 0, true);
	put(8, PHASE_CALL, 0, false);
	put(9, PHASE_ANSWER, 0, false);
	room_make(&phases, FRESH, cut);
	assert_int_equal(count_cut(), 6);
	assert_false(is_cut(0) || is_cut(7) || is_cut(8) || is_cut(9));
}

static void
test_authenticated_ones_go_when_there_are_no_others(void **state)
{
	(void)state;
	put(0, PHASE_IDLE, 0, true);
	put(1, PHASE_HEAD, 0, true);
	put(2, PHASE_CALL, 0, true);
	room_make(&phases, FRESH, cut);
	assert_true(is_cut(0));
	assert_int_equal(count_cut(), 1);
}

static void
test_some_that_end_make_room(void **state)
{
	static const enum phase ends[] = { PHASE_CUT, PHASE_LEFT,
		PHASE_LINGER };
	size_t i;

	for (i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		set_up(state);
		put(0, PHASE_IDLE, 0, true);
		put(1, ends[i], 0, false);
		room_make(&phases, FRESH, cut);
		assert_false(is_cut(0));
	}
}

static void
test_fresh_ones_are_spared(void **state)
{
	(void)state;
	put(0, PHASE_IDLE, 0, true);
	put(1, PHASE_HANDSHAKE, 1, false);
	room_make(&phases, FRESH, cut);
	assert_int_equal(count_cut(), 0);
	room_make(&phases, FRESH + 1, cut);
	assert_true(is_cut(1));
	assert_int_equal(count_cut(), 1);
}

static void
test_the_oldest_go_and_not_all_at_once(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < MEMBERS; i++)
		put(i, PHASE_IDLE, (int64_t)i, false);
	room_make(&phases, 2 * FRESH, cut);
	assert_int_equal(count_cut(), MOST);
	assert_true(is_cut(0) && is_cut(MOST - 1) && !is_cut(MOST));
}

static void
test_room_of_one_address(void **state)
{
	const unsigned char one[16] = { 1 }, other[16] = { 2 };
	struct peers *peers = peers_new();
	size_t i;

	(void)state;
	for (i = 0; i < 4; i++) {
		put(i, i < 3 ? PHASE_IDLE : PHASE_CALL, 0, false);
		members[i].peer = peers_enter(peers, i == 0 ? other : one);
	}
	assert_true(room_make_of(&phases, members[1].peer, FRESH, cut));
	assert_true(is_cut(1) && !is_cut(0) && !is_cut(2));
	assert_true(room_make_of(&phases, members[1].peer, FRESH, cut));
	assert_true(is_cut(2) && !is_cut(0));
	/* Its last one runs a call. */
	assert_false(room_make_of(&phases, members[1].peer, FRESH, cut));
	assert_int_equal(count_cut(), 2);
	for (i = 0; i < 4; i++)
		peer_leave(members[i].peer);
	peers_free(peers);
}

static void
test_the_slowest_readers_are_shed(void **state)
{
	size_t i;

	(void)state;
	put(0, PHASE_CALL, 0, true);
	for (i = 1; i < MEMBERS; i++)
		put(i, PHASE_ANSWER, (int64_t)i, true);
	room_shed(&phases, FRESH, cut);
	assert_int_equal(count_cut(), 0);
	room_shed(&phases, FRESH + 2, cut);
	assert_true(is_cut(1) && is_cut(2));
	assert_int_equal(count_cut(), 2);
	room_shed(&phases, 2 * FRESH, cut);
	assert_int_equal(count_cut(), 2 + MOST);
	assert_false(is_cut(0));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(
		    test_unauthenticated_ones_go_first, set_up),
		cmocka_unit_test_setup(
		    test_authenticated_ones_go_when_there_are_no_others,
		    set_up),
		cmocka_unit_test_setup(test_some_that_end_make_room, set_up),
		cmocka_unit_test_setup(test_fresh_ones_are_spared, set_up),
		cmocka_unit_test_setup(
		    test_the_oldest_go_and_not_all_at_once, set_up),
		cmocka_unit_test_setup(test_room_of_one_address, set_up),
		cmocka_unit_test_setup(
		    test_the_slowest_readers_are_shed, set_up),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
