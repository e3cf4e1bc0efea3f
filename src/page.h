/*
 * evhttp answers by itself what it cannot take for a request, in HTML, and
 * before any callback.  Here these pages get the form of all other errors.
 */
#ifndef COFFER_PAGE_H
#define COFFER_PAGE_H

#include <event2/bufferevent.h>

/* Watches what evhttp is about to send on a connection. */
void page_watch(struct bufferevent *connection);

#endif
