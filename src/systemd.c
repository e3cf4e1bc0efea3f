#include <event2/util.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "log.h"
#include "systemd.h"

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

static bool
systemd_listens(int fd)
{
	socklen_t size = sizeof(int);
	int listens = 0;

	return (
	    getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) == 0 &&
	    listens);
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
		    "%ld sockets were passed, not one that listens", count);
		return (false);
	}
	*socket = SYSTEMD_FIRST_SOCKET;
	evutil_make_socket_nonblocking(*socket);
	evutil_make_socket_closeonexec(*socket);
	return (true);
}

bool
systemd_is_credential(const char *path)
{
	const char *directory = getenv("CREDENTIALS_DIRECTORY");
	size_t size = directory != NULL ? strlen(directory) : 0;

	return (size > 0 && strncmp(path, directory, size) == 0 &&
	    path[size] == '/' && strchr(path + size + 1, '/') == NULL);
}
