/*
 * The table of subcommands.
 */
#ifndef COFFER_COMMANDS_H
#define COFFER_COMMANDS_H

#include "command/command.h"

extern const struct command commands_table[];
extern const size_t commands_count;

/* The options that stand before a subcommand; the last has no name. */
extern const struct command_option commands_options[];

#endif
