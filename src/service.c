#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <uuid/uuid.h>

#include "audit/seal.h"
#include "base/clock.h"
#include "base/descriptors.h"
#include "base/load.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/metrics.h"
#include "base/systemd.h"
#include "call/budget.h"
#include "call/long_poll.h"
#include "db/drift.h"
#include "db/dsn.h"
#include "db/pool.h"
#include "db/probe.h"
#include "http/listen.h"
#include "http/rate.h"
#include "http/scrape.h"
#include "http/tls.h"
#include "job/job.h"
#include "job/rekey.h"
#include "job/rotate.h"
#include "keys/key_cache.h"
#include "keys/keyring.h"
#include "service.h"

#define SERVICE_EXIT_FAILURE 1
#define SERVICE_EXIT_SETTING 2
#define SERVICE_APPLICATION_SIZE 32
#define SERVICE_LOG_DRAIN 2000 /* ms for what is left of the log at the end */

/* As many descriptors as there may be connections, if the system lets us. */
static void
service_raise_descriptors(const struct settings *settings)
{
	const rlim_t needed = (rlim_t)descriptors_needed(settings);
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= needed)
		return;
	limit.rlim_cur = needed < limit.rlim_max ? needed : limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur < needed)
		log_warning("there may be more connections than descriptors",
		    log_number("descriptors", (int64_t)limit.rlim_cur),
		    log_number("needed", (int64_t)needed));
}

static void
service_log_libevent(int severity, const char *text)
{
	if (severity >= EVENT_LOG_WARN)
		log_warning("libevent", log_text("text", text));
}

/* Which setting is at fault is named; its value may be a password. */
static int
service_refuse(const char *setting, const char *cause)
{
	log_error("unable to start", log_text("setting", setting),
	    log_text("cause", cause));
	return (SERVICE_EXIT_SETTING);
}

/*
 * No call is answered 503 just because the first connections are being made.
 * But without a database, /live and /ready have to say so.
 */
static void
service_listen(void *owner)
{
	struct service *service = owner;

	if (service->stopping || listen_is_open(service->listen))
		return;
	evtimer_del(service->open);
	listen_open(service->listen, service->instance);
	systemd_notify("READY=1");
}

static void
service_listen_late(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	service_listen(arg);
}

static void
service_start_timer(struct service *service)
{
	const struct dsn *dsn = service->dsn;
	const long each = dsn->connect_timeout > 0
	    ? dsn->connect_timeout
	    : service->settings.connect_timeout;
	const long all = each * (long)dsn->hosts_count;
	const struct timeval time = clock_timeval(all);

	service->open =
	    evtimer_new(service->base, service_listen_late, service);
	evtimer_add(service->open, &time);
}

/* Wiring ----------------------------------------------------------------- */

static void
service_observed(
    void *owner, const struct seal_state *state, struct json_object *warnings)
{
	struct service *service = owner;

	service->audit = *state;
	json_object_put(service->warnings);
	service->warnings = warnings;
	long_polls_notify(service->long_polls, state->last_change);
}

static size_t
service_memory(void *owner)
{
	const struct service *service = owner;

	return (listen_memory(service->listen));
}

static const char *
service_reason(void *owner)
{
	const struct service *service = owner;

	return (readiness_reason(&service->readiness));
}

static struct json_object *
service_warnings(void *owner)
{
	const struct service *service = owner;

	return (readiness_warnings(&service->readiness));
}

static void
service_look_at_jobs(const struct service *service, struct metrics_now *now)
{
	const struct job_fault *faults[JOB_MAX];
	const size_t count = job_faults(service->job, faults);
	size_t i;

	_Static_assert(JOB_MAX <= METRICS_JOBS, "the page has room for each");
	for (i = 0; i < count; i++) {
		now->jobs[i].name = faults[i]->name;
		now->jobs[i].sqlstate = faults[i]->sqlstate;
		now->jobs[i].times = faults[i]->times;
	}
	now->jobs_count = count;
}

/* What /metrics says beside what is counted. */
static void
service_look(void *owner, struct metrics_now *now)
{
	const struct service *service = owner;
	const struct seal_state *audit = &service->audit;

	now->ready = readiness_reason(&service->readiness) == NULL;
	now->warnings = readiness_warnings(&service->readiness);
	now->audit.known = audit->known;
	now->audit.seal_lag = audit->lag;
	now->audit.unsealed = audit->unsealed;
	now->audit.anchor_lag = audit->anchor_lag;
	now->audit.unanchored = audit->unanchored;
	now->audit.months_ahead = audit->months_ahead;
	service_look_at_jobs(service, now);
	listen_count(service->listen, now);
	pool_count(service->pool, now);
}

/* Start and stop --------------------------------------------------------- */

static void service_drain(evutil_socket_t, short, void *);

static void
service_open_database(struct service *service)
{
	const struct settings *settings = &service->settings;

	service->key_cache = key_cache_new(KEY_CACHE_ENTRIES);
	service->pool =
	    pool_new(service->base, settings, service->dsn, service->keyring,
		&service->newest, service->instance, service_listen, service);
	service->probe = probe_new(service->base, service->pool);
	service->drift_context = (struct drift_context){
		.base = service->base,
		.settings = settings,
		.instance = service->instance,
		.stopping = &service->stopping,
		.dsn = service->dsn,
		.pool = service->pool,
		.keyring = service->keyring,
		.newest = &service->newest,
	};
	service->drift = drift_new(&service->drift_context);
}

static void
service_open_background(struct service *service)
{
	const struct settings *settings = &service->settings;
	const struct background_host *host = &service->background;

	service->background = (struct background_host){
		.base = service->base,
		.pool = service->pool,
		.stopping = &service->stopping,
	};
	service->job = job_new(host, settings->job_interval);
	service->rekey = rekey_new(
	    host, settings->job_interval, service->keyring, service->instance);
	service->rotate =
	    rotate_new(host, settings->job_interval, service->keyring);
	service->long_polls = long_polls_new(service->base);
	service->seal_context = (struct seal_context){
		.host = host,
		.settings = settings,
		.instance = service->instance,
		.keyring = service->keyring,
		.newest = &service->newest,
		.drift = service->drift,
		.observed = service_observed,
		.owner = service,
	};
	service->seal = seal_new(&service->seal_context);
}

static void
service_open_requests(struct service *service)
{
	const struct settings *settings = &service->settings;

	service->rates = rates_new(service->base, settings, RATE_ENTRIES);
	service->budget =
	    budget_new(service->base, (size_t)settings->request_memory,
		&service->stopping, service_memory, service);
	service->calls = (struct call_context){
		.base = service->base,
		.keyring = service->keyring,
		.key_cache = service->key_cache,
		.newest = &service->newest,
		.pool = service->pool,
		.probe = service->probe,
		.long_polls = service->long_polls,
		.deadline = settings->request_deadline,
	};
	service->readiness = (struct readiness){
		.settings = settings,
		.stopping = &service->stopping,
		.pool = service->pool,
		.probe = service->probe,
		.drift = service->drift,
		.job = service->job,
		.audit = &service->audit,
		.warnings = &service->warnings,
	};
	service->health = (struct health){
		.partition = settings->partition,
		.domain = settings->domain,
		.audit = &service->audit,
		.reason = service_reason,
		.warnings = service_warnings,
		.owner = service,
	};
	service->requests = (struct http_request_context){
		.settings = settings,
		.instance = service->instance,
		.stopping = &service->stopping,
		.keyring = service->keyring,
		.health = &service->health,
		.calls = &service->calls,
		.rates = service->rates,
		.budget = service->budget,
	};
}

static int
service_open_listeners(struct service *service)
{
	const struct settings *settings = &service->settings;
	char cause[256] = "";

	if (tls_is_set(settings)) {
		service->tls = tls_new(settings, cause, sizeof(cause));
		if (service->tls == NULL)
			return (service_refuse("tls_certificate", cause));
	}
	service->listen = listen_new(service->base, settings, service->tls,
	    http_request_start, &service->requests, cause, sizeof(cause));
	if (service->listen == NULL) {
		log_error("unable to start", log_text("cause", cause));
		return (SERVICE_EXIT_FAILURE);
	}
	if (settings->metrics_listen == NULL)
		return (0);
	service->scrape = scrape_new(service->base, settings, service_look,
	    service, cause, sizeof(cause));
	if (service->scrape == NULL)
		return (service_refuse("metrics_listen", cause));
	return (0);
}

static void
service_open_reload(struct service *service)
{
	service->reload_context = (struct reload_context){
		.base = service->base,
		.settings = &service->settings,
		.keyring = service->keyring,
		.drift = service->drift,
		.tls = service->tls,
	};
	service->reload = reload_new(&service->reload_context);
}

static int
service_open(struct service *service)
{
	const struct settings *settings = &service->settings;
	char application[SERVICE_APPLICATION_SIZE], cause[256] = "";
	int code;

	if (settings->dsn == NULL)
		return (service_refuse("dsn", "it is not set"));
	/* The first eight digits tell instances apart in pg_stat_activity. */
	snprintf(
	    application, sizeof(application), "coffer/%.8s", service->instance);
	if (settings->proxy_protocol != 0 && settings->trusted_proxies == NULL)
		return (service_refuse(
		    "proxy_protocol", "it needs trusted_proxies"));
	service->dsn = dsn_new(settings->dsn, application);
	if (service->dsn == NULL) {
		dsn_cause(settings->dsn, cause, sizeof(cause));
		return (service_refuse("dsn", cause));
	}
	service->keyring = keyring_new(settings, cause, sizeof(cause));
	if (service->keyring == NULL)
		return (service_refuse("root key", cause));
	service_raise_descriptors(settings);
	service_open_database(service);
	service_open_background(service);
	service_open_requests(service);
	code = service_open_listeners(service);
	if (code != 0)
		return (code);
	service_open_reload(service);
	service_start_timer(service);
	service->drain = evtimer_new(service->base, service_drain, service);
	return (0);
}

static void
service_close(struct service *service)
{
	service->stopping = true;
	/* First the users of a module, then the module. */
	reload_free(service->reload);
	rotate_free(service->rotate);
	rekey_free(service->rekey);
	job_free(service->job);
	seal_free(service->seal);
	drift_free(service->drift);
	scrape_free(service->scrape);
	if (service->open != NULL)
		event_free(service->open);
	if (service->drain != NULL)
		event_free(service->drain);
	pool_close(service->pool);
	/*
	 * It has made its callers answer: these replies go out now.  A request
	 * may still come in, and finds the pool closed.
	 */
	if (service->listen != NULL)
		event_base_loop(service->base, EVLOOP_NONBLOCK);
	listen_free(service->listen);
	probe_free(service->probe);
	pool_free(service->pool);
	tls_free(service->tls);
	rates_free(service->rates);
	budget_free(service->budget);
	long_polls_free(service->long_polls);
	key_cache_free(service->key_cache);
	keyring_free(service->keyring);
	dsn_free(service->dsn);
	json_object_put(service->warnings);
	load_free(&service->settings);
}

static void
service_drained(void *owner)
{
	struct service *service = owner;

	event_base_loopexit(service->base, NULL);
}

static void
service_drain(evutil_socket_t fd, short what, void *arg)
{
	struct service *service = arg;
	const struct timeval time = { service->settings.drain_timeout, 0 };

	(void)fd;
	(void)what;
	event_base_loopexit(service->base, &time);
	listen_drain(service->listen, service_drained, service);
}

/*
 * The first signal lets running requests end, a second one does not.  A
 * balancer has drain_delay to see that /ready says no, and is served until then.
 */
static void
service_stop(evutil_socket_t number, short what, void *arg)
{
	struct service *service = arg;
	struct timeval time = { 0, 0 };

	(void)what;
	log_info("stopping", log_number("signal", number));
	if (service->stopping) {
		event_base_loopbreak(service->base);
		return;
	}
	systemd_notify("STOPPING=1");
	service->stopping = true;
	long_polls_end(service->long_polls);
	if (listen_is_open(service->listen))
		time.tv_sec = service->settings.drain_delay;
	evtimer_add(service->drain, &time);
}

static void
service_reload(evutil_socket_t number, short what, void *arg)
{
	struct service *service = arg;

	(void)number;
	(void)what;
	reload_now(service->reload);
}

static const struct service_signal {
	int number;
	void (*handle)(evutil_socket_t number, short what, void *arg);
} service_signals[] = {
	{ SIGTERM, service_stop },
	{ SIGINT, service_stop },
	{ SIGHUP, service_reload },
};

#define SERVICE_SIGNALS (sizeof(service_signals) / sizeof(service_signals[0]))

static int
service_loop(struct service *service)
{
	struct event *signals[SERVICE_SIGNALS];
	size_t i;
	int code;

	for (i = 0; i < SERVICE_SIGNALS; i++) {
		signals[i] =
		    evsignal_new(service->base, service_signals[i].number,
			service_signals[i].handle, service);
		evsignal_add(signals[i], NULL);
	}
	code =
	    event_base_dispatch(service->base) < 0 ? SERVICE_EXIT_FAILURE : 0;
	if (pool_is_locked_out(service->pool))
		code = service_refuse("root key", pool_fault(service->pool));
	for (i = 0; i < SERVICE_SIGNALS; i++)
		event_free(signals[i]);
	return (code);
}

int
service_run(struct settings *settings)
{
	struct service service;
	uuid_t instance;
	int code;

	memset(&service, 0, sizeof(service));
	service.settings = *settings;
	memset(settings, 0, sizeof(*settings));
	memory_hide();
	memory_guard_libraries();
	event_set_log_callback(service_log_libevent);
	signal(SIGPIPE, SIG_IGN);
	uuid_generate_random(instance);
	uuid_unparse_lower(instance, service.instance);
	service.base = event_base_new();
	log_start(service.base, service.instance);
	log_evidence("starting", log_text("version", PACKAGE_VERSION),
	    log_text("instance", service.instance));

	code = service_open(&service);
	if (code == 0)
		code = service_loop(&service);
	service_close(&service);
	log_evidence("stopped", log_number("code", code),
	    log_text("instance", service.instance));
	log_stop(SERVICE_LOG_DRAIN);
	event_base_free(service.base);
	libevent_global_shutdown();
	return (code);
}
