/*
 * The rows of the audit against their seals: each row has its own hash, and
 * each seal the hashes of its rows.
 */
#ifndef COFFER_ROWS_H
#define COFFER_ROWS_H

#include "command/verify/verify.h"

/*
 * Verifies the rows of audit.event by epoch, xid and id, against audit.seal by
 * epoch, xid_from, xid_to and month; after the chain.  Reports each damage.
 */
void
rows_verify(struct verify *verify, struct pgcopy *seals, struct pgcopy *events);

#endif
