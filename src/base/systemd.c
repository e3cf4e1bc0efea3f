#include <event2/util.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"
#include "base/systemd.h"

#define SYSTEMD_FIRST_SOCKET 3

void
systemd_notify(const char *state)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	socklen_t size;
	int fd;

	if (path == NULL || *path == '\0')
		return;
	if (strlen(path) >= sizeof(address.sun_path)) {
		log_warning("the path of NOTIFY_SOCKET is too long");
		return;
	}
	memcpy(address.sun_path, path, strlen(path));
	size =
	    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
	/* Such a name is in no file system. */
	if (*path == '@')
		address.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 ||
	    sendto(fd, state, strlen(state), MSG_NOSIGNAL,
		(const struct sockaddr *)&address, size) < 0)
		log_warning("unable to notify the service manager");
	if (fd >= 0)
		close(fd);
}

/* A number from the environment, -1 if it is not there. */
static long
systemd_number(const char *name)
{
	const char *text = getenv(name);

	return (text != NULL ? strtol(text, NULL, 10) : -1);
}

static int
systemd_option(int fd, int name)
{
	socklen_t size = sizeof(int);
	int value = 0;

	if (getsockopt(fd, SOL_SOCKET, name, &value, &size) != 0)
		return (0);
	return (value);
}

/* A client has an address, for his rate and for the audit. */
static bool
systemd_listens(int fd)
{
	const int family = systemd_option(fd, SO_DOMAIN);

	return ((family == AF_INET || family == AF_INET6) &&
	    systemd_option(fd, SO_ACCEPTCONN));
}

bool
systemd_socket(int *socket, char *cause, size_t size)
{
	const long count = systemd_number("LISTEN_FDS");

	*socket = -1;
	if (systemd_number("LISTEN_PID") != getpid() || count <= 0)
		return (true);
	if (count != 1 || !systemd_listens(SYSTEMD_FIRST_SOCKET)) {
		snprintf(cause, size,
		    "%ld sockets were passed, not one that listens on an "
		    "address and a port",
		    count);
		return (false);
	}
	*socket = SYSTEMD_FIRST_SOCKET;
	evutil_make_socket_nonblocking(*socket);
	evutil_make_socket_closeonexec(*socket);
	return (true);
}
