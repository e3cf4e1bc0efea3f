/*
 * coffer recover: reads values out of a restored backup, with the root key
 * and without anything else of Coffer running.
 */
#ifndef COFFER_COMMAND_RECOVER_H
#define COFFER_COMMAND_RECOVER_H

#include "command/command.h"

int command_recover(struct command_run *run);

#endif
