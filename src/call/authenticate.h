/*
 * From the token of a request to the digest that the database knows.
 */
#ifndef COFFER_AUTHENTICATE_H
#define COFFER_AUTHENTICATE_H

#include <stdbool.h>

struct request;

/*
 * Sets the digest and wipes the token, which goes no further; whose it is,
 * is the database's to say.  False: 401, or 503 while there is no pepper.
 */
bool authenticate_request(struct request *request)
    __attribute__((warn_unused_result));

#endif
