#include <event2/bufferevent_ssl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>

#include "base/memory.h"
#include "http/tls.h"

/* Each SSL has a reference of its own to the context that it came from. */
struct tls {
	SSL_CTX *context;
};

/*
 * The end of a stream without TLS's own is no attack here: every message has
 * its length.  Tickets would be encrypted under a key that never changes.
 */
#define TLS_OPTIONS                                                           \
	(SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_NO_TICKET | \
	    SSL_OP_IGNORE_UNEXPECTED_EOF | SSL_OP_CIPHER_SERVER_PREFERENCE)

bool
tls_is_set(const struct settings *settings)
{
	return (settings->tls_certificate != NULL ||
	    settings->tls_key != NULL || settings->tls_client_ca != NULL);
}

/* OpenSSL's reason names no content of a file. */
static bool
tls_refuse(const char *what, char *cause, size_t size)
{
	const char *reason = ERR_reason_error_string(ERR_peek_last_error());

	snprintf(cause, size, "%s: %s", what,
	    reason != NULL ? reason : "unable to use it");
	ERR_clear_error();
	return (false);
}

static bool
tls_load(
    SSL_CTX *context, const struct settings *settings, char *cause, size_t size)
{
	const char *authorities = settings->tls_client_ca;

	if (settings->tls_certificate == NULL || settings->tls_key == NULL) {
		snprintf(
		    cause, size, "tls_certificate and tls_key belong together");
		return (false);
	}
	if (SSL_CTX_use_certificate_chain_file(
		context, settings->tls_certificate) != 1)
		return (tls_refuse("tls_certificate", cause, size));
	if (SSL_CTX_use_PrivateKey_file(
		context, settings->tls_key, SSL_FILETYPE_PEM) != 1 ||
	    SSL_CTX_check_private_key(context) != 1)
		return (tls_refuse("tls_key", cause, size));
	if (authorities == NULL)
		return (true);
	if (SSL_CTX_load_verify_file(context, authorities) != 1)
		return (tls_refuse("tls_client_ca", cause, size));
	SSL_CTX_set_client_CA_list(
	    context, SSL_load_client_CA_file(authorities));
	SSL_CTX_set_verify(
	    context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	return (true);
}

bool
tls_reload(
    struct tls *tls, const struct settings *settings, char *cause, size_t size)
{
	SSL_CTX *context = SSL_CTX_new(TLS_server_method());

	ERR_clear_error();
	if (context == NULL)
		return (tls_refuse("TLS", cause, size));
	SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
	SSL_CTX_set_options(context, TLS_OPTIONS);
	/* A session that is resumed would not show its certificate again. */
	SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_num_tickets(context, 0);
	/* Most connections do nothing most of the time. */
	SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
	if (!tls_load(context, settings, cause, size)) {
		SSL_CTX_free(context);
		return (false);
	}
	SSL_CTX_free(tls->context);
	tls->context = context;
	return (true);
}

struct tls *
tls_new(const struct settings *settings, char *cause, size_t size)
{
	struct tls *tls = memory_new(sizeof(*tls));

	if (!tls_reload(tls, settings, cause, size)) {
		tls_free(tls);
		return (NULL);
	}
	return (tls);
}

void
tls_free(struct tls *tls)
{
	if (tls == NULL)
		return;
	SSL_CTX_free(tls->context);
	memory_free(tls);
}

struct bufferevent *
tls_socket(struct tls *tls, struct event_base *base)
{
	return (bufferevent_openssl_socket_new(base, -1, SSL_new(tls->context),
	    BUFFEREVENT_SSL_ACCEPTING, BEV_OPT_CLOSE_ON_FREE));
}
