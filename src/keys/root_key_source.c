#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "keys/root_key_command.h"
#include "keys/root_key_source.h"

#define SOURCE_PATH_SIZE 4096

/* Files ---------------------------------------------------------------------- */

/* Systemd gives a service a directory that nobody else can look into. */
static bool
source_credential(
    const char *name, struct root_keys *keys, char *cause, size_t size)
{
	const char *directory = getenv("CREDENTIALS_DIRECTORY");
	char path[SOURCE_PATH_SIZE];
	int length;

	if (directory == NULL) {
		snprintf(cause, size,
		    "systemd gives no credentials: use LoadCredential=");
		return (false);
	}
	length = snprintf(path, sizeof(path), "%s/%s", directory, name);
	if (length < 0 || (size_t)length >= sizeof(path) ||
	    strchr(name, '/') != NULL) {
		snprintf(cause, size, "it is not the name of a credential");
		return (false);
	}
	return (root_key_load_credential(path, keys, cause, size));
}

/* A command -------------------------------------------------------------------- */

struct source_said {
	struct root_keys *keys;
	bool loaded;
	char *cause;
	size_t size;
};

static void
source_hear(void *owner, const struct root_keys *keys, const char *cause)
{
	struct source_said *said = owner;

	said->loaded = keys != NULL;
	if (keys != NULL)
		*said->keys = *keys;
	else
		snprintf(said->cause, said->size, "%s", cause);
}

/* On a loop of its own, which ends with it. */
static bool
source_command(const char *command, long seconds, struct root_keys *keys,
    char *cause, size_t size)
{
	struct source_said said = { keys, false, cause, size };
	struct event_base *base = event_base_new();
	struct root_key_command *run =
	    root_key_command_new(base, command, seconds, source_hear, &said);

	event_base_dispatch(base);
	root_key_command_free(run);
	event_base_free(base);
	return (said.loaded);
}

/* The environment ------------------------------------------------------------ */

static bool
source_text(const char *value, struct root_keys *keys, char *cause, size_t size)
{
	char *text = memory_copy(value), *comma;
	bool loaded;

	for (comma = text; (comma = strchr(comma, ',')) != NULL;)
		*comma = '\n';
	loaded = root_key_parse(text, keys, cause, size);
	memory_wipe_free(text, strlen(value));
	return (loaded);
}

/* ---------------------------------------------------------------------------- */

bool
root_key_source_load(const struct settings *settings, struct root_keys *keys,
    char *cause, size_t size)
{
	const struct {
		const char *name;
		const char *value;
	} sources[] = {
		{ "root_key_file", settings->root_key_file },
		{ "root_key_credential", settings->root_key_credential },
		{ "root_key_command", settings->root_key_command },
		{ "root_keys", settings->root_keys },
	};
	const char *name = NULL, *value = NULL;
	char why[160] = "";
	bool loaded = false;
	size_t i;

	for (i = 0; i < sizeof(sources) / sizeof(sources[0]); i++) {
		if (sources[i].value == NULL)
			continue;
		if (name != NULL) {
			snprintf(cause, size, "%s: %s is set too", name,
			    sources[i].name);
			return (false);
		}
		name = sources[i].name;
		value = sources[i].value;
	}
	if (name == NULL) {
		snprintf(cause, size,
		    "root_key_file: it is not set, nor is "
		    "root_key_credential or root_key_command");
		return (false);
	}
	if (value == settings->root_key_file)
		loaded = root_key_load(value, keys, why, sizeof(why));
	else if (value == settings->root_key_credential)
		loaded = source_credential(value, keys, why, sizeof(why));
	else if (value == settings->root_key_command)
		loaded = source_command(value,
		    settings->root_key_command_timeout, keys, why, sizeof(why));
	else if (settings->insecure_root_key_env)
		loaded = source_text(value, keys, why, sizeof(why));
	else
		snprintf(why, sizeof(why),
		    "root keys in the environment are for a try-out: "
		    "--insecure-root-key-env allows it");
	if (!loaded)
		snprintf(cause, size, "%s: %s", name, why);
	return (loaded);
}
