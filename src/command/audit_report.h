/*
 * What a verification of the audit has found, in sentences.
 */
#ifndef COFFER_AUDIT_REPORT_H
#define COFFER_AUDIT_REPORT_H

#include <stdbool.h>

#include "command/verify/verify.h"

/* Prints a summary on standard error; whether there was no damage. */
bool audit_report(const struct verify *verify);

#endif
