#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "audit/journal.h"

#define JOURNAL_PATH "/dev/log"
#define JOURNAL_SIZE 2048

/* As the C library writes to it: RFC 3164, in local time and without a host. */
bool
journal_write(const char *line, size_t size)
{
	const struct sockaddr_un address = { .sun_family = AF_UNIX,
		.sun_path = JOURNAL_PATH };
	char message[JOURNAL_SIZE], now[32];
	time_t seconds = time(NULL);
	struct tm local;
	bool taken = false;
	int length, socket_fd;

	localtime_r(&seconds, &local);
	strftime(now, sizeof(now), "%h %e %T", &local);
	length = snprintf(message, sizeof(message), "<%d>%s coffer[%d]: %.*s",
	    LOG_AUTHPRIV | LOG_NOTICE, now, (int)getpid(), (int)size, line);
	if (length < 0 || (size_t)length >= sizeof(message))
		return (false);
	socket_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (socket_fd < 0)
		return (false);
	taken =
	    sendto(socket_fd, message, (size_t)length,
		MSG_DONTWAIT | MSG_NOSIGNAL, (const struct sockaddr *)&address,
		sizeof(address)) == length;
	close(socket_fd);
	return (taken);
}
