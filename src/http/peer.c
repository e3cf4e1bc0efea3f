#include <string.h>
#include <sys/queue.h>

#include "base/crypto.h"
#include "base/memory.h"
#include "http/peer.h"

#define PEER_LISTS 1024

struct peer {
	LIST_ENTRY(peer) entry;
	unsigned char network[16];
	size_t count;
};

LIST_HEAD(peer_list, peer);

struct peers {
	struct peer_list lists[PEER_LISTS];
	/* Under which nobody can choose addresses that share a list. */
	unsigned char spread[CRYPTO_KEY_SIZE];
};

struct peers *
peers_new(void)
{
	struct peers *peers = memory_new(sizeof(*peers));

	crypto_random(peers->spread, sizeof(peers->spread));
	return (peers);
}

void
peers_free(struct peers *peers)
{
	memory_free(peers);
}

static struct peer_list *
peers_list(struct peers *peers, const unsigned char network[16])
{
	unsigned char digest[CRYPTO_SHA256_SIZE];

	crypto_hmac_sha256(peers->spread, network, 16, digest);
	return (
	    &peers->lists[((size_t)digest[0] << 8 | digest[1]) % PEER_LISTS]);
}

struct peer *
peers_enter(struct peers *peers, const unsigned char network[16])
{
	struct peer_list *list = peers_list(peers, network);
	struct peer *peer;

	LIST_FOREACH (peer, list, entry) {
		if (memcmp(peer->network, network, sizeof(peer->network)) == 0)
			break;
	}
	if (peer == NULL) {
		peer = memory_new(sizeof(*peer));
		memcpy(peer->network, network, sizeof(peer->network));
		LIST_INSERT_HEAD(list, peer, entry);
	}
	peer->count++;
	return (peer);
}

void
peer_leave(struct peer *peer)
{
	if (peer == NULL || --peer->count > 0)
		return;
	LIST_REMOVE(peer, entry);
	memory_free(peer);
}

size_t
peer_count(const struct peer *peer)
{
	return (peer->count);
}
