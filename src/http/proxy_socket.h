/*
 * Reads the header of the PROXY protocol (proxy.h) off a socket.
 *
 * It takes no byte after the header: what follows is for TLS or evhttp.
 */
#ifndef COFFER_PROXY_SOCKET_H
#define COFFER_PROXY_SOCKET_H

#include <event2/event.h>

#include "http/proxy.h"

struct proxy_socket;

/*
 * Called once, when nothing more is read: with PROXY_WHOLE and the header, with
 * PROXY_FAULT when the bytes are not such a header, or with PROXY_MORE when the
 * socket has ended before.  It may free the reader.
 */
typedef void
proxy_socket_done(void *arg, enum proxy_state state, const struct proxy *proxy);

/* Nobody else may read from the socket meanwhile. */
struct proxy_socket *proxy_socket_new(struct event_base *base,
    evutil_socket_t fd, proxy_socket_done *done, void *arg);

/* Accepts NULL. */
void proxy_socket_free(struct proxy_socket *reader);

#endif
