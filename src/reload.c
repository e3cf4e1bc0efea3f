#include <stdio.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/settings.h"
#include "db/drift.h"
#include "http/tls.h"
#include "keys/keyring.h"
#include "keys/root_key.h"
#include "keys/root_key_command.h"
#include "keys/root_key_source.h"
#include "reload.h"

struct reload {
	const struct reload_context *context;
	struct root_key_command *command; /* NULL: none has been run */
};

static void
reload_certificate(const struct reload_context *context)
{
	char cause[256] = "";

	if (context->tls == NULL)
		return;
	if (tls_reload(context->tls, context->settings, cause, sizeof(cause)))
		log_info("certificate reloaded");
	else
		log_error("unable to reload the certificate, the old one stays",
		    log_text("cause", cause));
}

/* Whether they fit is for the database to say. */
static void
reload_root_keys(const struct reload_context *context,
    const struct root_keys *keys, const char *cause)
{
	if (keys != NULL)
		keyring_offer(context->keyring, keys);
	else
		log_error("unable to load root keys, the old ones stay",
		    log_text("cause", cause));
	drift_now(context->drift);
}

static void
reload_said(void *owner, const struct root_keys *keys, const char *cause)
{
	struct reload *reload = owner;
	char said[256];

	snprintf(said, sizeof(said), "root_key_command: %s",
	    cause == NULL ? "" : cause);
	reload_root_keys(reload->context, keys, said);
}

static void
reload_source(const struct reload_context *context)
{
	struct root_keys *keys = memory_new_locked(sizeof(*keys));
	char cause[256] = "";
	bool loaded =
	    root_key_source_load(context->settings, keys, cause, sizeof(cause));

	reload_root_keys(context, loaded ? keys : NULL, cause);
	memory_free_locked(keys, sizeof(*keys));
}

void
reload_now(struct reload *reload)
{
	const struct reload_context *context = reload->context;
	const struct settings *settings = context->settings;

	reload_certificate(context);
	root_key_command_free(reload->command);
	reload->command = NULL;
	if (settings->root_key_command != NULL)
		reload->command = root_key_command_new(context->base,
		    settings->root_key_command,
		    settings->root_key_command_timeout, reload_said, reload);
	else
		reload_source(context);
}

struct reload *
reload_new(const struct reload_context *context)
{
	struct reload *reload = memory_new(sizeof(*reload));

	reload->context = context;
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
