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

/* Whether the address that text is, is in such a list. */
bool address_is_in(const char *text, const char *list);

/* Whether name is a header in which a proxy may name its client. */
bool address_is_header(const char *name);

/*
 * Who has sent a request that came from peer: the last in header, which is
 * X-Forwarded-For or Forwarded (RFC 7239), that is no trusted proxy, if peer is
 * one, and else peer itself.  A proxy that names nobody, or names its client by
 * a word, stands for it.  An IPv4 address is written as such also when it has
 * come through a socket of IPv6.
 */
void address_of_client(const char *peer, struct evhttp_request *http,
    const char *trusted, const char *header, char client[ADDRESS_TEXT_SIZE]);

/*
 * What an address counts as: an IPv4 address alone, an IPv6 address with all
 * of its network of 64 bits, which one client has to itself.
 */
bool address_of_network(const char *text, unsigned char network[16]);

#endif
