#include <errno.h>
#include <sys/socket.h>

#include "base/memory.h"
#include "http/proxy_socket.h"

struct proxy_socket {
	struct event *event;
	unsigned char bytes[PROXY_SIZE_MAX];
	size_t size;
	proxy_socket_done *done;
	void *arg;
};

static void
proxy_socket_end(struct proxy_socket *reader, enum proxy_state state,
    const struct proxy *proxy)
{
	event_del(reader->event);
	reader->done(reader->arg, state, proxy);
}

/* Peeks first, because only the header says how many bytes are its own. */
static void
proxy_socket_read(evutil_socket_t fd, short what, void *arg)
{
	struct proxy_socket *reader = arg;
	unsigned char *next = reader->bytes + reader->size;
	struct proxy proxy;
	enum proxy_state state;
	ssize_t size;

	(void)what;
	size = recv(fd, next, sizeof(reader->bytes) - reader->size, MSG_PEEK);
	if (size < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (size <= 0)
		return (proxy_socket_end(reader, PROXY_MORE, NULL));
	state = proxy_read(reader->bytes, reader->size + (size_t)size, &proxy);
	if (state == PROXY_WHOLE)
		size = (ssize_t)(proxy.size - reader->size);
	if (state == PROXY_FAULT || recv(fd, next, (size_t)size, 0) != size)
		return (proxy_socket_end(reader, PROXY_FAULT, NULL));
	reader->size += (size_t)size;
	if (state == PROXY_WHOLE)
		proxy_socket_end(reader, PROXY_WHOLE, &proxy);
}

struct proxy_socket *
proxy_socket_new(struct event_base *base, evutil_socket_t fd,
    proxy_socket_done *done, void *arg)
{
	struct proxy_socket *reader = memory_new(sizeof(*reader));

	reader->done = done;
	reader->arg = arg;
	reader->event = event_new(
	    base, fd, EV_READ | EV_PERSIST, proxy_socket_read, reader);
	event_add(reader->event, NULL);
	return (reader);
}

void
proxy_socket_free(struct proxy_socket *reader)
{
	if (reader == NULL)
		return;
	event_free(reader->event);
	memory_free(reader);
}
