/*
 * Usage lines and help, of all subcommands and of one.
 */
#ifndef COFFER_SYNOPSIS_H
#define COFFER_SYNOPSIS_H

#include <stdio.h>

#include "command/command.h"

/* The usage line of a subcommand; NULL: that of the program. */
void synopsis_usage(FILE *file, const struct command *command);

/* The help of a subcommand on standard output; NULL: that of the program. */
void synopsis_help(const struct command *command);

#endif
