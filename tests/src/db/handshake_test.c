#include "base/log.h"
#include "tests/src/db/session_fake.h"

static struct settings settings;
static struct newest newest;
static struct keyring *keyring;
static struct dsn *dsn;
static struct handshake handshakes[2];
static enum handshake_outcome outcomes[2];

static void
connected(void *owner)
{
	handshake_start(owner);
}

static void
result(void *owner, PGresult *result)
{
	handshake_result(owner, result);
	columns_clear(result);
}

static void
finished(void *owner)
{
	outcomes[(struct handshake *)owner - handshakes] =
	    handshake_finished(owner);
}

static const struct session_events events = {
	.connected = connected,
	.result = result,
	.finished = finished,
};

static int
set_up(void **state)
{
	size_t i;

	(void)state;
	assert_true(log_set_level("error"));
	fake_settings(&settings);
	memset(&newest, 0, sizeof(newest));
	keyring = fake_keyring(&settings);
	dsn = dsn_new("host=a user=coffer_api", "coffer");
	for (i = 0; i < 2; i++) {
		handshakes[i] = (struct handshake){
			.session = session_new(NULL, &events, &handshakes[i]),
			.keyring = keyring,
			.newest = &newest,
			.instance = "11111111-1111-4111-8111-111111111111"
		};
		session_connect(fakes[i], dsn, 1000);
		outcomes[i] = HANDSHAKE_GOES_ON;
	}
	return (0);
}

static int
tear_down(void **state)
{
	(void)state;
	session_free(fakes[0]);
	session_free(fakes[1]);
	keyring_free(keyring);
	dsn_free(dsn);
	return (0);
}

/* The pepper is in use: later handshakes need none. */
static int
set_up_pepper(void **state)
{
	set_up(state);
	fake_open(fakes[0]);
	assert_int_equal(outcomes[0], HANDSHAKE_READY);
	return (0);
}

static void
hello(struct session *session, const char *faults)
{
	fake_deploy(session);
	fake_hello(session, faults, NULL);
	fake_finish(session);
}

static void
begin(struct session *session)
{
	session->events->connected(session->owner);
	assert_non_null(strstr(session->sent, "daemon.hello"));
}

static void
expect_refused(const char *fault)
{
	assert_int_equal(outcomes[0], HANDSHAKE_REFUSED);
	assert_non_null(strstr(handshakes[0].fault, fault));
}

static void
test_the_first_pepper(void **state)
{
	(void)state;
	begin(fakes[0]);
	assert_string_equal(fakes[0]->root_ids, "{" FAKE_ROOT_ID "}");
	hello(fakes[0], "[]");
	assert_int_equal(outcomes[0], HANDSHAKE_GOES_ON);
	assert_false(keyring_has_pepper(keyring));
	fake_pepper(fakes[0]);
	assert_true(keyring_has_pepper(keyring));
	fake_done(fakes[0]);
	assert_int_equal(outcomes[0], HANDSHAKE_READY);
}

static void
test_another_pepper(void **state)
{
	(void)state;
	begin(fakes[0]);
	hello(fakes[0], "[]");
	fakes[0]->wrapped[20] ^= 1;
	fake_pepper(fakes[0]);
	expect_refused("the pepper cannot be unwrapped under root key");
	assert_false(keyring_has_pepper(keyring));
}

static void
test_pepper_not_kept(void **state)
{
	(void)state;
	begin(fakes[0]);
	hello(fakes[0], "[]");
	fake_result(fakes[0], result_new(&handshake_pepper_columns));
	fake_finish(fakes[0]);
	expect_refused("another root key has become active");
}

static void
test_faults(void **state)
{
	(void)state;
	begin(fakes[0]);
	hello(fakes[0], "[\"first: mend it\", \"second: mend it\"]");
	expect_refused("first: mend it");
	assert_true(handshakes[0].unfit);
	/* The next one is not told of it. */
	begin(fakes[0]);
	hello(fakes[0], "[]");
	assert_int_equal(outcomes[0], HANDSHAKE_GOES_ON);
	assert_false(handshakes[0].unfit);
}

static void
test_malformed(void **state)
{
	(void)state;
	begin(fakes[0]);
	hello(fakes[0], "{}");
	expect_refused("its answer is malformed");
	begin(fakes[0]);
	fake_deploy(fakes[0]);
	fake_result(fakes[0], result_new(&handshake_hello_columns));
	fake_finish(fakes[0]);
	expect_refused("its answer is malformed");
}

static void
test_errors(void **state)
{
	(void)state;
	begin(fakes[0]);
	fake_deploy(fakes[0]);
	fakes[0]->statements = 1;
	fake_error(fakes[0], "42883");
	fake_finish(fakes[0]);
	assert_int_equal(outcomes[0], HANDSHAKE_GOES_ON);
	fake_error(fakes[0], "42883");
	fake_finish(fakes[0]);
	expect_refused("daemon.hello fails with SQLSTATE 42883: deploy");
	begin(fakes[0]);
	fake_error(fakes[0], "53100");
	fake_finish(fakes[0]);
	expect_refused("the wait for a deploy fails with SQLSTATE 53100");
	begin(fakes[0]);
	fakes[0]->standby = true;
	fake_error(fakes[0], "25006");
	fake_finish(fakes[0]);
	expect_refused("it takes no writes");
}

/* An earlier release lacks an argument or a column of daemon.hello. */
static void
test_older_release(void **state)
{
	PGresult *answer = result_new(&handshake_older_columns);

	(void)state;
	begin(fakes[0]);
	fake_deploy(fakes[0]);
	fakes[0]->statements = 1;
	fake_error(fakes[0], "42883");
	fake_finish(fakes[0]);
	assert_int_equal(outcomes[0], HANDSHAKE_GOES_ON);
	assert_non_null(strstr(fakes[0]->sent, "SELECT schema_version"));
	result_set(answer, 0, 0, "9", 1);
	fake_result(fakes[0], answer);
	fake_finish(fakes[0]);
	expect_refused("the database has schema 9, and this daemon of release");
}

/* A pooler has kept the statements of another session. */
static void
take_names(void)
{
	begin(fakes[0]);
	hello(fakes[0], "[]");
	fake_error(fakes[0], "42P05");
	fake_finish(fakes[0]);
}

static void
test_names_are_taken(void **state)
{
	(void)state;
	take_names();
	assert_int_equal(outcomes[0], HANDSHAKE_GOES_ON);
	assert_string_equal(fakes[0]->sent, "DEALLOCATE ALL");
	fake_done(fakes[0]);
	assert_string_equal(fakes[0]->sent, "COMMIT");
	fake_done(fakes[0]);
	assert_int_equal(outcomes[0], HANDSHAKE_READY);
}

/* A pooler in statement mode has, too, and then refuses BEGIN. */
static void
test_transactions_are_refused(void **state)
{
	(void)state;
	take_names();
	fake_error(fakes[0], "08P01");
	fake_finish(fakes[0]);
	expect_refused("DEALLOCATE ALL fails with SQLSTATE 08P01: a pooler "
		       "refuses transactions: set pool_mode");
}

/* Root keys ---------------------------------------------------------------- */

static void
offer(void)
{
	struct root_keys keys;
	char id[ROOT_KEY_ID_SIZE];

	memset(&keys, 0, sizeof(keys));
	keys.count = 1;
	memset(keys.keys[0].key, 7, sizeof(keys.keys[0].key));
	root_key_id(keys.keys[0].key, id);
	memcpy(keys.keys[0].id, id, sizeof(id));
	keyring_offer(keyring, &keys);
}

/* As daemon.hello answers where no root key is active yet. */
static void
hello_of_any(struct session *session, const char *lockout)
{
	PGresult *answer = result_new(&handshake_hello_columns);
	int i;

	fake_deploy(session);
	result_set(answer, 0, 0, "1000", 4);
	result_set(answer, 0, 1, "[]", 2);
	for (i = 2; i < 6; i++)
		PQsetvalue(answer, 0, i, NULL, -1);
	if (lockout != NULL)
		result_set(answer, 0, 5, lockout, strlen(lockout));
	result_set(answer, 0, 6, "\0\0\0\0\0\0\0\1", 8);
	result_set(answer, 0, 7, "\0", 1);
	fake_result(session, answer);
	fake_finish(session);
}

static bool
shows_old(const struct session *session)
{
	return (strstr(session->root_ids, FAKE_ROOT_ID) != NULL);
}

static void
test_offer_is_taken(void **state)
{
	(void)state;
	offer();
	begin(fakes[0]);
	assert_false(shows_old(fakes[0]));
	hello_of_any(fakes[0], NULL);
	assert_false(keyring_activate(keyring, FAKE_ROOT_ID));
	/* It goes on: its own decision is no reason to begin again. */
	assert_null(strstr(fakes[0]->sent, "daemon.hello"));
	fake_done(fakes[0]);
	assert_int_equal(outcomes[0], HANDSHAKE_READY);
}

static void
test_offer_is_refused(void **state)
{
	(void)state;
	offer();
	begin(fakes[0]);
	hello_of_any(fakes[0], "root key 0 is missing: load it");
	assert_int_equal(outcomes[0], HANDSHAKE_REFUSED);
	assert_true(keyring_activate(keyring, FAKE_ROOT_ID));
}

/* PostgreSQL may have carried it out after the one with the new keys. */
static void
test_older_handshake_ends_after_the_newer(void **state)
{
	(void)state;
	begin(fakes[0]);
	assert_true(shows_old(fakes[0]));
	offer();
	begin(fakes[1]);
	assert_false(shows_old(fakes[1]));
	hello_of_any(fakes[1], NULL);
	hello_of_any(fakes[0], NULL);
	/* The keys that the daemon holds are recorded last. */
	assert_int_equal(outcomes[0], HANDSHAKE_GOES_ON);
	assert_non_null(strstr(fakes[0]->sent, "daemon.hello"));
	assert_false(shows_old(fakes[0]));
	hello_of_any(fakes[0], NULL);
	fake_done(fakes[0]);
	assert_int_equal(outcomes[0], HANDSHAKE_READY);
}

/* The answers may come in the other order than they were carried out in. */
static void
test_older_handshake_ends_before_the_newer(void **state)
{
	(void)state;
	begin(fakes[0]);
	offer();
	begin(fakes[1]);
	hello_of_any(fakes[0], NULL);
	assert_int_equal(outcomes[0], HANDSHAKE_GOES_ON);
	assert_non_null(strstr(fakes[0]->sent, "daemon.hello"));
	assert_false(shows_old(fakes[0]));
	hello_of_any(fakes[1], NULL);
	assert_false(keyring_activate(keyring, FAKE_ROOT_ID));
}

/* Nor is an older offer the last to be recorded, even if it was refused. */
static void
test_two_offers(void **state)
{
	(void)state;
	offer();
	begin(fakes[0]);
	offer();
	hello_of_any(fakes[0], "root key 0 is missing: load it");
	assert_int_equal(outcomes[0], HANDSHAKE_GOES_ON);
	assert_non_null(strstr(fakes[0]->sent, "daemon.hello"));
	hello_of_any(fakes[0], NULL);
	fake_done(fakes[0]);
	assert_int_equal(outcomes[0], HANDSHAKE_READY);
	assert_false(keyring_activate(keyring, FAKE_ROOT_ID));
}

#define NEW(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
#define KNOWN(test) \
	cmocka_unit_test_setup_teardown(test, set_up_pepper, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		NEW(test_the_first_pepper),
		NEW(test_another_pepper),
		NEW(test_pepper_not_kept),
		NEW(test_faults),
		NEW(test_malformed),
		NEW(test_errors),
		NEW(test_older_release),
		KNOWN(test_names_are_taken),
		KNOWN(test_transactions_are_refused),
		KNOWN(test_offer_is_taken),
		KNOWN(test_offer_is_refused),
		KNOWN(test_older_handshake_ends_after_the_newer),
		KNOWN(test_older_handshake_ends_before_the_newer),
		KNOWN(test_two_offers),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
