/*
 * Where root keys come from: a file, a credential of systemd, a command, or,
 * for a try-out, the environment.  Exactly one of them is set.
 */
#ifndef COFFER_ROOT_KEY_SOURCE_H
#define COFFER_ROOT_KEY_SOURCE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/settings.h"
#include "keys/root_key.h"

/*
 * Reads the keys into memory fit for keys, and waits for a command.  On false cause, of at least 256
 * bytes, begins with the setting at fault and never says what it held.
 */
bool
root_key_source_load(const struct settings *settings, struct root_keys *keys,
    char *cause, size_t size) __attribute__((warn_unused_result));

#endif
