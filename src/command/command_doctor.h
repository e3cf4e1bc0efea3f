/*
 * coffer doctor: every check of a set-up at once, in words.
 */
#ifndef COFFER_COMMAND_DOCTOR_H
#define COFFER_COMMAND_DOCTOR_H

#include "base/settings.h"

/* Returns the exit status: 0 when nothing is wrong, 1 when something is. */
int command_doctor(const struct settings *settings);

#endif
