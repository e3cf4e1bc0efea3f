#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "db/link.h"
#include "tests/src/db/session_fake.h"

static struct settings settings;
static struct event_base *base;
static struct newest newest;
static struct failover failover;
static struct queue *queue;
static struct links links;
static struct link *connection;
static struct session *session;
static struct query query;

/* What the owner was told last, and how often. */
static int opened, refused, ended;
static struct group_end last;

static void
told_opened(void *owner, struct link *link)
{
	(void)owner;
	assert_int_equal(link_state(link), LINK_FREE);
	opened++;
}

static void
told_refused(void *owner, struct link *link)
{
	(void)owner;
	assert_int_equal(link_state(link), LINK_CLOSED);
	refused++;
}

static void
told_ended(void *owner, struct link *link, struct group_end *end)
{
	long i;

	(void)owner;
	(void)link;
	last = *end;
	for (i = 0; i < end->count; i++)
		columns_clear(end->members[i].result);
	ended++;
}

static const struct link_events events = {
	.opened = told_opened,
	.refused = told_refused,
	.ended = told_ended,
};

static void
ready(void *owner)
{
	(void)owner;
}

static int
set_up(void **state)
{
	(void)state;
	assert_true(log_set_level("error"));
	fake_settings(&settings);
	memset(&newest, 0, sizeof(newest));
	memset(&failover, 0, sizeof(failover));
	base = event_base_new();
	queue = queue_new(base, ready, NULL);
	links = (struct links){ .base = base,
		.settings = &settings,
		.dsn = dsn_new("host=a,b user=coffer_api", "coffer"),
		.handshake = { .keyring = fake_keyring(&settings),
		    .newest = &newest,
		    .instance = "11111111-1111-4111-8111-111111111111" },
		.failover = &failover,
		.events = &events };
	TAILQ_INIT(&links.free);
	connection = link_new(&links);
	session = fakes[0];
	query = (struct query){ .statement = "secret_get", .label = "test" };
	opened = refused = ended = 0;
	return (0);
}

static int
tear_down(void **state)
{
	(void)state;
	link_close(connection, GROUP_CLOSED);
	link_free(connection);
	queue_free(queue);
	dsn_free(links.dsn);
	keyring_free(links.handshake.keyring);
	event_base_free(base);
	return (0);
}

/* A link that is free. */
static int
set_up_open(void **state)
{
	set_up(state);
	link_connect(connection);
	fake_open(session);
	assert_int_equal(opened, 1);
	return (0);
}

static void
expect(enum link_state state, long open, long free)
{
	assert_int_equal(link_state(connection), state);
	assert_int_equal(links.open, open);
	assert_int_equal(links.free_count, free);
	assert_int_equal(TAILQ_EMPTY(&links.free), free == 0);
}

/* The handshake ------------------------------------------------------------ */

static void
test_handshake(void **state)
{
	(void)state;
	expect(LINK_CLOSED, 0, 0);
	link_connect(connection);
	expect(LINK_HANDSHAKE, 0, 0);
	assert_int_equal(session->timer, settings.connect_timeout);
	fake_open(session);
	assert_int_equal(opened, 1);
	expect(LINK_FREE, 1, 1);
	/* The time to connect has ended with the handshake. */
	assert_int_equal(session->timer, 0);
	assert_null(link_fault(connection));
}

static void
test_handshake_refused(void **state)
{
	(void)state;
	link_connect(connection);
	fake_refuse(session, "[\"one fault: mend it\"]", NULL);
	assert_int_equal(refused, 1);
	assert_int_equal(opened, 0);
	expect(LINK_CLOSED, 0, 0);
	assert_string_equal(link_fault(connection), "one fault: mend it");
	assert_false(link_is_locked_out(connection));
	/* The next host is tried. */
	assert_int_equal(links.dsn->first, 1);
}

static void
test_locked_out(void **state)
{
	(void)state;
	link_connect(connection);
	fake_refuse(session, "[\"root key 0 is missing: load it\"]",
	    "root key 0 is missing: load it");
	assert_int_equal(refused, 1);
	assert_true(link_is_locked_out(connection));
}

static void
test_lost_in_the_handshake(void **state)
{
	(void)state;
	link_connect(connection);
	fake_lose(session, "connection lost");
	assert_int_equal(ended, 1);
	assert_int_equal(last.count, 0);
	expect(LINK_CLOSED, 0, 0);
	assert_int_equal(links.dsn->first, 1);
}

/* The delay grows, and is the shortest again once a handshake ends well. */
static void
test_delay(void **state)
{
	(void)state;
	link_connect_later(connection);
	/* A second request does not put it off. */
	link_connect_later(connection);
	fake_pass(base, 0, 200);
	assert_int_equal(session->connects, 1);
	fake_lose(session, "connection lost");
	link_connect_later(connection);
	fake_pass(base, 0, 100);
	assert_int_equal(session->connects, 1);
	fake_pass(base, 100, 400);
	assert_int_equal(session->connects, 2);
	fake_open(session);
	fake_lose(session, "connection lost");
	link_connect_later(connection);
	fake_pass(base, 0, 200);
	assert_int_equal(session->connects, 3);
	/* After a refusal it is the longest. */
	fake_refuse(session, "[\"one fault: mend it\"]", NULL);
	link_connect_later(connection);
	fake_pass(base, 0, 3000);
	assert_int_equal(session->connects, 3);
	fake_pass(base, 3000, 7000);
	assert_int_equal(session->connects, 4);
}

static void
test_closed_link_does_not_connect(void **state)
{
	(void)state;
	link_connect_later(connection);
	link_close(connection, GROUP_CLOSED);
	fake_pass(base, 0, 10000);
	assert_int_equal(session->connects, 0);
}

/* Groups ------------------------------------------------------------------- */

static void
test_answer(void **state)
{
	(void)state;
	link_run(connection, &query, queue);
	expect(LINK_RUNNING, 1, 0);
	assert_ptr_equal(query.link, connection);
	assert_string_equal(session->sent, "secret_get");
	fake_answer(session);
	expect(LINK_FREE, 1, 1);
	assert_int_equal(last.outcome, GROUP_ANSWERED);
	assert_int_equal(last.count, 1);
	assert_ptr_equal(last.members[0].query, &query);
	assert_true(last.settled);
	assert_true(failover.heard > 0);
}

static void
test_pipeline_is_aborted(void **state)
{
	struct query other = query, third = query;

	(void)state;
	query.groups = other.groups = third.groups = true;
	queue_enter(queue, &other, 0);
	queue_enter(queue, &third, 0);
	link_run(connection, &query, queue);
	fake_error(session, "22012");
	fake_finish(session);
	expect(LINK_FREE, 1, 1);
	assert_int_equal(last.outcome, GROUP_FAILED);
	assert_int_equal(last.count, 3);
	assert_string_equal(last.sqlstate, "22012");
	assert_string_equal(query.sqlstate, "");
}

static void
test_fails_alone(void **state)
{
	(void)state;
	link_run(connection, &query, queue);
	fake_error(session, "22012");
	fake_finish(session);
	assert_int_equal(last.outcome, GROUP_FAILED);
	assert_string_equal(query.sqlstate, "22012");
	/* The fault is not that of what runs next. */
	link_run(connection, &query, queue);
	fake_answer(session);
	assert_int_equal(last.outcome, GROUP_ANSWERED);
}

static void
test_malformed(void **state)
{
	(void)state;
	link_run(connection, &query, queue);
	fake_result(session, result_new(&statement_api.columns));
	fake_finish(session);
	expect(LINK_FREE, 1, 1);
	assert_int_equal(last.outcome, GROUP_MALFORMED);
}

static void
test_lost(void **state)
{
	(void)state;
	link_run(connection, &query, queue);
	fake_result(session, fake_row());
	fake_lose(session, "connection lost");
	expect(LINK_CLOSED, 0, 0);
	assert_int_equal(last.outcome, GROUP_LOST);
	assert_int_equal(last.count, 1);
	/* It has served: the same host is tried again. */
	assert_int_equal(links.dsn->first, 0);
}

static void
test_lost_when_free(void **state)
{
	(void)state;
	fake_lose(session, "connection lost");
	expect(LINK_CLOSED, 0, 0);
	assert_int_equal(last.count, 0);
	assert_int_equal(last.kind, QUERY_NONE);
}

/* A server that says that it stops, or is a standby now, is left. */
static void
test_failed_server_is_left(void **state)
{
	(void)state;
	link_run(connection, &query, queue);
	fake_error(session, "08006");
	fake_finish(session);
	expect(LINK_CLOSED, 0, 0);
	assert_int_equal(last.outcome, GROUP_FAILED);

	link_connect(connection);
	fake_open(session);
	link_run(connection, &query, queue);
	session->standby = true;
	fake_error(session, "25006");
	fake_finish(session);
	expect(LINK_CLOSED, 0, 0);
	assert_true(failover.read_only);
}

static void
test_close_while_it_runs(void **state)
{
	(void)state;
	link_run(connection, &query, queue);
	link_close(connection, GROUP_CLOSED);
	expect(LINK_CLOSED, 0, 0);
	assert_int_equal(last.outcome, GROUP_CLOSED);
	assert_int_equal(last.count, 1);
}

static void
test_abandoned(void **state)
{
	struct query other = query;

	(void)state;
	query.groups = other.groups = true;
	queue_enter(queue, &other, 0);
	link_run(connection, &query, queue);
	link_abandon(connection, &query);
	/* One still waits. */
	assert_int_equal(session->timer, 0);
	link_abandon(connection, &other);
	assert_int_equal(session->timer, settings.request_deadline);
	expect(LINK_RUNNING, 1, 0);
	fake_answer(session);
	expect(LINK_FREE, 1, 1);
	assert_int_equal(session->timer, 0);
	assert_null(last.members[0].query);
	assert_null(last.members[1].query);
}

/* Preparing again ---------------------------------------------------------- */

static void
forget_statement(void)
{
	link_run(connection, &query, queue);
	fake_error(session, "26000");
	fake_finish(session);
	expect(LINK_PREPARING, 1, 0);
	assert_int_equal(ended, 0);
}

static void
test_prepares_again(void **state)
{
	(void)state;
	forget_statement();
	fake_done(session);
	fake_done(session);
	expect(LINK_RUNNING, 1, 0);
	/* Its text is sent now, and it is sent but once more. */
	assert_non_null(strstr(session->sent, "api.secret_get"));
	fake_error(session, "26000");
	fake_finish(session);
	expect(LINK_FREE, 1, 1);
	assert_int_equal(last.outcome, GROUP_FAILED);
}

static void
test_prepares_for_nobody(void **state)
{
	(void)state;
	forget_statement();
	link_abandon(connection, &query);
	fake_done(session);
	fake_done(session);
	expect(LINK_FREE, 1, 1);
	assert_int_equal(ended, 1);
	assert_null(last.members[0].query);
}

static void
test_prepare_fails(void **state)
{
	(void)state;
	forget_statement();
	fake_error(session, "XX000");
	fake_finish(session);
	expect(LINK_CLOSED, 0, 0);
	assert_int_equal(last.outcome, GROUP_UNDONE);
}

static void
test_lost_while_it_prepares(void **state)
{
	(void)state;
	forget_statement();
	fake_lose(session, "connection lost");
	expect(LINK_CLOSED, 0, 0);
	assert_int_equal(last.outcome, GROUP_UNDONE);
	assert_int_equal(last.count, 1);
}

/* Cleaning and examining --------------------------------------------------- */

static void
test_clean(void **state)
{
	(void)state;
	link_clean(connection);
	expect(LINK_FREE, 1, 1);
	session->soiled = true;
	link_run(connection, &query, queue);
	/* What runs overwrites it by itself. */
	link_clean(connection);
	expect(LINK_RUNNING, 1, 0);
	fake_answer(session);
	link_clean(connection);
	expect(LINK_CLEANING, 1, 0);
	assert_int_equal(session->timer, settings.request_deadline);
	fake_result(session, PQmakeEmptyPGresult(NULL, PGRES_TUPLES_OK));
	fake_finish(session);
	expect(LINK_FREE, 1, 1);
	assert_int_equal(ended, 2);
	assert_int_equal(session->timer, 0);
}

static void
test_lost_while_it_cleans(void **state)
{
	(void)state;
	session->soiled = true;
	link_clean(connection);
	fake_lose(session, SESSION_SILENT);
	expect(LINK_CLOSED, 0, 0);
	assert_int_equal(last.count, 0);
}

static void
faults(const char *text)
{
	PGresult *result =
	    result_new(&statement_find(STATEMENT_SESSION_FAULTS)->columns);

	result_set(result, 0, 0, text, strlen(text));
	fake_result(session, result);
	fake_finish(session);
}

static void
test_examine(void **state)
{
	(void)state;
	link_examine(connection);
	expect(LINK_EXAMINING, 1, 0);
	/* Once is enough. */
	link_examine(connection);
	assert_int_equal(session->timer, settings.request_deadline);
	faults("[]");
	expect(LINK_FREE, 1, 1);
	assert_int_equal(ended, 1);
}

static void
test_examine_after_the_group(void **state)
{
	(void)state;
	link_run(connection, &query, queue);
	link_examine(connection);
	expect(LINK_RUNNING, 1, 0);
	fake_answer(session);
	assert_int_equal(ended, 1);
	expect(LINK_EXAMINING, 1, 0);
	faults("[]");
	expect(LINK_FREE, 1, 1);
}

static void
test_unfit_when_examined(void **state)
{
	(void)state;
	link_examine(connection);
	faults("[\"work_mem is too small: reset it\"]");
	expect(LINK_CLOSED, 0, 0);
}

/* Its functions are being replaced: the whole handshake follows. */
static void
test_examine_fails(void **state)
{
	(void)state;
	link_examine(connection);
	fake_error(session, "42883");
	fake_finish(session);
	expect(LINK_EXAMINING, 1, 0);
	fake_deploy(session);
	fake_hello(session, "[]", NULL);
	fake_finish(session);
	fake_done(session);
	expect(LINK_FREE, 1, 1);
	assert_int_equal(opened, 1);
}

/* A handshake has just examined the session. */
static void
test_examine_of_what_is_not_open(void **state)
{
	(void)state;
	link_examine(connection);
	link_connect(connection);
	link_examine(connection);
	fake_open(session);
	expect(LINK_FREE, 1, 1);
}

/* Transitions that are not in the table ------------------------------------ */

static void
connect_a_free_link(void)
{
	link_connect(connection);
}

static void
run_on_a_running_link(void)
{
	link_run(connection, &query, queue);
	link_run(connection, &query, queue);
}

static void
run_on_a_closed_link(void)
{
	link_close(connection, GROUP_LOST);
	session->connecting = true;
	link_run(connection, &query, queue);
}

static void
test_illegal_transitions(void **state)
{
	void (*const attempts[])(void) = { connect_a_free_link,
		run_on_a_running_link, run_on_a_closed_link };
	size_t i;
	int status;
	pid_t child;

	(void)state;
	for (i = 0; i < sizeof(attempts) / sizeof(attempts[0]); i++) {
		child = fork();
		assert_true(child >= 0);
		if (child == 0) {
			signal(SIGABRT, SIG_DFL);
			attempts[i]();
			_exit(0);
		}
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_true(WIFSIGNALED(status));
		assert_int_equal(WTERMSIG(status), SIGABRT);
	}
}

#define CLOSED(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
#define OPEN(test) cmocka_unit_test_setup_teardown(test, set_up_open, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CLOSED(test_handshake),
		CLOSED(test_handshake_refused),
		CLOSED(test_locked_out),
		CLOSED(test_lost_in_the_handshake),
		CLOSED(test_delay),
		CLOSED(test_closed_link_does_not_connect),
		OPEN(test_answer),
		OPEN(test_pipeline_is_aborted),
		OPEN(test_fails_alone),
		OPEN(test_malformed),
		OPEN(test_lost),
		OPEN(test_lost_when_free),
		OPEN(test_failed_server_is_left),
		OPEN(test_close_while_it_runs),
		OPEN(test_abandoned),
		OPEN(test_prepares_again),
		OPEN(test_prepares_for_nobody),
		OPEN(test_prepare_fails),
		OPEN(test_lost_while_it_prepares),
		OPEN(test_clean),
		OPEN(test_lost_while_it_cleans),
		OPEN(test_examine),
		OPEN(test_examine_after_the_group),
		OPEN(test_unfit_when_examined),
		OPEN(test_examine_fails),
		CLOSED(test_examine_of_what_is_not_open),
		OPEN(test_illegal_transitions),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
