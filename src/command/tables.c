#include <stdio.h>

#include "base/endpoints.h"
#include "base/errors.h"
#include "base/load.h"
#include "base/methods.h"
#include "command/tables.h"

void
tables_endpoints(void)
{
	size_t i;

	for (i = 0; i < endpoints_count; i++)
		printf("%-6s %s %s\n", method_name(endpoints[i].method),
		    endpoints[i].path, endpoints[i].function);
}

/* A format, for the number of repeats. */
static const char *
tables_remedy(enum error_remedy remedy)
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
		printf(tables_remedy(error_sqlstates[i].remedy),
		    error_sqlstates[i].repeats);
		putchar('\n');
	}
	printf("SQLSTATE any other: %s\n", tables_remedy(REMEDY_NONE));
}

void
tables_range(const struct setting *setting, char range[TABLES_RANGE_SIZE])
{
	char least[UNITS_TEXT_SIZE], most[UNITS_TEXT_SIZE];
	enum units_base unit;

	*range = '\0';
	if (!load_is_number(setting, &unit))
		return;
	units_write(unit, setting->least, least);
	units_write(unit, setting->most, most);
	snprintf(range, TABLES_RANGE_SIZE, " (%s to %s%s%s)", least, most,
	    units_name(unit) != NULL ? "; without a unit: " : "",
	    units_name(unit) != NULL ? units_name(unit) : "");
}

void
tables_settings(void)
{
	const struct setting *setting;
	char variable[LOAD_VARIABLE_SIZE], range[TABLES_RANGE_SIZE];
	size_t i;

	for (i = 0; i < settings_count; i++) {
		setting = &settings_table[i];
		load_variable(setting->name, variable);
		tables_range(setting, range);
		printf("%s = %s\n    %s: %s%s\n", setting->name,
		    setting->standard != NULL ? setting->standard : "",
		    variable, setting->help, range);
	}
}

void
tables_example(void)
{
	const struct setting *setting;
	char range[TABLES_RANGE_SIZE];
	size_t i;

	puts(
	    "# Settings of coffer, see coffer.conf(5).  Each setting stands "
	    "here with its\n# default.  To change one, remove the # in front "
	    "of its name.  The daemon needs\n# dsn and a root key.  The systemd "
	    "units provide listen and the root key.");
	for (i = 0; i < settings_count; i++) {
		setting = &settings_table[i];
		tables_range(setting, range);
		printf("\n# %s%s\n#%s =%s%s\n", setting->help, range,
		    setting->name, setting->standard != NULL ? " " : "",
		    setting->standard != NULL ? setting->standard : "");
	}
}
