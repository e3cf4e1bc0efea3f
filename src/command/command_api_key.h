/*
 * coffer api-key create: mints an API key, keeps its digest in the database,
 * and shows the key this once.
 */
#ifndef COFFER_COMMAND_API_KEY_H
#define COFFER_COMMAND_API_KEY_H

#include "command/command.h"

int command_api_key_create(struct command_run *run);

#endif
