/*
 * Reads a wrapped key from a result.
 */
#ifndef COFFER_WRAPPED_H
#define COFFER_WRAPPED_H

#include <libpq-fe.h>
#include <stdbool.h>

#include "keys/keyring.h"

/*
 * Reads the id of the root key, a text, from column, and the wrapped key, a
 * bytea, from the next.  False: one of them has another length; wrapped then
 * has as much of the id as there is, for the log.
 */
bool wrapped_read(const PGresult *result, int row, int column,
    struct keyring_wrapped *wrapped) __attribute__((warn_unused_result));

#endif
