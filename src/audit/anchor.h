/*
 * Anchors: a seal as one line of JSON that leaves for where nobody who can
 * change the database can change it.
 */
#ifndef COFFER_ANCHOR_H
#define COFFER_ANCHOR_H

#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/crypto.h"
#include "base/settings.h"

/* What an anchor says of a seal. */
struct anchor_seal {
	int64_t no;
	int64_t epoch;
	unsigned char hash[CRYPTO_SHA256_SIZE];
	char signer[CRYPTO_PUBLIC_ID_SIZE];
	unsigned char signature[CRYPTO_SIGNATURE_SIZE];
};

struct anchor;

/* done is told whether a seal has left; not from within anchor_write. */
struct anchor *
anchor_new(struct event_base *base, const struct settings *settings,
    void (*done)(void *owner, bool left), void *owner);
void anchor_free(struct anchor *anchor);

/*
 * To the log of the daemon, and where the settings say: to syslog, and to the
 * standard input of a command, which has taken it when it ends with status 0.
 * A seal that is given again, because one of them failed, goes to the command
 * last, and to no other a second time.
 */
void anchor_write(struct anchor *anchor, const struct anchor_seal *seal);

#endif
