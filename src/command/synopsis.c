#include <string.h>

#include "command/commands.h"
#include "command/synopsis.h"

#define SYNOPSIS_WIDTH 79
#define SYNOPSIS_COLUMN 28 /* of what explains a name */
#define SYNOPSIS_LINE_SIZE 320

/* The size of the first word; what is in brackets is one. */
static size_t
synopsis_word(const char *text)
{
	size_t size;
	int depth = 0;

	for (size = 0; text[size] != '\0'; size++) {
		if (text[size] == ' ' && depth == 0)
			break;
		depth += (text[size] == '[') - (text[size] == ']');
	}
	return (size);
}

/* Prints text from column on; further lines begin at indent. */
static void
synopsis_wrap(FILE *file, const char *text, size_t column, size_t indent)
{
	bool first = true;
	size_t size;

	for (; *text != '\0'; text += strspn(text, " ")) {
		size = synopsis_word(text);
		if (!first && column + 1 + size > SYNOPSIS_WIDTH) {
			fprintf(file, "\n%*s", (int)indent, "");
			column = indent;
		} else if (!first) {
			fputc(' ', file);
			column++;
		}
		fprintf(file, "%.*s", (int)size, text);
		column += size;
		text += size;
		first = false;
	}
	fputc('\n', file);
}

static void
synopsis_row(const char *name, const char *argument, const char *text)
{
	int width = printf("  %s%s%s", name, argument != NULL ? " " : "",
	    argument != NULL ? argument : "");

	printf("%*s", SYNOPSIS_COLUMN - width, "");
	synopsis_wrap(stdout, text, SYNOPSIS_COLUMN, SYNOPSIS_COLUMN);
}

static void
synopsis_options(const struct command_option *options)
{
	char name[64];

	if (options->name != NULL)
		printf("\nOptions:\n");
	for (; options->name != NULL; options++) {
		snprintf(name, sizeof(name), "--%s", options->name);
		synopsis_row(name, options->argument, options->help);
	}
}

void
synopsis_usage(FILE *file, const struct command *command)
{
	char line[SYNOPSIS_LINE_SIZE];

	if (command == NULL)
		snprintf(line, sizeof(line),
		    "coffer [--config FILE] [--insecure-root-key-env] "
		    "[COMMAND]");
	else
		snprintf(line, sizeof(line), "coffer %s%s %s",
		    command->has_settings ? "[--config FILE] " : "",
		    command->name, command->arguments);
	fputs("usage: ", file);
	synopsis_wrap(
	    file, line, sizeof("usage: ") - 1, sizeof("usage: coffer ") - 1);
}

static void
synopsis_help_program(void)
{
	size_t i;

	printf("\n");
	synopsis_wrap(stdout,
	    "Without COMMAND coffer is the daemon: it serves the API until "
	    "SIGTERM.",
	    0, 0);
	printf("\nCommands:\n");
	for (i = 0; i < commands_count; i++)
		synopsis_row(
		    commands_table[i].name, NULL, commands_table[i].summary);
	synopsis_options(commands_options);
	printf("\n");
	synopsis_wrap(stdout,
	    "`coffer help COMMAND` prints the help of a command. Settings come "
	    "from FILE, lines `name = value`, and from the environment, "
	    "COFFER_<NAME>, which takes precedence.",
	    0, 0);
}

void
synopsis_help(const struct command *command)
{
	synopsis_usage(stdout, command);
	if (command == NULL) {
		synopsis_help_program();
		return;
	}
	printf("\n");
	synopsis_wrap(stdout, command->help, 0, 0);
	synopsis_options(command->options);
}
