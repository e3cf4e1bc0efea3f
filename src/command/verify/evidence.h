/*
 * What the receipt log says of seals and rows, against those that were found.
 */
#ifndef COFFER_EVIDENCE_H
#define COFFER_EVIDENCE_H

#include "command/verify/verify.h"

/* After the chain and the rows; reports each damage. */
void evidence_verify(struct verify *verify);

#endif
