/*
 * coffer restore: writes secrets that `coffer recover` has printed back into
 * the live database.
 */
#ifndef COFFER_COMMAND_RESTORE_H
#define COFFER_COMMAND_RESTORE_H

#include "command/command.h"

int command_restore(struct command_run *run);

#endif
