/*
 * coffer health: asks the daemon of the settings whether it is ready.
 */
#ifndef COFFER_COMMAND_HEALTH_H
#define COFFER_COMMAND_HEALTH_H

#include "command/command.h"

/* 0: it is ready; 1: it is not, does not answer or is not there. */
int command_health(struct command_run *run);

#endif
