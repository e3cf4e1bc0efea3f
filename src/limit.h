/*
 * What a request must keep to before it is looked at.
 */
#ifndef COFFER_LIMIT_H
#define COFFER_LIMIT_H

#include <stdbool.h>

struct request;

/* Checks the sizes; false: 413 or 431. */
bool limit_request(struct request *request) __attribute__((warn_unused_result));

#endif
