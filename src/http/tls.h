/*
 * TLS: what a connection is encrypted with, and whose certificate it must
 * show.
 */
#ifndef COFFER_TLS_H
#define COFFER_TLS_H

#include <event2/bufferevent.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/settings.h"

struct tls;

/* Whether the settings ask for it. */
bool tls_is_set(const struct settings *settings);

/* NULL and a cause when the files are not such as it can serve with. */
struct tls *tls_new(const struct settings *settings, char *cause, size_t size)
    __attribute__((warn_unused_result));
void tls_free(struct tls *tls);

/*
 * Reads the files again, for connections to come; those there are keep what
 * they have.  On false nothing has changed, and cause says why.
 */
bool tls_reload(struct tls *tls, const struct settings *settings, char *cause,
    size_t size) __attribute__((warn_unused_result));

/* A socket that is to speak TLS as the server. */
struct bufferevent *tls_socket(struct tls *tls, struct event_base *base);

#endif
