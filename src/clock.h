/*
 * The time that no setting of the system's clock disturbs.
 */
#ifndef COFFER_CLOCK_H
#define COFFER_CLOCK_H

#include <stdint.h>

/* Microseconds since some moment in the past. */
int64_t clock_microseconds(void);

#endif
