/*
 * `coffer audit verify`.
 */
#ifndef COFFER_COMMAND_AUDIT_H
#define COFFER_COMMAND_AUDIT_H

#include "base/settings.h"

/* Returns the exit code: 0 all is sound, 1 damage was found, 2 neither. */
int command_audit(const struct settings *settings, int argc, char **argv);

#endif
