/*
 * The chain of seals: hashes, links, signatures, and the anchors of seals.
 */
#ifndef COFFER_CHAIN_H
#define COFFER_CHAIN_H

#include "command/verify/verify.h"

/* Verifies the rows of audit.seal by no; reports each damage. */
void chain_verify(struct verify *verify, struct pgcopy *seals);

#endif
