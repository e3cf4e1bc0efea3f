/*
 * coffer root-key: makes a root key; lists those that daemons have had, makes
 * one active, and retires one.
 */
#ifndef COFFER_COMMAND_ROOT_KEY_H
#define COFFER_COMMAND_ROOT_KEY_H

#include "base/settings.h"

/* Runs the command with what stands after `root-key`; the exit code. */
int command_root_key(const struct settings *settings, int argc, char **argv);

/* The same of `root-key generate`, which needs no settings. */
int command_root_key_generate(int argc, char **argv);

#endif
