/*
 * Syslog, in a module of its own: its names are those of log.h.  The C library
 * does not say whether a message was taken, so this does without it.
 */
#ifndef COFFER_JOURNAL_H
#define COFFER_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Writes a line of JSON as a notice of facility authpriv.  False: nobody has
 * taken it; it does not wait for anybody.
 */
bool journal_write(const char *line, size_t size)
    __attribute__((warn_unused_result));

#endif
