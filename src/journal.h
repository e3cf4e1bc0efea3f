/*
 * Syslog, in a module of its own: its names are those of log.h.
 */
#ifndef COFFER_JOURNAL_H
#define COFFER_JOURNAL_H

#include <stddef.h>

/* Writes a line of JSON as a notice of facility authpriv. */
void journal_write(const char *line, size_t size);

#endif
