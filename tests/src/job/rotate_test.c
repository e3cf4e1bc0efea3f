#include <event2/event.h>

#include "base/log.h"
#include "db/pool.h"
#include "job/background.h"
#include "job/rotate.h"
#include "tests/src/call_fake.h"
#include "tests/src/result.h"

static bool stopping;
static struct background_host host = { .stopping = &stopping };
static struct keyring *keyring;
static struct rotate *rotate;
static struct query *sent; /* the last one */
static int runs;
static bool full; /* the pool takes no more */

bool
pool_run(struct pool *pool, struct query *query)
{
	(void)pool;
	sent = query;
	runs++;
	return (!full);
}

void
pool_abandon(struct query *query)
{
	(void)query;
}

static int
set_up(void **state)
{
	(void)state;
	assert_true(log_set_level("error"));
	keyring = fake_keyring();
	host.base = event_base_new();
	stopping = false;
	rotate = rotate_new(&host, 0, keyring);
	runs = 0;
	full = false;
	return (0);
}

static int
tear_down(void **state)
{
	(void)state;
	rotate_free(rotate);
	rotate_free(NULL);
	keyring_free(keyring);
	event_base_free(host.base);
	return (0);
}

/* Its timer fires; its interval is 0. */
static void
tick(int expected)
{
	event_base_loop(host.base, EVLOOP_ONCE);
	assert_int_equal(runs, expected);
	assert_string_equal(sent->statement, STATEMENT_KEY_ROTATE_DUE);
}

static void
find(const uuid_t *keys, const uuid_t project, int count, const char *root_id)
{
	PGresult *result =
	    result_new(&statement_find(STATEMENT_KEY_ROTATE_DUE)->columns);
	static const unsigned char rotation[] = { 0, 0, 1, 2 };
	int i;

	for (i = 0; i < count; i++) {
		result_set(result, i, 0, keys[i], sizeof(uuid_t));
		result_set(result, i, 1, project, sizeof(uuid_t));
		result_set(result, i, 2, root_id, strlen(root_id));
		result_set(result, i, 3, rotation, sizeof(rotation));
	}
	sent->done(sent, result, NULL);
	PQclear(result);
}

static void
assert_rotates(const uuid_t key, const uuid_t project)
{
	const struct session_parameter *parameters = sent->parameters;
	struct keyring_place place = { .rotation = 0x102 };
	struct keyring_wrapped wrapped;
	uuid_t id;

	assert_string_equal(sent->statement, STATEMENT_KEY_ROTATE);
	assert_int_equal(uuid_parse(parameters[0].value, id), 0);
	assert_int_equal(uuid_compare(id, key), 0);
	/* It brings a KEK of the project, for the next rotation of the key. */
	assert_int_equal(uuid_parse(parameters[1].value, place.kek), 0);
	assert_string_equal(parameters[4].value, "258");
	uuid_copy(place.project, project);
	uuid_copy(place.key, key);
	memcpy(wrapped.root_id, parameters[2].value, sizeof(wrapped.root_id));
	assert_int_equal(parameters[3].size, sizeof(wrapped.bytes));
	memcpy(wrapped.bytes, parameters[3].value, sizeof(wrapped.bytes));
	assert_true(keyring_kek_load(keyring, &place, &wrapped));
}

static void
answer(char rotated)
{
	PGresult *result =
	    result_new(&statement_find(STATEMENT_KEY_ROTATE)->columns);

	result_set(result, 0, 0, &rotated, 1);
	sent->done(sent, result, NULL);
	PQclear(result);
}

static void
test_each_that_is_due(void **state)
{
	uuid_t keys[3], project;
	int i;

	(void)state;
	for (i = 0; i < 3; i++)
		uuid_generate_random(keys[i]);
	uuid_generate_random(project);
	tick(1);
	find(keys, project, 3, FAKE_ROOT_ID);
	assert_rotates(keys[0], project);
	answer(1);
	/* Another daemon was first, or it fails: the others have their turn. */
	assert_rotates(keys[1], project);
	answer(0);
	assert_rotates(keys[2], project);
	sent->done(sent, NULL, &errors[ERROR_UNAVAILABLE]);
	assert_int_equal(runs, 4);
	tick(5);
}

static void
test_nothing_to_do(void **state)
{
	uuid_t key;

	(void)state;
	uuid_generate_random(key);
	tick(1);
	find(NULL, key, 0, "");
	tick(2);
	sent->done(sent, NULL, &errors[ERROR_UNAVAILABLE]);
	tick(3);
	/* The active root key is not loaded. */
	find(&key, key, 1, "0000000000000000");
	tick(4);
	/* It stops with the daemon. */
	stopping = true;
	find(&key, key, 1, FAKE_ROOT_ID);
	assert_int_equal(runs, 4);
	full = true;
	tick(5);
	tick(6);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    test_each_that_is_due, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_nothing_to_do, set_up, tear_down),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
