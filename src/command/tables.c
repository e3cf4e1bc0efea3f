#include <ctype.h>
#include <stdio.h>

#include "base/endpoints.h"
#include "base/errors.h"
#include "base/settings.h"
#include "command/tables.h"

static const char *
print_method(enum evhttp_cmd_type method)
{
	switch (method) {
	case EVHTTP_REQ_GET:
		return ("GET");
	case EVHTTP_REQ_POST:
		return ("POST");
	case EVHTTP_REQ_PATCH:
		return ("PATCH");
	default:
		return ("DELETE");
	}
}

void
tables_endpoints(void)
{
	size_t i;

	for (i = 0; i < endpoints_count; i++)
		printf("%-6s %s %s\n", print_method(endpoints[i].method),
		    endpoints[i].path, endpoints[i].function);
}

/* A format, for the number of repeats. */
static const char *
print_remedy(enum error_remedy remedy)
{
	switch (remedy) {
	case REMEDY_GIVE_UP:
		return ("answer 503");
	case REMEDY_AGAIN:
		return ("send again up to %d times, then answer 503");
	case REMEDY_AGAIN_FAULT:
		return ("send again up to %d times, then answer 500");
	case REMEDY_PREPARE:
		return (
		    "prepare and send again once, with its text, then answer 500");
	case REMEDY_RECONNECT:
		return (
		    "connect anew and send again up to %d times, then answer 503");
	default:
		return ("answer 500");
	}
}

void
tables_errors(void)
{
	size_t i;

	for (i = 0; i < ERROR_COUNT; i++)
		printf("%d %s %s\n", errors[i].status, errors[i].name,
		    errors[i].body);
	for (i = 0; i < error_sqlstates_count; i++) {
		printf("SQLSTATE %s %s: ", error_sqlstates[i].prefix,
		    error_sqlstates[i].meaning);
		printf(print_remedy(error_sqlstates[i].remedy),
		    error_sqlstates[i].repeats);
		putchar('\n');
	}
	printf("SQLSTATE any other: %s\n", print_remedy(REMEDY_NONE));
}

void
tables_settings(void)
{
	const struct setting *setting;
	const char *letter;
	size_t i;

	for (i = 0; i < settings_count; i++) {
		setting = &settings_table[i];
		printf("%s = %s\n    COFFER_", setting->name,
		    setting->standard != NULL ? setting->standard : "");
		for (letter = setting->name; *letter != '\0'; letter++)
			putchar(toupper((unsigned char)*letter));
		printf(": %s", setting->help);
		if (setting->kind == SETTING_NUMBER)
			printf(" (%ld to %ld)", setting->least, setting->most);
		putchar('\n');
	}
}
