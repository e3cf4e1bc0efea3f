#include <stdio.h>

#include "base/log.h"
#include "base/memory.h"
#include "db/drift.h"
#include "keys/root_key_command.h"
#include "keys/root_key_source.h"
#include "reload.h"
#include "service.h"

struct reload {
	struct service *service;
	struct root_key_command *command; /* NULL: none has been run */
};

static void
reload_certificate(struct service *service)
{
	char cause[256] = "";

	if (service->tls == NULL)
		return;
	if (tls_reload(service->tls, &service->settings, cause, sizeof(cause)))
		log_info("certificate reloaded");
	else
		log_error("unable to reload the certificate, the old one stays",
		    log_text("cause", cause));
}

/* Whether they fit is for the database to say. */
static void
reload_root_keys(
    struct service *service, const struct root_keys *keys, const char *cause)
{
	if (keys != NULL)
		keyring_offer(service->keyring, keys);
	else
		log_error("unable to load root keys, the old ones stay",
		    log_text("cause", cause));
	drift_now(service->check);
}

static void
reload_said(void *owner, const struct root_keys *keys, const char *cause)
{
	struct reload *reload = owner;
	char said[256];

	snprintf(said, sizeof(said), "root_key_command: %s",
	    cause == NULL ? "" : cause);
	reload_root_keys(reload->service, keys, said);
}

static void
reload_source(struct service *service)
{
	struct root_keys *keys = memory_new_locked(sizeof(*keys));
	char cause[256] = "";
	bool loaded = root_key_source_load(
	    &service->settings, keys, cause, sizeof(cause));

	reload_root_keys(service, loaded ? keys : NULL, cause);
	memory_free_locked(keys, sizeof(*keys));
}

void
reload_now(struct reload *reload)
{
	struct service *service = reload->service;
	const struct settings *settings = &service->settings;

	reload_certificate(service);
	root_key_command_free(reload->command);
	reload->command = NULL;
	if (settings->root_key_command != NULL)
		reload->command = root_key_command_new(service->base,
		    settings->root_key_command,
		    settings->root_key_command_timeout, reload_said, reload);
	else
		reload_source(service);
}

struct reload *
reload_new(struct service *service)
{
	struct reload *reload = memory_new(sizeof(*reload));

	reload->service = service;
	return (reload);
}

void
reload_free(struct reload *reload)
{
	if (reload == NULL)
		return;
	root_key_command_free(reload->command);
	memory_free(reload);
}
