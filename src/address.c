#include <arpa/inet.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "address.h"

#define ADDRESS_HEADER "X-Forwarded-For"
#define ADDRESS_BLANKS " \t"
#define ADDRESS_BITS 128
#define ADDRESS_IPV4_BITS 32
#define ADDRESS_CLIENT_BITS 64
/* More proxies in a row than anybody has. */
#define ADDRESS_HOPS_MAX 16

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

/* What a proxy has added stands last. */
struct address_hops {
	struct address addresses[ADDRESS_HOPS_MAX];
	bool sound[ADDRESS_HOPS_MAX];
	size_t count; /* of which the last ones are kept */
};

static void
address_add_hops(struct address_hops *hops, const char *list)
{
	char text[ADDRESS_TEXT_SIZE];
	bool fits;
	size_t at;

	while (address_next(&list, text, sizeof(text), &fits)) {
		at = hops->count++ % ADDRESS_HOPS_MAX;
		hops->sound[at] =
		    fits && address_parse(text, &hops->addresses[at]);
	}
}

/* Goes from hop to hop, back to the first that is not trusted. */
static void
address_go_back(
    struct address *address, struct evhttp_request *http, const char *trusted)
{
	const struct evkeyvalq *headers =
	    evhttp_request_get_input_headers(http);
	struct address_hops hops = { .count = 0 };
	const struct evkeyval *header;
	size_t left, at;

	for (header = headers->tqh_first; header != NULL;
	     header = header->next.tqe_next) {
		if (strcasecmp(header->key, ADDRESS_HEADER) == 0)
			address_add_hops(&hops, header->value);
	}
	left = hops.count < ADDRESS_HOPS_MAX ? hops.count : ADDRESS_HOPS_MAX;
	for (at = hops.count; left > 0; left--) {
		at--;
		if (!address_is_trusted(address, trusted) ||
		    !hops.sound[at % ADDRESS_HOPS_MAX])
			break;
		*address = hops.addresses[at % ADDRESS_HOPS_MAX];
	}
}

void
address_of_client(const char *peer, struct evhttp_request *http,
    const char *trusted, char client[ADDRESS_TEXT_SIZE])
{
	struct address address;

	snprintf(client, ADDRESS_TEXT_SIZE, "%s", peer);
	/* PostgreSQL's inet knows no scope of a link-local address. */
	client[strcspn(client, "%")] = '\0';
	if (!address_parse(client, &address))
		return;
	if (trusted != NULL)
		address_go_back(&address, http, trusted);
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
