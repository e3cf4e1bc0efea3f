/*
 * coffer root-key: makes a root key; lists those that daemons have had, makes
 * one active, and retires one.
 */
#ifndef COFFER_COMMAND_ROOT_KEY_H
#define COFFER_COMMAND_ROOT_KEY_H

#include "command/command.h"

int command_root_key_generate(struct command_run *run);
int command_root_key_list(struct command_run *run);
int command_root_key_activate(struct command_run *run);
int command_root_key_retire(struct command_run *run);

#endif
