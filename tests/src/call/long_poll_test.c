#include "call/long_poll.h"
#include "call/watch.h"
#include "tests/src/call_fake.h"

static struct service service;
static struct request request;

static void
fake_overdue(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	fail();
}

static int
set_up(void **state)
{
	static const struct timeval long_time = { 1000, 0 };

	(void)state;
	memset(&fake, 0, sizeof(fake));
	memset(&service, 0, sizeof(service));
	memset(&request, 0, sizeof(request));
	service.base = event_base_new();
	service.watch = watch_new();
	request.service = &service;
	request.document = json_tokener_parse("{\"query\":{}}");
	request.call.deadline = evtimer_new(service.base, fake_overdue, NULL);
	evtimer_add(request.call.deadline, &long_time);
	return (0);
}

static int
tear_down(void **state)
{
	(void)state;
	json_object_put(request.document);
	event_free(request.call.deadline);
	if (request.call.patience != NULL)
		event_free(request.call.patience);
	watch_free(service.watch);
	event_base_free(service.base);
	return (0);
}

static void
wait_for(const char *text)
{
	struct json_object *need = json_tokener_parse(text);

	long_poll_wait(&request, need);
	json_object_put(need);
}

/* Whether the door is told that it may not ask to wait. */
static void
assert_last(bool last)
{
	assert_string_equal(fake_document(&request),
	    last ? "{\"query\":{\"wait\":[\"0\"]}}" : "{\"query\":{}}");
}

static void
test_a_change_comes(void **state)
{
	(void)state;
	wait_for("{\"wait\":60}");
	assert_true(request.call.parked);
	assert_false(evtimer_pending(request.call.deadline, NULL));
	fake_expect((struct fake){ .anew = 0 });
	watch_ring(service.watch);
	assert_false(request.call.parked);
	fake_expect((struct fake){ .anew = 1 });
	assert_last(false);
	/* It was a change of something else. */
	wait_for("{\"wait\":60}");
	assert_true(request.call.parked);
	watch_end(service.watch);
	fake_expect((struct fake){ .anew = 2 });
	assert_last(true);
}

static void
test_patience_ends(void **state)
{
	(void)state;
	wait_for("{\"wait\":0}");
	assert_true(request.call.parked);
	event_base_loop(service.base, EVLOOP_ONCE);
	assert_false(request.call.parked);
	fake_expect((struct fake){ .anew = 1 });
	assert_last(true);
	/* The door may ask, but is not listened to. */
	wait_for("{\"wait\":60}");
	assert_false(request.call.parked);
	fake_expect((struct fake){ .anew = 2 });
}

static void
test_a_change_came_before(void **state)
{
	(void)state;
	service.audit.last_change = 2;
	request.call.last_change = 1;
	wait_for("{\"wait\":60}");
	assert_false(request.call.parked);
	assert_true(evtimer_pending(request.call.deadline, NULL));
	fake_expect((struct fake){ .anew = 1 });
	assert_last(false);
	request.call.last_change = 2;
	wait_for("{\"wait\":60}");
	assert_true(request.call.parked);
	fake_expect((struct fake){ .anew = 1 });
	watch_leave(service.watch, &request);
}

static void
test_nobody_is_parked_in_vain(void **state)
{
	(void)state;
	wait_for("{}");
	fake_expect((struct fake){ .anew = 1 });
	assert_last(true);
	service.draining = true;
	wait_for("{\"wait\":60}");
	assert_false(request.call.parked);
	fake_expect((struct fake){ .anew = 2 });
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    test_a_change_comes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_patience_ends, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_a_change_came_before, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_nobody_is_parked_in_vain, set_up, tear_down),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
