#include <event2/event.h>
#include <stdint.h>
#include <string.h>

#include "base/address.h"
#include "base/cache.h"
#include "base/clock.h"
#include "base/crypto.h"
#include "base/gcra.h"
#include "base/memory.h"
#include "http/rate.h"
#include "keys/keyring.h"

#define RATE_LISTS 256

struct rate_bucket {
	int64_t full; /* gcra.h */
	bool good; /* the database has accepted the key */
};

/*
 * An address that calls with keys of which nothing is known.  Such a call
 * takes a token of the address before it runs, and gives it back unless it is
 * denied: however many guess at once, only so many run as may fail.  Who finds
 * no token left may have a good key all the same, so he waits for what becomes
 * of those that run; he is one too many when none does.
 */
struct rate_stranger {
	LIST_ENTRY(rate_stranger) entry;
	unsigned char address[CACHE_KEY_SIZE];
	size_t running;
	struct rate_queue waiting;
	struct event *decide;
};

LIST_HEAD(rate_list, rate_stranger);

/*
 * A key that an address has been refused with is no new guess: it says nothing
 * that the address does not know.  Such calls take from a bucket of their own,
 * so that a client with a stale key keeps nobody out who has a new one.
 *
 * Only good keys have a bucket: nobody can push them out of the table with
 * keys that he makes up, since he is known by his address.  A good key is let
 * through also from an address that others have used to guess, once it is known
 * here: before that nothing tells it from a guess.
 */
struct rates {
	struct event_base *base;
	struct gcra key;
	struct gcra refused; /* what a refusal takes on top, of a key */
	struct gcra denied;
	struct cache *keys;
	struct cache *addresses;
	struct cache *repeats; /* as addresses, of keys that were refused */
	struct cache *failed; /* addresses with such a key */
	struct rate_list strangers[RATE_LISTS];
	/* Under which nobody can choose addresses that share a set. */
	unsigned char spread[CRYPTO_KEY_SIZE];
};

/*
 * A refusal leaves a row in the audit as any call does, and a key without
 * rights has nothing but refusals: as many as an address may fail at once
 * empty the bucket of the key.
 */
static struct gcra
rate_of_refusals(const struct settings *settings, const struct gcra *key)
{
	struct gcra gcra = *key;
	long calls = settings->key_burst / settings->denied_burst;

	if (settings->denied_rate == 0 || calls < 1)
		calls = 1;
	gcra.interval *= calls - 1;
	return (gcra);
}

struct rates *
rates_new(
    struct event_base *base, const struct settings *settings, size_t entries)
{
	struct rates *rates = memory_new(sizeof(*rates));

	rates->base = base;
	rates->key = gcra_of(settings->key_rate, settings->key_burst);
	rates->denied = gcra_of(settings->denied_rate, settings->denied_burst);
	rates->refused = rate_of_refusals(settings, &rates->key);
	rates->keys = cache_new(entries, sizeof(struct rate_bucket), false);
	rates->addresses =
	    cache_new(entries, sizeof(struct rate_bucket), false);
	rates->repeats = cache_new(entries, sizeof(struct rate_bucket), false);
	rates->failed = cache_new(entries, sizeof(bool), false);
	crypto_random(rates->spread, sizeof(rates->spread));
	return (rates);
}

void
rates_free(struct rates *rates)
{
	if (rates == NULL)
		return;
	cache_free(rates->keys);
	cache_free(rates->addresses);
	cache_free(rates->repeats);
	cache_free(rates->failed);
	memory_free(rates);
}

/* A table forgets, and what it does not know is a full bucket. */
static struct rate_bucket
rate_get(struct cache *cache, const unsigned char *key)
{
	const struct rate_bucket *known = cache_get(cache, key);

	return (known != NULL ? *known : (struct rate_bucket){ .full = 0 });
}

static void
rate_address(const struct rate_call *call, unsigned char *key)
{
	unsigned char network[16] = { 0 }, digest[CRYPTO_SHA256_SIZE];

	address_of_network(call->address, network);
	crypto_hmac_sha256(
	    call->rates->spread, network, sizeof(network), digest);
	memcpy(key, digest, CACHE_KEY_SIZE);
}

/* Under a key of this process, so that memory holds no digest of a key. */
static void
rate_refused_key(const struct rate_call *call, const unsigned char *address,
    unsigned char *key)
{
	unsigned char pair[CACHE_KEY_SIZE + KEYRING_DIGEST_SIZE];
	unsigned char digest[CRYPTO_SHA256_SIZE];

	memcpy(pair, address, CACHE_KEY_SIZE);
	memcpy(pair + CACHE_KEY_SIZE, call->digest, KEYRING_DIGEST_SIZE);
	crypto_hmac_sha256(call->rates->spread, pair, sizeof(pair), digest);
	memcpy(key, digest, CACHE_KEY_SIZE);
}

/* Whether the address has been refused with this key before. */
static bool
rate_is_repeat(const struct rate_call *call, const unsigned char *address)
{
	unsigned char key[CACHE_KEY_SIZE];
	const bool *refused;

	rate_refused_key(call, address, key);
	refused = cache_get(call->rates->failed, key);
	return (refused != NULL && *refused);
}

static void
rate_set_repeat(
    const struct rate_call *call, const unsigned char *address, bool refused)
{
	unsigned char key[CACHE_KEY_SIZE];

	rate_refused_key(call, address, key);
	cache_put(call->rates->failed, key, &refused);
}

static bool
rate_refuse(struct rate_call *call, const struct gcra *gcra)
{
	call->quota = gcra->quota;
	return (false);
}

/* Of a good key: whether it has a token left, which is taken. */
static bool
rate_key(struct rate_call *call, struct rate_bucket *bucket, int64_t now)
{
	struct rates *rates = call->rates;

	if (gcra_is_empty(&rates->key, bucket->full, now))
		return (rate_refuse(call, &rates->key));
	bucket->full = gcra_take(&rates->key, bucket->full, now);
	cache_put(rates->keys, call->digest, bucket);
	return (true);
}

/* Of a key that the address was refused with: the same for all of them. */
static bool
rate_repeat(struct rate_call *call, const unsigned char *address, int64_t now)
{
	struct rates *rates = call->rates;
	struct rate_bucket bucket = rate_get(rates->repeats, address);

	if (gcra_is_empty(&rates->denied, bucket.full, now))
		return (rate_refuse(call, &rates->denied));
	bucket.full = gcra_take(&rates->denied, bucket.full, now);
	cache_put(rates->repeats, address, &bucket);
	call->repeats = true;
	return (true);
}

/* Strangers ---------------------------------------------------------------- */

/* The first byte of a digest spreads well. */
static struct rate_stranger *
rate_stranger_find(struct rates *rates, const unsigned char *address)
{
	struct rate_stranger *stranger;

	LIST_FOREACH (stranger, &rates->strangers[address[0]], entry) {
		if (memcmp(stranger->address, address, CACHE_KEY_SIZE) == 0)
			break;
	}
	return (stranger);
}

static void rate_decide(evutil_socket_t fd, short what, void *arg);

static struct rate_stranger *
rate_stranger_new(struct rates *rates, const unsigned char *address)
{
	struct rate_stranger *stranger = memory_new(sizeof(*stranger));

	memcpy(stranger->address, address, sizeof(stranger->address));
	TAILQ_INIT(&stranger->waiting);
	stranger->decide = event_new(rates->base, -1, 0, rate_decide, stranger);
	LIST_INSERT_HEAD(&rates->strangers[address[0]], stranger, entry);
	return (stranger);
}

static void
rate_stranger_free_unused(struct rate_stranger *stranger)
{
	if (stranger->running > 0 || !TAILQ_EMPTY(&stranger->waiting))
		return;
	LIST_REMOVE(stranger, entry);
	event_free(stranger->decide);
	memory_free(stranger);
}

static bool
rate_address_is_empty(
    struct rates *rates, const unsigned char *address, int64_t now)
{
	struct rate_bucket bucket = rate_get(rates->addresses, address);

	return (gcra_is_empty(&rates->denied, bucket.full, now));
}

static void
rate_address_take(
    struct rates *rates, const unsigned char *address, int64_t now)
{
	struct rate_bucket bucket = rate_get(rates->addresses, address);

	bucket.full = gcra_take(&rates->denied, bucket.full, now);
	cache_put(rates->addresses, address, &bucket);
}

static void
rate_address_give_back(struct rates *rates, const unsigned char *address)
{
	struct rate_bucket bucket = rate_get(rates->addresses, address);

	bucket.full = gcra_give_back(&rates->denied, bucket.full);
	cache_put(rates->addresses, address, &bucket);
}

static void
rate_run(struct rate_call *call, struct rate_stranger *stranger, int64_t now)
{
	rate_address_take(call->rates, stranger->address, now);
	stranger->running++;
	call->stranger = stranger;
}

static void
rate_wait(struct rate_call *call, struct rate_stranger *stranger)
{
	call->stranger = stranger;
	call->waits = true;
	TAILQ_INSERT_TAIL(&stranger->waiting, call, entry);
}

static void
rate_leave_queue(struct rate_call *call)
{
	TAILQ_REMOVE(&call->stranger->waiting, call, entry);
	call->stranger = NULL;
	call->waits = false;
}

/* Of one that waits: whether it still has to, or else whether it may run. */
static bool
rate_waits_on(struct rate_call *call, int64_t now)
{
	struct rates *rates = call->rates;
	struct rate_stranger *stranger = call->stranger;
	struct rate_bucket bucket = rate_get(rates->keys, call->digest);
	bool empty = rate_address_is_empty(rates, stranger->address, now);
	bool repeat = rate_is_repeat(call, stranger->address);

	if (!bucket.good && !repeat && empty && stranger->running > 0)
		return (true);
	rate_leave_queue(call);
	if (bucket.good)
		call->passes = rate_key(call, &bucket, now);
	else if (repeat)
		call->passes = rate_repeat(call, stranger->address, now);
	else if (empty)
		call->passes = rate_refuse(call, &rates->denied);
	else {
		rate_run(call, stranger, now);
		call->passes = true;
	}
	return (false);
}

/* First all are decided, because to go on with one may change the queue. */
static void
rate_decide(evutil_socket_t fd, short what, void *arg)
{
	struct rate_stranger *stranger = arg;
	struct rate_queue decided = TAILQ_HEAD_INITIALIZER(decided);
	int64_t now = clock_microseconds() * 1000;
	struct rate_call *call, *next;

	(void)fd;
	(void)what;
	for (call = TAILQ_FIRST(&stranger->waiting); call != NULL;
	     call = next) {
		next = TAILQ_NEXT(call, entry);
		if (!rate_waits_on(call, now))
			TAILQ_INSERT_TAIL(&decided, call, entry);
	}
	rate_stranger_free_unused(stranger);
	while ((call = TAILQ_FIRST(&decided)) != NULL) {
		TAILQ_REMOVE(&decided, call, entry);
		call->decided(call->owner, call->passes);
	}
}

/* One that ran, or has waited in vain, is no concern of its address's now. */
static void
rate_settle(struct rate_call *call, bool denied)
{
	struct rate_stranger *stranger = call->stranger;
	bool guess;

	if (call->waits)
		rate_leave_queue(call);
	else {
		call->stranger = NULL;
		stranger->running--;
		guess = denied && !rate_is_repeat(call, stranger->address);
		if (guess)
			rate_set_repeat(call, stranger->address, true);
		else
			rate_address_give_back(call->rates, stranger->address);
		if (!guess || stranger->running == 0)
			event_active(stranger->decide, EV_TIMEOUT, 0);
	}
	rate_stranger_free_unused(stranger);
}

/* Requests ----------------------------------------------------------------- */

void
rate_begin(struct rate_call *call)
{
	struct rates *rates = call->rates;
	int64_t now = call->arrived * 1000;
	struct rate_bucket bucket = rate_get(rates->keys, call->digest);
	unsigned char address[CACHE_KEY_SIZE];
	struct rate_stranger *stranger;
	bool empty;

	if (bucket.good)
		return (
		    call->decided(call->owner, rate_key(call, &bucket, now)));
	rate_address(call, address);
	if (rate_is_repeat(call, address))
		return (call->decided(
		    call->owner, rate_repeat(call, address, now)));
	stranger = rate_stranger_find(rates, address);
	empty = rate_address_is_empty(rates, address, now);
	if (stranger == NULL && empty)
		return (call->decided(
		    call->owner, rate_refuse(call, &rates->denied)));
	if (stranger == NULL)
		stranger = rate_stranger_new(rates, address);
	if (empty || !TAILQ_EMPTY(&stranger->waiting))
		return (rate_wait(call, stranger));
	rate_run(call, stranger, now);
	call->decided(call->owner, true);
}

void
rate_accept(struct rate_call *call)
{
	struct rates *rates = call->rates;
	unsigned char address[CACHE_KEY_SIZE];
	struct rate_bucket bucket;

	if (call->stranger == NULL && !call->repeats)
		return;
	bucket = rate_get(rates->keys, call->digest);
	bucket.good = true;
	bucket.full = gcra_take(&rates->key, bucket.full, call->arrived * 1000);
	cache_put(rates->keys, call->digest, &bucket);
	if (call->stranger != NULL)
		return (rate_settle(call, false));
	call->repeats = false;
	rate_address(call, address);
	rate_set_repeat(call, address, false);
}

/*
 * Of a key that is no longer good.  A malformed token comes here as well, and
 * is no guess: the database is not asked about it.
 */
static void
rate_deny(struct rate_call *call)
{
	struct rates *rates = call->rates;
	struct rate_bucket bucket = rate_get(rates->keys, call->digest);
	unsigned char address[CACHE_KEY_SIZE];

	if (!bucket.good)
		return;
	bucket.good = false;
	cache_put(rates->keys, call->digest, &bucket);
	rate_address(call, address);
	rate_set_repeat(call, address, true);
	rate_address_take(rates, address, call->arrived * 1000);
}

static void
rate_charge_refusal(struct rate_call *call)
{
	struct rates *rates = call->rates;
	struct rate_bucket bucket = rate_get(rates->keys, call->digest);

	bucket.full =
	    gcra_take(&rates->refused, bucket.full, call->arrived * 1000);
	cache_put(rates->keys, call->digest, &bucket);
}

void
rate_end(struct rate_call *call, enum rate_outcome outcome)
{
	bool denied = outcome == RATE_DENIED;

	if (outcome == RATE_SERVED || outcome == RATE_REFUSED) {
		rate_accept(call);
		if (outcome == RATE_REFUSED)
			rate_charge_refusal(call);
	} else if (call->stranger != NULL)
		rate_settle(call, denied);
	else if (denied && !call->repeats)
		rate_deny(call);
}
