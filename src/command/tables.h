/*
 * Prints the tables that the daemon works by.
 */
#ifndef COFFER_TABLES_H
#define COFFER_TABLES_H

#include "base/settings.h"

void tables_endpoints(void);
void tables_errors(void);
void tables_settings(void);

/* A settings file with each setting as a comment. */
void tables_example(void);

#define TABLES_RANGE_SIZE 96

/* The range of a setting that is a number, for people; else nothing. */
void tables_range(const struct setting *setting, char range[TABLES_RANGE_SIZE]);

#endif
