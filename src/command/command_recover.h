/*
 * coffer recover: reads values out of a restored backup, with the root key
 * and without anything else of Coffer running.
 */
#ifndef COFFER_COMMAND_RECOVER_H
#define COFFER_COMMAND_RECOVER_H

#include "base/settings.h"

/* Runs the command with what stands after `recover`; the exit code. */
int command_recover(const struct settings *settings, int argc, char **argv);

#endif
