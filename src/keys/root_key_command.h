/*
 * A command that prints root keys, run on the loop: what else runs there goes
 * on meanwhile.
 */
#ifndef COFFER_ROOT_KEY_COMMAND_H
#define COFFER_ROOT_KEY_COMMAND_H

#include <event2/event.h>

#include "keys/root_key.h"

struct root_key_command;

/*
 * Runs it without a shell, for that many seconds at most.  done is called once
 * from the loop, with the keys, in memory fit for keys and only for that call,
 * or with NULL and the cause, which never says what the command has said.
 */
struct root_key_command *
root_key_command_new(struct event_base *base, const char *command, long seconds,
    void (*done)(void *owner, const struct root_keys *keys, const char *cause),
    void *owner);

/* Ends it, and all that it has started, when it still runs; takes NULL. */
void root_key_command_free(struct root_key_command *command);

#endif
