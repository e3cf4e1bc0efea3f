/*
 * coffer doctor: every check of a set-up at once, in words.
 */
#ifndef COFFER_COMMAND_DOCTOR_H
#define COFFER_COMMAND_DOCTOR_H

#include "command/command.h"

int command_doctor(struct command_run *run);

#endif
