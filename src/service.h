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
#include "call/call.h"
#include "db/drift.h"
#include "db/newest.h"
#include "http/health.h"
#include "http/http_request.h"
#include "job/background.h"
#include "readiness.h"
#include "reload.h"

struct budget;
struct dsn;
struct job;
struct json_object;
struct key_cache;
struct keyring;
struct listen;
struct long_polls;
struct pool;
struct probe;
struct rates;
struct rekey;
struct rotate;
struct scrape;
struct tls;

struct service {
	struct settings settings;
	char instance[UTF8_UUID_SIZE]; /* of this run of the daemon */
	struct event_base *base;
	bool stopping;

	struct keyring *keyring;
	struct newest newest;
	struct key_cache *key_cache;
	struct dsn *dsn;
	struct pool *pool;
	struct probe *probe;
	struct drift *drift;
	struct job *job;
	struct rekey *rekey;
	struct rotate *rotate;
	struct seal *seal;
	struct seal_state audit; /* as the database said last */
	struct json_object *warnings; /* of the database; NULL: not known */
	struct long_polls *long_polls;
	struct budget *budget;
	struct rates *rates;
	struct tls *tls; /* NULL: HTTP is spoken in the clear */
	struct listen *listen;
	struct scrape *scrape; /* NULL: off */
	struct reload *reload;
	struct event *open; /* at the latest, the listener opens */
	struct event *drain; /* it is time to close it */

	/* What modules are given of the above. */
	struct background_host background;
	struct drift_context drift_context;
	struct seal_context seal_context;
	struct call_context calls;
	struct readiness readiness;
	struct health health;
	struct http_request_context requests;
	struct reload_context reload_context;
};

/*
 * Serves until a signal says to stop; takes charge of the settings.  Returns
 * the exit code: 0 after a stop in order, 1 when it could not start, 2 when a
 * setting is at fault, or root keys that the database needs are missing.
 */
int service_run(struct settings *settings);

#endif
