/*
 * All that runs, its start and its stop.
 */
#ifndef COFFER_SERVICE_H
#define COFFER_SERVICE_H

#include <event2/event.h>
#include <stdbool.h>

#include "audit/seal.h"
#include "base/settings.h"
#include "base/utf8.h"
#include "db/dsn.h"
#include "db/newest.h"
#include "db/pool.h"
#include "http/rate.h"
#include "http/tls.h"
#include "keys/key_cache.h"
#include "keys/keyring.h"

struct budget;
struct drift;
struct job;
struct json_object;
struct listen;
struct probe;
struct rekey;
struct reload;
struct rotate;
struct watch;

struct service {
	struct settings settings;
	char instance[UTF8_UUID_SIZE]; /* of this run of the daemon */
	struct event_base *base;
	struct keyring *keyring;
	struct newest newest;
	struct key_cache *hints;
	struct dsn *dsn;
	struct pool *pool;
	struct job *job;
	struct rekey *rekey;
	struct rotate *rotate;
	struct rates *rates;
	struct budget *budget;
	struct tls *tls; /* NULL: HTTP is spoken in the clear */
	struct seal *seal;
	struct seal_state audit;
	struct json_object *warnings; /* of the database; NULL: not known */
	struct watch *watch;
	struct drift *check;
	struct probe *probe;
	struct reload *reload;
	struct listen *listen;
	struct listen *scrape; /* NULL: off */
	struct event *open; /* at the latest, the listener opens */
	struct event *drain; /* it is time to close it */
	bool draining;
};

/*
 * Serves until a signal says to stop; takes charge of the settings.  Returns
 * the exit code: 0 after a stop in order, 1 when it could not start, 2 when a
 * setting is at fault, or root keys that the database needs are missing.
 */
int service_run(struct settings *settings);

#endif
