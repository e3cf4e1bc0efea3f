/*
 * The address on which /metrics is read, apart from that of the API.
 */
#ifndef COFFER_SCRAPE_H
#define COFFER_SCRAPE_H

#include <stddef.h>

struct listen;
struct service;

/* Listens as the setting metrics_listen says; NULL and a cause: it cannot. */
struct listen *scrape_new(struct service *service, char *cause, size_t size)
    __attribute__((warn_unused_result));

#endif
