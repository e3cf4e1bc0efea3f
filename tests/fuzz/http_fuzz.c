#include <errno.h>
#include <event2/buffer.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "audit/seal.h"
#include "base/cache.h"
#include "base/load.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/settings.h"
#include "call/budget.h"
#include "call/call.h"
#include "fuzz.h"
#include "http/health.h"
#include "http/http_request.h"
#include "http/listen.h"
#include "http/rate.h"
#include "keys/keyring.h"

/*
 * All of the daemon between the socket and the call: connections, evhttp,
 * routes, documents, answers.  The call itself is a fake, which answers when
 * the loop comes round, and so are the few things that need a database.
 */

#define HTTP_TURNS 100 /* of the loop, until all is said */

static struct event_base *base;
static struct settings settings;
static struct listen *listener;
static struct http_request_context context;
static bool stopping;
static struct sockaddr_in address = { .sin_family = AF_INET };

/* Fakes -------------------------------------------------------------------- */

static void
call_answer(evutil_socket_t fd, short what, void *arg)
{
	struct request *request = arg;

	(void)fd;
	(void)what;
	request->status = 200;
	request->has_receipt = true;
	evbuffer_add_printf(request->body, "{}");
	request->answered(request);
}

void
call_begin(const struct call_context *calls, struct request *request)
{
	(void)calls;
	(void)request;
}

bool
call_send(struct request *request)
{
	static const struct timeval now = { 0, 0 };

	event_base_once(base, -1, EV_TIMEOUT, call_answer, request, &now);
	return (true);
}

void
call_free(struct call *call)
{
	(void)call;
}

static const char *
health_reason(void *owner)
{
	(void)owner;
	return (NULL);
}

static struct json_object *
health_warnings(void *owner)
{
	(void)owner;
	return (json_object_new_object());
}

static size_t
memory_used(void *owner)
{
	(void)owner;
	return (listen_memory(listener));
}

bool
keyring_activate(struct keyring *ring, const char *root_id)
{
	(void)ring;
	(void)root_id;
	return (false);
}

bool
keyring_has_pepper(const struct keyring *ring)
{
	(void)ring;
	return (true);
}

void
keyring_digest(const struct keyring *ring, const char *token,
    unsigned char digest[KEYRING_DIGEST_SIZE])
{
	(void)ring;
	memset(digest, 0, KEYRING_DIGEST_SIZE);
	memcpy(digest, token, CACHE_KEY_SIZE);
}

/* The daemon --------------------------------------------------------------- */

/* One that is free now. */
static void
http_choose_port(void)
{
	socklen_t size = sizeof(address);
	int probe = socket(AF_INET, SOCK_STREAM, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	FUZZ_EXPECT(bind(probe, (struct sockaddr *)&address, size) == 0);
	FUZZ_EXPECT(
	    getsockname(probe, (struct sockaddr *)&address, &size) == 0);
	close(probe);
}

static void
http_start(void)
{
	static const struct seal_state audit = { .known = true };
	static struct health health = {
		.audit = &audit,
		.reason = health_reason,
		.warnings = health_warnings,
	};
	struct rlimit descriptors;
	char listen[32], cause[256];

	getrlimit(RLIMIT_NOFILE, &descriptors);
	descriptors.rlim_cur = descriptors.rlim_max;
	setrlimit(RLIMIT_NOFILE, &descriptors);
	memory_guard_libraries();
	http_choose_port();
	snprintf(
	    listen, sizeof(listen), "127.0.0.1:%d", ntohs(address.sin_port));
	setenv("COFFER_LISTEN", listen, 1);
	setenv("COFFER_LOG_LEVEL", "error", 1);
	setenv("COFFER_TRUSTED_PROXIES", "127.0.0.1", 1);
	setenv("COFFER_MAX_HEADERS", "1024", 1);
	setenv("COFFER_MAX_BODY", "1024", 1);
	setenv("COFFER_MAX_CONNECTIONS", "10000", 1);
	setenv("COFFER_KEY_RATE", "0", 1);
	setenv("COFFER_DENIED_RATE", "0", 1);
	FUZZ_EXPECT(load_settings(&settings, NULL, cause, sizeof(cause)));
	base = event_base_new();
	context = (struct http_request_context){
		.settings = &settings,
		.instance = "",
		.stopping = &stopping,
		.health = &health,
		.rates = rates_new(base, &settings, RATE_ENTRIES),
		.budget = budget_new(base, (size_t)settings.request_memory,
		    &stopping, memory_used, NULL),
	};
	health.partition = settings.partition;
	health.domain = settings.domain;
	listener = listen_new(base, &settings, NULL, http_request_start,
	    &context, cause, sizeof(cause));
	FUZZ_EXPECT(listener != NULL);
	listen_open(listener, "");
}

/* The client --------------------------------------------------------------- */

static int
http_connect(void)
{
	/* A reset at the end leaves no port behind in TIME_WAIT. */
	const struct linger reset = { 1, 0 };
	int client = socket(AF_INET, SOCK_STREAM, 0);

	FUZZ_EXPECT(client >= 0);
	FUZZ_EXPECT(
	    connect(client, (struct sockaddr *)&address, sizeof(address)) == 0);
	setsockopt(client, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	return (client);
}

/* Lets the daemon go on; false when it has closed the connection. */
static bool
http_turn(int client)
{
	static char answer[65536];
	ssize_t size;

	event_base_loop(base, EVLOOP_NONBLOCK);
	size = recv(client, answer, sizeof(answer), MSG_DONTWAIT);
	if (size > 0) {
		FUZZ_EXPECT(size > 7 && memcmp(answer, "HTTP/1.", 7) == 0);
		/* Pages of HTML are evhttp's, who is to refuse nothing. */
		FUZZ_EXPECT(memmem(answer, (size_t)size, "<HTML>", 6) == NULL);
	}
	return (size > 0 || (size < 0 && errno == EAGAIN));
}

/* The first byte says in how large pieces the others come; 0: at once. */
int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	size_t piece, sent;
	int client, turns;
	ssize_t n = 0;

	if (size == 0)
		return (0);
	if (base == NULL)
		http_start();
	client = http_connect();
	piece = bytes[0] > 0 ? bytes[0] : size;
	for (sent = 1; sent < size && n >= 0; sent += (size_t)n) {
		n = send(client, bytes + sent,
		    piece < size - sent ? piece : size - sent, MSG_NOSIGNAL);
		if (n >= 0 && !http_turn(client))
			break;
	}
	shutdown(client, SHUT_WR);
	for (turns = 0; turns < HTTP_TURNS && http_turn(client); turns++)
		;
	FUZZ_EXPECT(turns < HTTP_TURNS);
	close(client);
	return (0);
}
