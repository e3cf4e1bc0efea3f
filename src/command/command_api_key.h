/*
 * coffer api-key create: mints an API key, keeps its digest in the database,
 * and shows the key this once.
 */
#ifndef COFFER_COMMAND_API_KEY_H
#define COFFER_COMMAND_API_KEY_H

#include "base/settings.h"

/* Runs the command with what stands after `api-key`; the exit code. */
int command_api_key(struct settings *settings, int argc, char **argv);

#endif
