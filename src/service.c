#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <uuid/uuid.h>

#include "audit/seal.h"
#include "base/load.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/systemd.h"
#include "call/budget.h"
#include "call/watch.h"
#include "db/drift.h"
#include "db/job.h"
#include "db/probe.h"
#include "http/listen.h"
#include "http/scrape.h"
#include "keys/rekey.h"
#include "keys/rotate.h"
#include "reload.h"
#include "service.h"

#define SERVICE_EXIT_FAILURE 1
#define SERVICE_EXIT_SETTING 2
#define SERVICE_APPLICATION_SIZE 32
#define SERVICE_LOG_DRAIN 2000 /* ms for what is left of the log at the end */
#define SERVICE_DESCRIPTORS 64 /* for all else, /metrics included */

/*
 * No core file, and no other process of the same user, gets to see a key: but
 * for a build with --enable-debug, which says so in each log.
 */
static void
service_hide(void)
{
#ifdef COFFER_DEBUG
	log_warning("built for debugging: debuggers see keys");
#else
	const struct rlimit none = { 0, 0 };

	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0 ||
	    setrlimit(RLIMIT_CORE, &none) != 0)
		log_warning("unable to forbid core files");
#endif
}

/* As many descriptors as there may be connections, if the system lets us. */
static void
service_raise_descriptors(const struct settings *settings)
{
	const rlim_t needed = (rlim_t)settings->max_connections +
	    (rlim_t)settings->pool_size * 2 + SERVICE_DESCRIPTORS;
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
 * Nobody is answered 503 just because connections are still being made; but
 * when there is no database, /live and /ready have to say so.
 */
static void
service_listen(void *owner)
{
	struct service *service = owner;

	if (service->draining || listen_is_open(service->listen))
		return;
	evtimer_del(service->open);
	listen_open(service->listen);
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
	const struct timeval time = { all / 1000, all % 1000 * 1000 };

	service->open =
	    evtimer_new(service->base, service_listen_late, service);
	evtimer_add(service->open, &time);
}

static void service_drain(evutil_socket_t, short, void *);

static int
service_open(struct service *service)
{
	const struct settings *settings = &service->settings;
	char application[SERVICE_APPLICATION_SIZE], cause[256] = "";

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
	service->hints = key_cache_new(KEY_CACHE_ENTRIES);
	service->pool =
	    pool_new(service->base, settings, service->dsn, service->keyring,
		&service->newest, service->instance, service_listen, service);
	service->job = job_new(service);
	service->rekey = rekey_new(service);
	service->rotate = rotate_new(service);
	service->rates = rates_new(settings, RATE_ENTRIES);
	service->budget = budget_new(service);
	if (tls_is_set(settings)) {
		service->tls = tls_new(settings, cause, sizeof(cause));
		if (service->tls == NULL)
			return (service_refuse("tls_certificate", cause));
	}
	service_raise_descriptors(settings);
	service->seal = seal_new(service);
	service->watch = watch_new();
	service->check = drift_new(service);
	service->probe = probe_new(service);
	service->reload = reload_new(service);
	service->listen = listen_new(service, cause, sizeof(cause));
	if (service->listen == NULL) {
		log_error("unable to start", log_text("cause", cause));
		return (SERVICE_EXIT_FAILURE);
	}
	service_start_timer(service);
	service->drain = evtimer_new(service->base, service_drain, service);
	if (settings->metrics_listen != NULL) {
		service->scrape = scrape_new(service, cause, sizeof(cause));
		if (service->scrape == NULL)
			return (service_refuse("metrics_listen", cause));
	}
	return (0);
}

static void
service_close(struct service *service)
{
	service->draining = true;
	/* First who uses something, then what is used. */
	reload_free(service->reload);
	drift_free(service->check);
	rotate_free(service->rotate);
	rekey_free(service->rekey);
	job_free(service->job);
	seal_free(service->seal);
	listen_free(service->scrape);
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
	watch_free(service->watch);
	key_cache_free(service->hints);
	keyring_free(service->keyring);
	dsn_free(service->dsn);
	load_free(&service->settings);
}

static void
service_drained(struct service *service)
{
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
	listen_drain(service->listen, service_drained);
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
	if (service->draining) {
		event_base_loopbreak(service->base);
		return;
	}
	systemd_notify("STOPPING=1");
	service->draining = true;
	watch_end(service->watch);
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
	service_hide();
	memory_guard_libraries();
	event_set_log_callback(service_log_libevent);
	signal(SIGPIPE, SIG_IGN);
	uuid_generate_random(instance);
	uuid_unparse_lower(instance, service.instance);
	service.base = event_base_new();
	log_start(service.base);
	log_witness("starting", log_text("version", PACKAGE_VERSION),
	    log_text("instance", service.instance));

	code = service_open(&service);
	if (code == 0)
		code = service_loop(&service);
	service_close(&service);
	log_witness("stopped", log_number("code", code),
	    log_text("instance", service.instance));
	log_stop(SERVICE_LOG_DRAIN);
	event_base_free(service.base);
	libevent_global_shutdown();
	return (code);
}
