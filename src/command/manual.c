#include <stdio.h>
#include <string.h>

#include "base/load.h"
#include "command/commands.h"
#include "command/manual.h"
#include "command/tables.h"

/* Text as roff takes it: a hyphen stays one, and no line is a request. */
static void
manual_text(const char *text)
{
	if (*text == '.' || *text == '\'')
		fputs("\\&", stdout);
	for (; *text != '\0'; text++) {
		if (*text == '-')
			fputs("\\-", stdout);
		else if (*text == '\\')
			fputs("\\e", stdout);
		else
			putchar(*text);
	}
}

static void
manual_line(const char *text)
{
	manual_text(text);
	putchar('\n');
}

static void
manual_bold(const char *text)
{
	fputs("\\fB", stdout);
	manual_text(text);
	fputs("\\fR", stdout);
}

static void
manual_paragraph(const char *text)
{
	puts(".PP");
	manual_line(text);
}

static void
manual_section(const char *name)
{
	printf(".SH %s\n", name);
}

static void
manual_begin(const char *title, int section, const char *name)
{
	printf(".TH %s %d \"\" \"Coffer %s\" \"Coffer\"\n", title, section,
	    PACKAGE_VERSION);
	/* Neither is text spread to the margin, nor are words divided. */
	puts(".ad l\n.nh");
	manual_section("NAME");
	manual_line(name);
}

static void
manual_option(const struct command_option *option)
{
	char name[64];

	puts(".TP");
	snprintf(name, sizeof(name), "--%s", option->name);
	manual_bold(name);
	if (option->argument != NULL) {
		putchar(' ');
		manual_text(option->argument);
	}
	putchar('\n');
	manual_line(option->help);
}

static void
manual_options(const struct command_option *options)
{
	for (; options->name != NULL; options++)
		manual_option(options);
}

static void
manual_synopsis(const struct command *command)
{
	puts(".PP");
	manual_bold("coffer");
	if (command->has_settings)
		manual_text(" [--config FILE]");
	putchar(' ');
	manual_bold(command->name);
	if (*command->arguments != '\0') {
		putchar(' ');
		manual_text(command->arguments);
	}
	putchar('\n');
}

static void
manual_command(const struct command *command)
{
	fputs(".SS coffer ", stdout);
	manual_line(command->name);
	manual_line(command->help);
	manual_options(command->options);
}

static void
manual_coffer(void)
{
	size_t i;

	manual_begin("COFFER", 1, "coffer - secret manager in PostgreSQL");
	manual_section("SYNOPSIS");
	manual_bold("coffer");
	manual_line(" [--config FILE] [--insecure-root-key-env]");
	for (i = 0; i < commands_count; i++)
		manual_synopsis(&commands_table[i]);
	manual_section("DESCRIPTION");
	manual_line("Without a command coffer is the daemon: it serves the API "
		    "over HTTP until SIGTERM. It takes the certificate and the "
		    "root keys up again at SIGHUP. It logs to standard error, "
		    "a JSON object a line.");
	manual_section("OPTIONS");
	manual_options(commands_options);
	manual_section("COMMANDS");
	for (i = 0; i < commands_count; i++)
		manual_command(&commands_table[i]);
	manual_section("EXIT STATUS");
	manual_line("0: the command did what it was told, or the daemon was "
		    "told to stop. 1: it failed. 2: the arguments or the "
		    "settings are wrong. What else a command means by these is "
		    "said above.");
	manual_section("ENVIRONMENT");
	manual_line("A variable COFFER_<NAME> is a setting and takes "
		    "precedence over the file. TMPDIR is the directory of the "
		    "sort files of coffer audit verify, /tmp by default.");
	manual_section("SEE ALSO");
	puts("\\fBcoffer.conf\\fR(5)");
}

static void
manual_setting(const struct setting *setting)
{
	char variable[LOAD_VARIABLE_SIZE], range[TABLES_RANGE_SIZE];

	load_variable(setting->name, variable);
	tables_range(setting, range);
	puts(".TP");
	manual_bold(setting->name);
	if (setting->standard != NULL) {
		manual_text(" = ");
		manual_text(setting->standard);
	}
	putchar('\n');
	manual_text(variable);
	manual_text(": ");
	manual_text(setting->help);
	manual_line(range);
}

static void
manual_conf(void)
{
	size_t i;

	manual_begin("COFFER.CONF", 5, "coffer.conf - settings of coffer");
	manual_section("DESCRIPTION");
	manual_line("The option --config of coffer names the file. A line is "
		    "name = value; a line that begins with # is a comment. The "
		    "environment variable of a setting takes precedence over "
		    "the file. coffer does not start with a setting that is "
		    "unknown or wrong; it prints its name.");
	manual_paragraph("A time takes the units ms, s, min, h and d, and a "
			 "size the units B, kB, MB, GB and TB, where 1kB is "
			 "1024B. A number without a unit is in the unit that "
			 "is given with the setting.");
	manual_paragraph("The file holds passwords: only the user of the "
			 "daemon should be able to read it.");
	manual_section("SETTINGS");
	for (i = 0; i < settings_count; i++)
		manual_setting(&settings_table[i]);
	manual_section("SEE ALSO");
	puts("\\fBcoffer\\fR(1)");
}

bool
manual_print(const char *page)
{
	if (strcmp(page, "coffer.1") == 0)
		manual_coffer();
	else if (strcmp(page, "coffer.conf.5") == 0)
		manual_conf();
	else
		return (false);
	return (true);
}
