/*
 * How many file descriptors a daemon may need.
 */
#ifndef COFFER_DESCRIPTORS_H
#define COFFER_DESCRIPTORS_H

#include "base/settings.h"

/* One a client, two a connection to PostgreSQL, and 64 for all else. */
long descriptors_needed(const struct settings *settings);

#endif
