#include <libpq-fe.h>
#include <string.h>

#include "dsn.h"
#include "memory.h"

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

static void
dsn_set(struct dsn *dsn, const char *keyword, const char *value)
{
	dsn->keywords[dsn->count] = memory_copy(keyword);
	dsn->values[dsn->count] = memory_copy(value);
	dsn->count++;
}

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

	/* Of two values for one keyword libpq takes the later one. */
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
	return (dsn);
}

void
dsn_free(struct dsn *dsn)
{
	size_t i;

	if (dsn == NULL)
		return;
	for (i = 0; i < dsn->count; i++) {
		memory_free(dsn->keywords[i]);
		memory_wipe_free_text(dsn->values[i]);
	}
	memory_free(dsn->keywords);
	memory_free(dsn->values);
	memory_free(dsn);
}
