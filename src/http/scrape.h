/*
 * The address on which /metrics is read, apart from that of the API.
 */
#ifndef COFFER_SCRAPE_H
#define COFFER_SCRAPE_H

#include <stddef.h>

struct event_base;
struct metrics_now;
struct scrape;
struct settings;

/*
 * Listens as the setting metrics_listen says; NULL and a cause: it cannot.  Look
 * fills in what is not counted, and is called each time the page is read.
 */
struct scrape *
scrape_new(struct event_base *base, const struct settings *settings,
    void (*look)(void *owner, struct metrics_now *now), void *owner,
    char *cause, size_t size) __attribute__((warn_unused_result));

/* Accepts NULL. */
void scrape_free(struct scrape *scrape);

#endif
