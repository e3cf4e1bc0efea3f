/*
 * What the daemon and the service manager that starts it say to each other.
 * Without one, none of this does anything.
 */
#ifndef COFFER_SYSTEMD_H
#define COFFER_SYSTEMD_H

#include <stdbool.h>
#include <stddef.h>

/* Says how the daemon is: "READY=1", "STOPPING=1". */
void systemd_notify(const char *state);

/*
 * The listening socket of IPv4 or IPv6 that was passed to this process, -1:
 * none was.  False and a cause: what was passed is no such socket, or more than
 * one.
 */
bool systemd_socket(int *socket, char *cause, size_t size)
    __attribute__((warn_unused_result));

#endif
