/*
 * Addresses of clients: which of them are proxies that are believed, and whom
 * such a proxy speaks for.
 */
#ifndef COFFER_ADDRESS_H
#define COFFER_ADDRESS_H

#include <netinet/in.h>
#include <stdbool.h>

#define ADDRESS_TEXT_SIZE INET6_ADDRSTRLEN

struct evhttp_request;

/* Whether list is addresses or networks, such as 10.0.0.0/8,::1. */
bool address_are_all(const char *list);

/*
 * Who has sent a request that came from peer: the last in X-Forwarded-For that
 * is no trusted proxy, if peer is one, and else peer itself.  An IPv4 address
 * is written as such also when it has come through a socket of IPv6.
 */
void address_of_client(const char *peer, struct evhttp_request *http,
    const char *trusted, char client[ADDRESS_TEXT_SIZE]);

/*
 * What an address counts as: an IPv4 address alone, an IPv6 address with all
 * of its network of 64 bits, which one client has to itself.
 */
bool address_of_network(const char *text, unsigned char network[16]);

#endif
