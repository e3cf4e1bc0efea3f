#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "address.h"
#include "cache.h"
#include "crypto.h"
#include "memory.h"
#include "rate.h"
#include "request.h"
#include "service.h"

#define RATE_SECOND INT64_C(1000000000) /* in nanoseconds */
#define RATE_UNAUTHENTICATED 401

/*
 * A bucket of tokens, kept as one number: the time at which it is full again.
 * A request moves that by the interval, and is one too many when the time lies
 * further ahead than a whole bucket takes.
 */
struct rate {
	long quota; /* requests a second; 0: any number */
	int64_t interval;
	int64_t whole;
};

struct rate_bucket {
	int64_t full;
	bool good; /* the database has accepted the key */
};

/*
 * Only good keys have a bucket: nobody can push them out of the table with
 * keys that he makes up, since he is known by his address.  A good key is let
 * through also from an address that others have used to guess.
 */
struct rates {
	struct rate key;
	struct rate denied;
	struct cache *keys;
	struct cache *addresses;
	/* Under which nobody can choose addresses that share a set. */
	unsigned char spread[CRYPTO_KEY_SIZE];
};

static struct rate
rate_of(long quota, long burst)
{
	struct rate rate = { .quota = quota };

	if (quota > 0) {
		rate.interval = RATE_SECOND / quota;
		rate.whole = rate.interval * burst;
	}
	return (rate);
}

struct rates *
rates_new(const struct settings *settings)
{
	struct rates *rates = memory_new(sizeof(*rates));

	rates->key = rate_of(settings->key_rate, settings->key_burst);
	rates->denied = rate_of(settings->denied_rate, settings->denied_burst);
	rates->keys = cache_new(
	    (size_t)settings->rate_cache, sizeof(struct rate_bucket), false);
	rates->addresses = cache_new(
	    (size_t)settings->rate_cache, sizeof(struct rate_bucket), false);
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
	memory_free(rates);
}

static bool
rate_is_empty(
    const struct rate *rate, const struct rate_bucket *bucket, int64_t now)
{
	return (rate->quota > 0 &&
	    bucket->full + rate->interval > now + rate->whole);
}

/* Failures that nobody asked about empty a bucket, and no more than that. */
static void
rate_take(const struct rate *rate, struct rate_bucket *bucket, int64_t now)
{
	if (bucket->full < now)
		bucket->full = now;
	bucket->full += rate->interval;
	if (bucket->full > now + rate->whole)
		bucket->full = now + rate->whole;
}

/* A table forgets, and what it does not know is a full bucket. */
static struct rate_bucket
rate_get(struct cache *cache, const unsigned char *key)
{
	const struct rate_bucket *known = cache_get(cache, key);

	return (known != NULL ? *known : (struct rate_bucket){ .full = 0 });
}

static void
rate_address(const struct request *request, unsigned char *key)
{
	unsigned char network[16] = { 0 }, digest[CRYPTO_SHA256_SIZE];

	address_of_network(request->ip, network);
	crypto_hmac_sha256(
	    request->service->rates->spread, network, sizeof(network), digest);
	memcpy(key, digest, CACHE_KEY_SIZE);
}

static bool
rate_refuse(struct request *request, const struct rate *rate)
{
	char quota[24];

	snprintf(quota, sizeof(quota), "%ld", rate->quota);
	return (request_refuse_saying(request, ERROR_TOO_MANY, quota));
}

bool
rate_request(struct request *request)
{
	struct rates *rates = request->service->rates;
	int64_t now = request->arrived * 1000;
	struct rate_bucket bucket = rate_get(rates->keys, request->digest);
	unsigned char address[CACHE_KEY_SIZE];

	if (bucket.good) {
		if (rate_is_empty(&rates->key, &bucket, now))
			return (rate_refuse(request, &rates->key));
		rate_take(&rates->key, &bucket, now);
		cache_put(rates->keys, request->digest, &bucket);
		return (true);
	}
	rate_address(request, address);
	bucket = rate_get(rates->addresses, address);
	if (rate_is_empty(&rates->denied, &bucket, now))
		return (rate_refuse(request, &rates->denied));
	return (true);
}

void
rate_outcome(struct request *request)
{
	struct rates *rates = request->service->rates;
	int64_t now = request->arrived * 1000;
	unsigned char address[CACHE_KEY_SIZE];
	struct rate_bucket bucket = rate_get(rates->keys, request->digest);
	bool good = request->status != RATE_UNAUTHENTICATED;

	/* The database has the say; a key that was good may be no longer. */
	if (request->has_receipt && good != bucket.good) {
		bucket.good = good;
		cache_put(rates->keys, request->digest, &bucket);
	}
	if (!good) {
		rate_address(request, address);
		bucket = rate_get(rates->addresses, address);
		rate_take(&rates->denied, &bucket, now);
		cache_put(rates->addresses, address, &bucket);
	}
}
