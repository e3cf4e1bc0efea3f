/*
 * Completion of the command line in shells, from the table of commands.
 */
#ifndef COFFER_COMPLETION_H
#define COFFER_COMPLETION_H

#include <stdbool.h>

/* Prints the completion for bash or zsh; false: for no other shell. */
bool completion_print(const char *shell) __attribute__((warn_unused_result));

#endif
