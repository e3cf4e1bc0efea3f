/*
 * coffer root-key generate FILE
 */
#ifndef COFFER_COMMAND_ROOT_KEY_H
#define COFFER_COMMAND_ROOT_KEY_H

/* Runs the command with what stands after `root-key`; the exit code. */
int command_root_key(int argc, char **argv);

#endif
