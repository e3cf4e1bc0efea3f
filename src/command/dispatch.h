/*
 * Finds the subcommand that a command line is for, and answers --help.
 */
#ifndef COFFER_DISPATCH_H
#define COFFER_DISPATCH_H

#include "command/command.h"

/*
 * Reads the words after the options of the program: at least one.  True: run
 * is that of a subcommand whose options and operands are of its form.  False:
 * help or what is wrong was printed, and code is the exit status.
 */
bool dispatch_find(struct command_run *run, int argc, char **argv, int *code)
    __attribute__((warn_unused_result));

#endif
