/*
 * The addresses that have connections now, and how many each has.
 */
#ifndef COFFER_PEER_H
#define COFFER_PEER_H

#include <stddef.h>

struct peer;
struct peers;

struct peers *peers_new(void);

/* Every connection must have left before. */
void peers_free(struct peers *peers);

/*
 * Counts a connection of an address (address_of_network).  The result is valid
 * until all connections of the address have left.
 */
struct peer *peers_enter(struct peers *peers, const unsigned char network[16]);

/* The connection has ended; accepts NULL. */
void peer_leave(struct peer *peer);

/* How many connections the address has, at least 1. */
size_t peer_count(const struct peer *peer);

#endif
