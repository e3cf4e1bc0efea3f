#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "db/dsn.h"

/*
 * Added where the connection string is silent: a peer that is gone without a
 * word is noticed within half a minute, and not after hours.
 */
static const struct dsn_standard {
	const char *keyword;
	const char *value;
} dsn_standards[] = {
	{ "client_encoding", "UTF8" },
	{ "keepalives_idle", "10" },
	{ "keepalives_interval", "5" },
	{ "keepalives_count", "3" },
	{ "tcp_user_timeout", "30000" },
};

#define DSN_STANDARDS (sizeof(dsn_standards) / sizeof(dsn_standards[0]))

/* What may be a list, with a value for each host. */
static const char *const dsn_lists[] = { "host", "hostaddr", "port" };

enum {
	DSN_HOST,
	DSN_HOSTADDR,
	DSN_PORT,
	DSN_LISTS
};

#define DSN_CONNECT_TIMEOUT_MOST 3600 /* seconds */

static void
dsn_set(struct dsn *dsn, const char *keyword, const char *value)
{
	dsn->keywords[dsn->count] = memory_copy(keyword);
	dsn->values[dsn->count] = memory_copy(value);
	dsn->count++;
}

/* Of two values for one keyword libpq takes the later one. */
static const char *
dsn_get(const struct dsn *dsn, const char *keyword)
{
	const char *value = NULL;
	size_t i;

	for (i = 0; i < dsn->count; i++) {
		if (strcmp(dsn->keywords[i], keyword) == 0)
			value = dsn->values[i];
	}
	return (value);
}

/* Hosts ------------------------------------------------------------------ */

static size_t
dsn_length(const char *list)
{
	size_t length = 1;

	if (list == NULL || *list == '\0')
		return (0);
	for (; *list != '\0'; list++)
		length += *list == ',';
	return (length);
}

/* The value at a place of a list; NULL when nothing is said there. */
static char *
dsn_element(const char *list, size_t place)
{
	size_t size;

	if (dsn_length(list) == 0)
		return (NULL);
	/* One port is that of all. */
	if (dsn_length(list) == 1)
		place = 0;
	for (; place > 0; place--)
		list += strcspn(list, ",") + 1;
	size = strcspn(list, ",");
	return (size > 0 ? memory_copy_bytes(list, size) : NULL);
}

static int
dsn_list(const char *keyword)
{
	int i;

	for (i = 0; i < DSN_LISTS; i++) {
		if (strcmp(keyword, dsn_lists[i]) == 0)
			break;
	}
	return (i);
}

static void
dsn_make_host(const struct dsn *dsn, struct dsn_host *host, size_t place)
{
	const char *name;
	size_t count = 0, i;

	host->keywords =
	    memory_new_array(dsn->count + 1, sizeof(*host->keywords));
	host->values = memory_new_array(dsn->count + 1, sizeof(*host->values));
	for (i = 0; i < dsn->count; i++) {
		const int list = dsn_list(dsn->keywords[i]);
		const char *value = dsn->values[i];

		if (list < DSN_LISTS)
			value = host->own[list] = dsn_element(value, place);
		if (value == NULL)
			continue;
		host->keywords[count] = dsn->keywords[i];
		host->values[count++] = value;
	}
	name = host->own[DSN_HOST] != NULL ? host->own[DSN_HOST]
					   : host->own[DSN_HOSTADDR];
	snprintf(host->name, sizeof(host->name), "%s%s%s",
	    name != NULL ? name : "local",
	    host->own[DSN_PORT] != NULL ? ":" : "",
	    host->own[DSN_PORT] != NULL ? host->own[DSN_PORT] : "");
}

/* As many hosts as libpq would see; false: it would refuse such lists. */
static bool
dsn_make_hosts(struct dsn *dsn)
{
	const size_t hosts = dsn_length(dsn_get(dsn, "host"));
	const size_t addresses = dsn_length(dsn_get(dsn, "hostaddr"));
	const size_t ports = dsn_length(dsn_get(dsn, "port"));
	size_t count = addresses > 0 ? addresses : hosts, i;

	if (count == 0)
		count = 1;
	if ((hosts > 0 && hosts != count) || (ports > 1 && ports != count))
		return (false);
	dsn->hosts = memory_new_array(count, sizeof(*dsn->hosts));
	dsn->hosts_count = count;
	for (i = 0; i < count; i++)
		dsn_make_host(dsn, &dsn->hosts[i], i);
	return (true);
}

/* Only the part of libpq that blocks heeds it. */
static long
dsn_connect_timeout(const struct dsn *dsn)
{
	const char *text = dsn_get(dsn, "connect_timeout");
	const long seconds = text != NULL ? strtol(text, NULL, 10) : 0;

	if (seconds > DSN_CONNECT_TIMEOUT_MOST)
		return (DSN_CONNECT_TIMEOUT_MOST * 1000L);
	return (seconds > 0 ? seconds * 1000 : 0);
}

/* The string ------------------------------------------------------------- */

struct dsn *
dsn_new(const char *text, const char *application)
{
	PQconninfoOption *options = PQconninfoParse(text, NULL), *option;
	struct dsn *dsn;
	size_t count = 0, i;

	if (options == NULL)
		return (NULL);
	for (option = options; option->keyword != NULL; option++)
		count++;
	count += DSN_STANDARDS + 2;
	dsn = memory_new(sizeof(*dsn));
	dsn->keywords = memory_new_array(count, sizeof(*dsn->keywords));
	dsn->values = memory_new_array(count, sizeof(*dsn->values));

	for (i = 0; i < DSN_STANDARDS; i++)
		dsn_set(dsn, dsn_standards[i].keyword, dsn_standards[i].value);
	for (option = options; option->keyword != NULL; option++) {
		if (option->val == NULL ||
		    strcmp(option->keyword, "client_encoding") == 0)
			continue;
		dsn_set(dsn, option->keyword, option->val);
		memory_wipe(option->val, strlen(option->val));
	}
	dsn_set(dsn, "application_name", application);
	PQconninfoFree(options);
	dsn->connect_timeout = dsn_connect_timeout(dsn);
	if (!dsn_make_hosts(dsn)) {
		dsn_free(dsn);
		return (NULL);
	}
	return (dsn);
}

/*
 * The unknown keyword that libpq quotes; the text where it is quoted goes on
 * behind it.  NULL: libpq complains of something else, which it may quote, too.
 */
static char *
dsn_unknown_keyword(char *message)
{
	static const char *const begins[] = { "invalid connection option \"",
		"invalid URI query parameter: \"" };
	size_t i, size;

	for (i = 0; i < sizeof(begins) / sizeof(begins[0]); i++) {
		size = strlen(begins[i]);
		if (strncmp(message, begins[i], size) == 0) {
			message[size + strcspn(message + size, "\"")] = '\0';
			return (message + size);
		}
	}
	return (NULL);
}

/*
 * A password with a space or an '&' that is not quoted ends there for libpq,
 * and its rest looks like keywords.
 */
static bool
dsn_may_be_secret(const char *text, const char *keyword)
{
	const char *first = strstr(text, keyword), *last = first, *next;
	const char *password = strstr(text, "password");

	if (first == NULL || *keyword == '\0')
		return (true);
	while ((next = strstr(last + 1, keyword)) != NULL)
		last = next;
	return ((password != NULL && password < last) ||
	    strchr(first, '@') != NULL);
}

void
dsn_cause(const char *text, char *cause, size_t size)
{
	char *message = NULL, *keyword = NULL;
	PQconninfoOption *options = PQconninfoParse(text, &message);

	if (message != NULL)
		keyword = dsn_unknown_keyword(message);
	if (options != NULL)
		snprintf(cause, size,
		    "it has different numbers of hosts, addresses or ports");
	else if (keyword == NULL)
		snprintf(cause, size, "it is not a connection string");
	else if (dsn_may_be_secret(text, keyword))
		snprintf(cause, size,
		    "it has an unknown keyword after the password; a password "
		    "with special characters must be quoted");
	else
		snprintf(
		    cause, size, "it has the unknown keyword %.63s", keyword);
	if (message != NULL)
		memory_wipe(message, strlen(message));
	PQfreemem(message);
	PQconninfoFree(options);
}

bool
dsn_wants_writes(const struct dsn *dsn)
{
	const char *wanted = dsn_get(dsn, "target_session_attrs");

	return (wanted != NULL &&
	    (strcmp(wanted, "read-write") == 0 ||
		strcmp(wanted, "primary") == 0));
}

static void
dsn_free_host(struct dsn_host *host)
{
	size_t i;

	for (i = 0; i < DSN_LISTS; i++)
		memory_free(host->own[i]);
	memory_free(host->keywords);
	memory_free(host->values);
}

void
dsn_free(struct dsn *dsn)
{
	size_t i;

	if (dsn == NULL)
		return;
	for (i = 0; i < dsn->hosts_count; i++)
		dsn_free_host(&dsn->hosts[i]);
	memory_free(dsn->hosts);
	for (i = 0; i < dsn->count; i++) {
		memory_free(dsn->keywords[i]);
		memory_wipe_free_text(dsn->values[i]);
	}
	memory_free(dsn->keywords);
	memory_free(dsn->values);
	memory_free(dsn);
}

bool
dsn_settle(struct dsn *dsn, size_t host)
{
	const bool other = host != dsn->serving;

	dsn->first = dsn->serving = host;
	return (other);
}

void
dsn_pass(struct dsn *dsn, size_t host)
{
	if (dsn->first == host)
		dsn->first = (host + 1) % dsn->hosts_count;
}
