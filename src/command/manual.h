/*
 * The manual pages, in roff, from the tables of commands and settings.
 */
#ifndef COFFER_MANUAL_H
#define COFFER_MANUAL_H

#include <stdbool.h>

/* Prints coffer.1 or coffer.conf.5; false: there is no such page. */
bool manual_print(const char *page) __attribute__((warn_unused_result));

#endif
