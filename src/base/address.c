#include <arpa/inet.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/queue.h>

#include "base/address.h"

#define ADDRESS_LIST_HEADER "X-Forwarded-For"
#define ADDRESS_PAIRS_HEADER "Forwarded"
#define ADDRESS_BLANKS " \t"
#define ADDRESS_BITS 128
#define ADDRESS_IPV4_BITS 32
#define ADDRESS_CLIENT_BITS 64
/* More proxies in a row than anybody has. */
#define ADDRESS_HOPS_MAX 16
/* An address in brackets, with a port, which may be a word. */
#define ADDRESS_NODE_SIZE (ADDRESS_TEXT_SIZE + 32)
#define ADDRESS_DIGITS "0123456789"
#define ADDRESS_TOKEN                    \
	"!#$%&'*+-.^_`|~" ADDRESS_DIGITS \
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

/* IPv4 is the last 32 bits of ::ffff:0:0/96. */
struct address {
	unsigned char bytes[16];
};

struct network {
	struct address address;
	int bits;
};

static bool
address_parse(const char *text, struct address *address)
{
	static const unsigned char mapped[12] = { [10] = 0xff, [11] = 0xff };

	memcpy(address->bytes, mapped, sizeof(mapped));
	return (
	    inet_pton(AF_INET, text, address->bytes + sizeof(mapped)) == 1 ||
	    inet_pton(AF_INET6, text, address->bytes) == 1);
}

static bool
address_is_ipv4(const struct address *address)
{
	return (IN6_IS_ADDR_V4MAPPED(
	    (const struct in6_addr *)(const void *)address->bytes));
}

static void
address_print(const struct address *address, char text[ADDRESS_TEXT_SIZE])
{
	if (address_is_ipv4(address))
		inet_ntop(
		    AF_INET, address->bytes + 12, text, ADDRESS_TEXT_SIZE);
	else
		inet_ntop(AF_INET6, address->bytes, text, ADDRESS_TEXT_SIZE);
}

/* Sets all bits but the first ones to zero. */
static void
address_mask(struct address *address, int bits)
{
	int i;

	for (i = bits; i < ADDRESS_BITS; i++)
		address->bytes[i / 8] &= (unsigned char)~(0x80 >> (i % 8));
}

static bool
address_parse_network(char *text, struct network *network)
{
	char *slash = strchr(text, '/');
	int most = strchr(text, ':') != NULL ? ADDRESS_BITS : ADDRESS_IPV4_BITS;
	int bits = most, digit;

	if (slash != NULL) {
		*slash = '\0';
		if (slash[1] == '\0')
			return (false);
		for (bits = 0, slash++; *slash != '\0'; slash++) {
			digit = *slash - '0';
			bits = bits * 10 + digit;
			if (digit < 0 || digit > 9 || bits > most)
				return (false);
		}
	}
	if (!address_parse(text, &network->address))
		return (false);
	network->bits = ADDRESS_BITS - most + bits;
	address_mask(&network->address, network->bits);
	return (true);
}

/* The next of a list, without the blanks around it; false for none. */
static bool
address_next(const char **list, char *text, size_t size, bool *fits)
{
	size_t length;

	if (**list == '\0')
		return (false);
	*list += strspn(*list, ADDRESS_BLANKS);
	length = strcspn(*list, ",");
	*fits = length < size;
	snprintf(text, size, "%.*s", (int)length, *list);
	*list += length;
	*list += **list == ',';
	for (length = strlen(text);
	     length > 0 && strchr(ADDRESS_BLANKS, text[length - 1]) != NULL;)
		text[--length] = '\0';
	return (true);
}

bool
address_are_all(const char *list)
{
	char text[ADDRESS_TEXT_SIZE + sizeof("/128")];
	struct network network;
	bool fits;

	if (*list == '\0')
		return (false);
	while (address_next(&list, text, sizeof(text), &fits)) {
		if (!fits || !address_parse_network(text, &network))
			return (false);
	}
	return (true);
}

static bool
address_is_trusted(const struct address *address, const char *trusted)
{
	char text[ADDRESS_TEXT_SIZE + sizeof("/128")];
	struct network network;
	struct address masked;
	bool fits;

	while (address_next(&trusted, text, sizeof(text), &fits)) {
		if (!address_parse_network(text, &network))
			continue;
		masked = *address;
		address_mask(&masked, network.bits);
		if (memcmp(&masked, &network.address, sizeof(masked)) == 0)
			return (true);
	}
	return (false);
}

bool
address_is_in(const char *text, const char *list)
{
	struct address address;

	return (address_parse(text, &address) &&
	    address_is_trusted(&address, list));
}

bool
address_is_header(const char *name)
{
	return (strcasecmp(name, ADDRESS_LIST_HEADER) == 0 ||
	    strcasecmp(name, ADDRESS_PAIRS_HEADER) == 0);
}

/* What proxies say --------------------------------------------------------- */

/* Up to size bytes of a header. */
struct address_text {
	const char *bytes;
	size_t size;
};

static bool
address_starts(const struct address_text *text, char byte)
{
	return (text->size > 0 && text->bytes[0] == byte);
}

static void
address_skip(struct address_text *text, size_t size)
{
	text->bytes += size;
	text->size -= size;
}

/* Skips as many of the bytes that are in set, and returns their number. */
static size_t
address_span(struct address_text *text, const char *set)
{
	size_t size = 0;

	while (size < text->size && text->bytes[size] != '\0' &&
	    strchr(set, text->bytes[size]) != NULL)
		size++;
	address_skip(text, size);
	return (size);
}

/* A port says nothing here, but a wrong one that this is no address. */
static bool
address_is_port(const char *port)
{
	const size_t digits = strspn(port, ADDRESS_DIGITS);

	if (*port == '_')
		return (port[1] != '\0' &&
		    port[strspn(port, ADDRESS_TOKEN)] == '\0');
	return (digits > 0 && digits <= 5 && port[digits] == '\0');
}

/* 192.0.2.1, 192.0.2.1:80, 2001:db8::1, [2001:db8::1] or [2001:db8::1]:80. */
static bool
address_parse_node(char *node, struct address *address)
{
	char *port = strchr(node, ':');

	if (*node == '[') {
		port = strchr(++node, ']');
		if (port == NULL)
			return (false);
		*port++ = '\0';
		if (strchr(node, ':') == NULL)
			return (false);
		if (*port == '\0')
			port = NULL;
		else if (*port != ':')
			return (false);
	} else if (port != NULL && strchr(port + 1, ':') != NULL)
		port = NULL; /* IPv6 without brackets has none */
	if (port != NULL) {
		*port++ = '\0';
		if (!address_is_port(port))
			return (false);
	}
	return (address_parse(node, address));
}

/* A token, or a string in quotes; false: it is neither, or does not fit. */
static bool
address_value(struct address_text *text, char node[ADDRESS_NODE_SIZE])
{
	const struct address_text token = *text;
	size_t size = 0, length;

	if (!address_starts(text, '"')) {
		length = address_span(text, ADDRESS_TOKEN);
		snprintf(
		    node, ADDRESS_NODE_SIZE, "%.*s", (int)length, token.bytes);
		return (length > 0);
	}
	for (address_skip(text, 1); !address_starts(text, '"');
	     address_skip(text, 1)) {
		if (address_starts(text, '\\'))
			address_skip(text, 1);
		if (text->size == 0)
			return (false);
		if (size < ADDRESS_NODE_SIZE - 1)
			node[size++] = text->bytes[0];
	}
	address_skip(text, 1);
	node[size] = '\0';
	return (true);
}

/*
 * What "for" is in an element of Forwarded: pairs, with semicolons between.  An
 * element that is malformed anywhere says nothing.
 */
static bool
address_for(struct address_text text, char node[ADDRESS_NODE_SIZE])
{
	char value[ADDRESS_NODE_SIZE];
	const char *name;
	size_t size, found = 0;

	for (;;) {
		address_span(&text, ADDRESS_BLANKS);
		name = text.bytes;
		size = address_span(&text, ADDRESS_TOKEN);
		if (size == 0 || !address_starts(&text, '='))
			return (false);
		address_skip(&text, 1);
		if (!address_value(&text, value))
			return (false);
		if (size == strlen("for") &&
		    strncasecmp(name, "for", size) == 0) {
			found++;
			memcpy(node, value, ADDRESS_NODE_SIZE);
		}
		address_span(&text, ADDRESS_BLANKS);
		if (text.size == 0)
			return (found == 1);
		if (!address_starts(&text, ';'))
			return (false);
		address_skip(&text, 1);
	}
}

/* What is in an element of X-Forwarded-For, without the blanks around it. */
static bool
address_element(struct address_text text, char node[ADDRESS_NODE_SIZE])
{
	address_span(&text, ADDRESS_BLANKS);
	while (text.size > 0 &&
	    strchr(ADDRESS_BLANKS, text.bytes[text.size - 1]) != NULL)
		text.size--;
	snprintf(node, ADDRESS_NODE_SIZE, "%.*s", (int)text.size, text.bytes);
	return (text.size < ADDRESS_NODE_SIZE);
}

/* Whether the quote before which so much of a text stands is one. */
static bool
address_is_quote(const struct address_text *text, size_t at)
{
	size_t escapes = 0;

	while (escapes < at && text->bytes[at - escapes - 1] == '\\')
		escapes++;
	return (text->bytes[at] == '"' && escapes % 2 == 0);
}

/*
 * Cuts the last element off.  A proxy adds its element at the end, so it is
 * looked for from there: whatever a client has put before it, an open quote
 * too, does not change it.
 */
static struct address_text
address_cut_last(struct address_text *list, bool quotes)
{
	struct address_text last = *list;
	bool quoted = false;
	size_t at;

	for (at = list->size; at > 0; at--) {
		if (quotes && address_is_quote(list, at - 1))
			quoted = !quoted;
		else if (list->bytes[at - 1] == ',' && !quoted)
			break;
	}
	list->size = at > 0 ? at - 1 : 0;
	address_skip(&last, at);
	return (last);
}

/* Nobody has added an element that is empty. */
static bool
address_is_blank(struct address_text text)
{
	address_span(&text, ADDRESS_BLANKS);
	return (text.size == 0);
}

/* Goes from hop to hop of a value; false: to one that names nobody. */
static bool
address_go_back(struct address *address, const char *value, const char *trusted,
    bool pairs, size_t *hops)
{
	struct address_text list = { value, strlen(value) }, last;
	char node[ADDRESS_NODE_SIZE];
	struct address hop;

	while (list.size > 0) {
		last = address_cut_last(&list, pairs);
		if (address_is_blank(last))
			continue;
		if ((*hops)++ == ADDRESS_HOPS_MAX ||
		    !address_is_trusted(address, trusted) ||
		    !(pairs ? address_for(last, node)
			    : address_element(last, node)) ||
		    !address_parse_node(node, &hop))
			return (false);
		*address = hop;
	}
	return (true);
}

static void
address_go_back_all(struct address *address, struct evhttp_request *http,
    const char *trusted, const char *name)
{
	const struct evkeyvalq *headers =
	    evhttp_request_get_input_headers(http);
	const bool pairs = strcasecmp(name, ADDRESS_PAIRS_HEADER) == 0;
	const struct evkeyval *header;
	size_t hops = 0;

	TAILQ_FOREACH_REVERSE(header, headers, evkeyvalq, next)
	{
		if (strcasecmp(header->key, name) == 0 &&
		    !address_go_back(
			address, header->value, trusted, pairs, &hops))
			return;
	}
}

void
address_of_client(const char *peer, struct evhttp_request *http,
    const char *trusted, const char *header, char client[ADDRESS_TEXT_SIZE])
{
	struct address address;

	snprintf(client, ADDRESS_TEXT_SIZE, "%s", peer);
	/* PostgreSQL's inet knows no scope of a link-local address. */
	client[strcspn(client, "%")] = '\0';
	if (!address_parse(client, &address))
		return;
	if (trusted != NULL)
		address_go_back_all(&address, http, trusted, header);
	address_print(&address, client);
}

bool
address_of_network(const char *text, unsigned char network[16])
{
	struct address address;

	if (!address_parse(text, &address))
		return (false);
	if (!address_is_ipv4(&address))
		address_mask(&address, ADDRESS_CLIENT_BITS);
	memcpy(network, address.bytes, sizeof(address.bytes));
	return (true);
}
