#include <ctype.h>
#include <errno.h>
#include <event2/util.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/address.h"
#include "base/load.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/spelling.h"

#define LOAD_ENVIRONMENT "COFFER_"
#define LOAD_LINE_MAX 4096
#define LOAD_REGION_LEAST 6 /* xx-xxx */
#define LOAD_REGION_MOST 10
#define LOAD_PORT_SIZE 5

static char **
load_text(struct settings *values, const struct setting *setting)
{
	return ((char **)(void *)((char *)values + setting->offset));
}

static long *
load_number(struct settings *values, const struct setting *setting)
{
	return ((long *)(void *)((char *)values + setting->offset));
}

/* The form that clients demand: two letters, a hyphen, three to seven. */
static bool
load_is_region(const char *region, size_t size)
{
	size_t i;

	for (i = 0; i < size; i++) {
		if (i == 2 ? region[i] != '-'
			   : region[i] < 'a' || region[i] > 'z')
			return (false);
	}
	return (size >= LOAD_REGION_LEAST && size <= LOAD_REGION_MOST);
}

static bool
load_are_regions(const char *list)
{
	size_t size;

	for (;;) {
		size = strcspn(list, ",");
		if (!load_is_region(list, size))
			return (false);
		if (list[size] == '\0')
			return (true);
		list += size + 1;
	}
}

bool
load_has_region(const char *list, const char *region, size_t size)
{
	size_t length;

	while (*list != '\0') {
		length = strcspn(list, ",");
		if (length == size && strncmp(list, region, size) == 0)
			return (true);
		list += length;
		list += strspn(list, ",");
	}
	return (false);
}

/*
 * libevent takes an address alone as well, which would mean a port of the
 * system's choice, and for a port all that begins with a number.
 */
static bool
load_is_address(const char *text)
{
	struct sockaddr_storage address;
	int size = sizeof(address);
	const char *port = text + strcspn(text, *text == '[' ? "]" : ":");
	size_t digits;

	port += *port == ']';
	if (*port++ != ':')
		return (false);
	digits = strspn(port, "0123456789");
	return (digits <= LOAD_PORT_SIZE && port[digits] == '\0' &&
	    evutil_parse_sockaddr_port(
		text, (struct sockaddr *)&address, &size) == 0);
}

/* Whether text has the form that the setting's kind demands. */
static bool
load_is_sound(
    const struct setting *setting, const char *text, const char **form)
{
	switch (setting->kind) {
	case SETTING_ADDRESS:
		*form = "an address and a port, 127.0.0.1:8080 or [::1]:8080";
		return (load_is_address(text));
	case SETTING_REGIONS:
		*form = "regions of the form fr-par, separated by commas";
		return (load_are_regions(text));
	case SETTING_NETWORKS:
		*form = "addresses or networks, 10.0.0.1,fd00::/8";
		return (address_are_all(text));
	case SETTING_HEADER:
		*form = "X-Forwarded-For or Forwarded";
		return (address_is_header(text));
	case SETTING_LOG_LEVEL:
		*form = "debug, info, warning or error";
		return (log_set_level(text));
	default:
		*form = "given a value, or left out";
		return (*text != '\0');
	}
}

bool
load_is_number(const struct setting *setting, enum units_base *unit)
{
	switch (setting->kind) {
	case SETTING_NUMBER:
		*unit = UNITS_NONE;
		return (true);
	case SETTING_MILLISECONDS:
		*unit = UNITS_MILLISECONDS;
		return (true);
	case SETTING_SECONDS:
		*unit = UNITS_SECONDS;
		return (true);
	case SETTING_BYTES:
		*unit = UNITS_BYTES;
		return (true);
	default:
		return (false);
	}
}

void
load_variable(const char *name, char variable[LOAD_VARIABLE_SIZE])
{
	size_t i;

	snprintf(variable, LOAD_VARIABLE_SIZE, LOAD_ENVIRONMENT "%s", name);
	for (i = 0; variable[i] != '\0'; i++)
		variable[i] = (char)toupper((unsigned char)variable[i]);
}

static bool
load_count(struct settings *values, const struct setting *setting,
    enum units_base unit, const char *text, char *cause, size_t size)
{
	char least[UNITS_TEXT_SIZE], most[UNITS_TEXT_SIZE];
	long number;

	if (units_read(unit, text, &number) && number >= setting->least &&
	    number <= setting->most) {
		*load_number(values, setting) = number;
		return (true);
	}
	units_write(unit, setting->least, least);
	units_write(unit, setting->most, most);
	if (unit == UNITS_NONE)
		snprintf(cause, size,
		    "setting %s must be a whole number from %s to %s",
		    setting->name, least, most);
	else
		snprintf(cause, size,
		    "setting %s must be from %s to %s, a whole number of %s: "
		    "write a number and %s",
		    setting->name, least, most, units_name(unit),
		    units_names(unit));
	return (false);
}

static bool
load_value(struct settings *values, const struct setting *setting,
    const char *text, char *cause, size_t size)
{
	enum units_base unit;
	const char *form;

	if (load_is_number(setting, &unit))
		return (load_count(values, setting, unit, text, cause, size));
	if (!load_is_sound(setting, text, &form)) {
		snprintf(
		    cause, size, "setting %s must be %s", setting->name, form);
		return (false);
	}
	memory_wipe_free_text(*load_text(values, setting));
	*load_text(values, setting) = memory_copy(text);
	return (true);
}

static const struct setting *
load_find(const char *name)
{
	size_t i;

	for (i = 0; i < settings_count; i++) {
		if (strcasecmp(settings_table[i].name, name) == 0)
			return (&settings_table[i]);
	}
	return (NULL);
}

/* Why name is not a setting; variable: it is one of the environment. */
static void
load_unknown(const char *name, bool variable, char *cause, size_t size)
{
	const char *where = variable ? " in the environment" : "", *now = NULL;
	char shown[LOAD_VARIABLE_SIZE];
	struct spelling spelling;
	size_t i;

	spelling_begin(&spelling, name);
	for (i = 0; i < settings_count; i++)
		spelling_consider(&spelling, settings_table[i].name);
	for (i = 0; i < settings_former_count; i++) {
		if (strcasecmp(settings_former[i].name, name) != 0)
			continue;
		now = settings_former[i].now;
		if (now != NULL && variable)
			load_variable(now, shown);
		if (now == NULL)
			snprintf(cause, size,
			    "setting %s%s is obsolete: remove it",
			    settings_former[i].name, where);
		else
			snprintf(cause, size, "setting %s%s is now named %s",
			    settings_former[i].name, where,
			    variable ? shown : now);
		return;
	}
	if (variable)
		load_variable(name, shown);
	else
		snprintf(shown, sizeof(shown), "%s", name);
	snprintf(cause, size, "unknown setting %s%s%s%s%s", shown, where,
	    spelling.nearest != NULL ? " (did you mean " : "",
	    spelling.nearest != NULL ? spelling.nearest : "",
	    spelling.nearest != NULL ? "?)" : "");
}

static bool
load_line(struct settings *values, char *line, char *cause, size_t size)
{
	const struct setting *setting;
	char *name, *value, *end;

	if (strlen(line) == LOAD_LINE_MAX - 1) {
		snprintf(cause, size, "a line is too long");
		return (false);
	}
	name = line + strspn(line, " \t");
	if (*name == '\0' || *name == '\n' || *name == '#')
		return (true);
	value = strchr(name, '=');
	if (value == NULL) {
		snprintf(cause, size, "a line is not of the form name = value");
		return (false);
	}
	for (end = value; end > name && isspace((unsigned char)end[-1]);)
		end--;
	*end = '\0';
	value++;
	value += strspn(value, " \t");
	for (end = value + strlen(value);
	     end > value && isspace((unsigned char)end[-1]);)
		*--end = '\0';
	setting = load_find(name);
	if (setting == NULL) {
		load_unknown(name, false, cause, size);
		return (false);
	}
	return (load_value(values, setting, value, cause, size));
}

static bool
load_file(struct settings *values, const char *path, char *cause, size_t size)
{
	char line[LOAD_LINE_MAX];
	bool loaded = true;
	FILE *file = fopen(path, "re");

	if (file == NULL) {
		snprintf(cause, size, "unable to open %s: %s", path,
		    strerror(errno));
		return (false);
	}
	/* The buffer of a stream would keep a password after fclose. */
	setvbuf(file, NULL, _IONBF, 0);
	while (loaded && fgets(line, sizeof(line), file) != NULL)
		loaded = load_line(values, line, cause, size);
	memory_wipe(line, sizeof(line));
	fclose(file);
	return (loaded);
}

/*
 * The strings that the kernel gave the process stay where they are when a
 * variable is unset, for /proc/<pid>/environ to show: so they are overwritten.
 */
static bool
load_environment(struct settings *values, char *cause, size_t size)
{
	const size_t prefix = strlen(LOAD_ENVIRONMENT);
	const struct setting *setting;
	bool loaded = true;
	char *name, *value;
	size_t i = 0;

	while (environ != NULL && environ[i] != NULL) {
		value = strchr(environ[i], '=');
		if (value == NULL ||
		    strncmp(environ[i], LOAD_ENVIRONMENT, prefix) != 0) {
			i++;
			continue;
		}
		name =
		    memory_copy_bytes(environ[i], (size_t)(value - environ[i]));
		value++;
		setting = load_find(name + prefix);
		if (loaded && setting == NULL) {
			loaded = false;
			load_unknown(name + prefix, true, cause, size);
		} else if (loaded && setting != NULL) {
			loaded =
			    load_value(values, setting, value, cause, size);
		}
		memory_wipe(value, strlen(value));
		unsetenv(name); /* moves the next one to i */
		memory_free(name);
	}
	return (loaded);
}

bool
load_settings(
    struct settings *values, const char *path, char *cause, size_t size)
{
	size_t i;

	memset(values, 0, sizeof(*values));
	for (i = 0; i < settings_count; i++) {
		if (settings_table[i].standard != NULL &&
		    !load_value(values, &settings_table[i],
			settings_table[i].standard, cause, size))
			return (false);
	}
	if (path != NULL && !load_file(values, path, cause, size))
		return (false);
	return (load_environment(values, cause, size));
}

void
load_free(struct settings *values)
{
	enum units_base unit;
	size_t i;

	for (i = 0; i < settings_count; i++) {
		if (!load_is_number(&settings_table[i], &unit))
			memory_wipe_free_text(
			    *load_text(values, &settings_table[i]));
	}
	memory_wipe(values, sizeof(*values));
}
