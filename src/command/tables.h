/*
 * Prints the tables that the daemon works by.
 */
#ifndef COFFER_TABLES_H
#define COFFER_TABLES_H

void tables_endpoints(void);
void tables_errors(void);
void tables_settings(void);

#endif
