/*
 * `coffer audit verify`.
 */
#ifndef COFFER_COMMAND_AUDIT_H
#define COFFER_COMMAND_AUDIT_H

#include "command/command.h"

int command_audit_verify(struct command_run *run);

#endif
