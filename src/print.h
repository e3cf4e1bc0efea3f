/*
 * Prints the tables that the daemon works by.
 */
#ifndef COFFER_PRINT_H
#define COFFER_PRINT_H

void print_endpoints(void);
void print_errors(void);
void print_settings(void);

#endif
