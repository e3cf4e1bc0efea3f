#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/bigendian.h"
#include "http/proxy.h"

/* Version 1 is one line of text. */
#define PROXY_1 "PROXY "
#define PROXY_1_SIZE_MAX 107
#define PROXY_PORT_DIGITS 5
#define PROXY_PORT_MAX 65535

/* Version 2 is binary: this, version and command, family, length, the rest. */
#define PROXY_2 "\r\n\r\n\0\r\nQUIT\n"
#define PROXY_2_SIZE 12
#define PROXY_2_HEAD 16
#define PROXY_2_LOCAL 0x20
#define PROXY_2_PROXY 0x21

/* Families of version 2, with their transport; none of UDP comes by TCP. */
#define PROXY_UNKNOWN 0x00
#define PROXY_IPV4 0x11
#define PROXY_IPV6 0x21
#define PROXY_UNIX 0x31

/* Version 1 ---------------------------------------------------------------- */

/* Cuts the next word of a line off, which ends at a blank, or with the line. */
static const char *
proxy_word(char **line)
{
	char *word = *line, *end;

	if (word == NULL)
		return ("");
	end = strchr(word, ' ');
	if (end != NULL)
		*end++ = '\0';
	*line = end;
	return (word);
}

static bool
proxy_is_port(const char *text)
{
	const size_t digits = strspn(text, "0123456789");
	long port = 0;
	size_t i;

	if (digits == 0 || digits > PROXY_PORT_DIGITS || text[digits] != '\0' ||
	    (digits > 1 && text[0] == '0'))
		return (false);
	for (i = 0; i < digits; i++)
		port = port * 10 + (text[i] - '0');
	return (port <= PROXY_PORT_MAX);
}

static bool
proxy_is_address(int family, const char *text)
{
	unsigned char address[sizeof(struct in6_addr)];

	return (inet_pton(family, text, address) == 1);
}

/* Of a line without its end. */
static bool
proxy_line(char *line, struct proxy *proxy)
{
	const char *family, *source;
	int number;

	proxy_word(&line);
	family = proxy_word(&line);
	if (strcmp(family, "UNKNOWN") == 0)
		return (true);
	if (strcmp(family, "TCP4") == 0)
		number = AF_INET;
	else if (strcmp(family, "TCP6") == 0)
		number = AF_INET6;
	else
		return (false);
	source = proxy_word(&line);
	if (!proxy_is_address(number, source) ||
	    !proxy_is_address(number, proxy_word(&line)) ||
	    !proxy_is_port(proxy_word(&line)) ||
	    !proxy_is_port(proxy_word(&line)) || line != NULL)
		return (false);
	snprintf(proxy->client, sizeof(proxy->client), "%s", source);
	return (true);
}

static enum proxy_state
proxy_read_1(const unsigned char *bytes, size_t size, struct proxy *proxy)
{
	char line[PROXY_1_SIZE_MAX];
	const unsigned char *end;
	size_t length;

	end = memchr(bytes, '\n', size < sizeof(line) ? size : sizeof(line));
	if (end == NULL)
		return (size < sizeof(line) ? PROXY_MORE : PROXY_FAULT);
	length = (size_t)(end - bytes);
	proxy->size = length + 1;
	memcpy(line, bytes, length);
	line[length - 1] = '\0';
	if (bytes[length - 1] != '\r' || strlen(line) != length - 1 ||
	    !proxy_line(line, proxy))
		return (PROXY_FAULT);
	return (PROXY_WHOLE);
}

/* Version 2 ---------------------------------------------------------------- */

/* What length bytes of addresses say, of which the source comes first. */
static bool
proxy_source(
    int family, const unsigned char *bytes, size_t length, struct proxy *proxy)
{
	switch (family) {
	case PROXY_UNKNOWN:
		return (true);
	case PROXY_IPV4:
		return (length >= 12 &&
		    inet_ntop(AF_INET, bytes, proxy->client,
			sizeof(proxy->client)) != NULL);
	case PROXY_IPV6:
		return (length >= 36 &&
		    inet_ntop(AF_INET6, bytes, proxy->client,
			sizeof(proxy->client)) != NULL);
	case PROXY_UNIX:
		return (length >= 216);
	default:
		return (false);
	}
}

static enum proxy_state
proxy_read_2(const unsigned char *bytes, size_t size, struct proxy *proxy)
{
	size_t length;

	if (size > PROXY_2_SIZE && bytes[PROXY_2_SIZE] != PROXY_2_LOCAL &&
	    bytes[PROXY_2_SIZE] != PROXY_2_PROXY)
		return (PROXY_FAULT);
	if (size < PROXY_2_HEAD)
		return (PROXY_MORE);
	length = bigendian_16(bytes + 14);
	if (length > PROXY_SIZE_MAX - PROXY_2_HEAD)
		return (PROXY_FAULT);
	proxy->size = PROXY_2_HEAD + length;
	if (size < proxy->size)
		return (PROXY_MORE);
	if (bytes[PROXY_2_SIZE] == PROXY_2_PROXY &&
	    !proxy_source(bytes[13], bytes + PROXY_2_HEAD, length, proxy))
		return (PROXY_FAULT);
	return (PROXY_WHOLE);
}

static bool
proxy_begins(
    const unsigned char *bytes, size_t size, const char *with, size_t with_size)
{
	return (memcmp(bytes, with, size < with_size ? size : with_size) == 0);
}

enum proxy_state
proxy_read(const unsigned char *bytes, size_t size, struct proxy *proxy)
{
	memset(proxy, 0, sizeof(*proxy));
	if (size == 0)
		return (PROXY_MORE);
	if (proxy_begins(bytes, size, PROXY_1, strlen(PROXY_1)))
		return (proxy_read_1(bytes, size, proxy));
	if (proxy_begins(bytes, size, PROXY_2, PROXY_2_SIZE))
		return (proxy_read_2(bytes, size, proxy));
	return (PROXY_FAULT);
}
