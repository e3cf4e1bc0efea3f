#include <arpa/inet.h>
#include <errno.h>
#include <event2/util.h>
#include <json-c/json.h>
#include <netdb.h>
#include <openssl/bio.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/address.h"
#include "base/clock.h"
#include "command/command_health.h"
#include "db/columns.h"
#include "http/tls.h"

#define HEALTH_TIMEOUT 2000 /* ms for each step: connect, send, receive */
#define HEALTH_ANSWER_SIZE 8192 /* more than /ready ever says */
#define HEALTH_REQUEST "GET /ready HTTP/1.0\r\nHost: localhost\r\n\r\n"
#define HEALTH_READY " 200 "
#define HEALTH_BODY "\r\n\r\n"

/* A daemon that listens on all addresses is asked on the loopback address. */
static void
health_address(const char *text, struct sockaddr_storage *address, int *length)
{
	struct sockaddr_in *ipv4 = (struct sockaddr_in *)address;
	struct sockaddr_in6 *ipv6 = (struct sockaddr_in6 *)address;

	/* That it is an address was seen when it was loaded. */
	*length = sizeof(*address);
	evutil_parse_sockaddr_port(text, (struct sockaddr *)address, length);
	if (address->ss_family == AF_INET &&
	    ipv4->sin_addr.s_addr == htonl(INADDR_ANY))
		ipv4->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	else if (address->ss_family == AF_INET6 &&
	    IN6_IS_ADDR_UNSPECIFIED(&ipv6->sin6_addr))
		ipv6->sin6_addr = in6addr_loopback;
}

/* The socket, with its times; -1: errno says why not. */
static int
health_connect(const char *text)
{
	const struct timeval time = clock_timeval(HEALTH_TIMEOUT);
	struct sockaddr_storage address;
	int length, fd;

	health_address(text, &address, &length);
	fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return (-1);
	if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &time, sizeof(time)) != 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof(time)) != 0 ||
	    connect(fd, (struct sockaddr *)&address, (socklen_t)length) != 0) {
		close(fd);
		return (-1);
	}
	return (fd);
}

/* Whether the daemon takes this client for a proxy that speaks of another. */
static bool
health_is_proxy(const struct settings *settings, int fd)
{
	struct sockaddr_storage address;
	socklen_t size = sizeof(address);
	char host[NI_MAXHOST];

	return (settings->proxy_protocol != 0 &&
	    settings->trusted_proxies != NULL &&
	    getsockname(fd, (struct sockaddr *)&address, &size) == 0 &&
	    getnameinfo((struct sockaddr *)&address, size, host, sizeof(host),
		NULL, 0, NI_NUMERICHOST) == 0 &&
	    address_is_in(host, settings->trusted_proxies));
}

/*
 * The certificate of the daemon is not verified: its name is not that of the
 * loopback address, and the request and the answer hold nothing secret.
 */
static SSL_CTX *
health_tls(const struct settings *settings)
{
	SSL_CTX *tls = SSL_CTX_new(TLS_client_method());

	if (tls == NULL || settings->tls_client_ca == NULL)
		return (tls);
	if (SSL_CTX_use_certificate_chain_file(
		tls, settings->tls_certificate) == 1 &&
	    SSL_CTX_use_PrivateKey_file(
		tls, settings->tls_key, SSL_FILETYPE_PEM) == 1)
		return (tls);
	SSL_CTX_free(tls);
	return (NULL);
}

/* Sends the request and takes the answer; how many bytes, 0 for none. */
static size_t
health_exchange(BIO *bio, char *answer, size_t size)
{
	const int request = (int)strlen(HEALTH_REQUEST);
	size_t taken = 0;
	int got;

	if (BIO_write(bio, HEALTH_REQUEST, request) != request)
		return (0);
	while (taken < size - 1 &&
	    (got = BIO_read(bio, answer + taken, (int)(size - 1 - taken))) > 0)
		taken += (size_t)got;
	answer[taken] = '\0';
	return (taken);
}

/* The same through TLS, where the settings ask for it; it closes fd. */
static size_t
health_ask(const struct settings *settings, int fd, char *answer, size_t size)
{
	static const char proxy[] = "PROXY UNKNOWN\r\n";
	SSL_CTX *tls = NULL;
	BIO *bio = BIO_new_socket(fd, BIO_CLOSE), *filter;
	size_t taken = 0;

	if (bio == NULL)
		close(fd);
	else if (health_is_proxy(settings, fd))
		BIO_write(bio, proxy, (int)strlen(proxy));
	if (bio != NULL && tls_is_set(settings)) {
		tls = health_tls(settings);
		filter = tls != NULL ? BIO_new_ssl(tls, 1) : NULL;
		if (filter != NULL)
			bio = BIO_push(filter, bio);
	}
	if (bio != NULL && (tls != NULL || !tls_is_set(settings)))
		taken = health_exchange(bio, answer, size);
	BIO_free_all(bio);
	SSL_CTX_free(tls);
	return (taken);
}

/* What an answer that is not 200 gives as the reason. */
static void
health_say_reason(const char *answer)
{
	const char *body = strstr(answer, HEALTH_BODY);
	struct json_object *object = body != NULL
	    ? columns_json(body + strlen(HEALTH_BODY), json_type_object)
	    : NULL;
	struct json_object *reason = NULL;

	json_object_object_get_ex(object, "reason", &reason);
	printf("not ready: %s\n",
	    reason != NULL ? json_object_get_string(reason)
			   : "the answer is not that of a daemon");
	json_object_put(object);
}

int
command_health(struct command_run *run)
{
	const struct settings *settings = run->settings;
	const int fd = health_connect(settings->listen);
	char answer[HEALTH_ANSWER_SIZE];

	/* A daemon that goes away while it is asked gives no answer. */
	signal(SIGPIPE, SIG_IGN);
	if (fd < 0) {
		printf("not ready: unable to connect to %s: %s\n",
		    settings->listen, strerror(errno));
		return (1);
	}
	if (health_ask(settings, fd, answer, sizeof(answer)) == 0) {
		printf("not ready: no answer from %s\n", settings->listen);
		return (1);
	}
	if (strncmp(answer, "HTTP/1.", 7) == 0 &&
	    strncmp(answer + 8, HEALTH_READY, strlen(HEALTH_READY)) == 0) {
		printf("ready\n");
		return (0);
	}
	health_say_reason(answer);
	return (1);
}
