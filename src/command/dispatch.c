#include <string.h>

#include "base/spelling.h"
#include "command/commands.h"
#include "command/dispatch.h"
#include "command/synopsis.h"

#define DISPATCH_USAGE 2

static char dispatch_program[] = "coffer";

/*
 * How many of the words begin the name of a command: all of the name, part of
 * it, when the words end or go on with an option, or none.
 */
static int
dispatch_match(const struct command *command, int argc, char **argv, bool *all)
{
	const char *name = command->name;
	size_t size;
	int i;

	for (i = 0; i < argc && *name != '\0'; i++) {
		size = strcspn(name, " ");
		if (strlen(argv[i]) != size ||
		    strncmp(argv[i], name, size) != 0)
			break;
		name += size;
		name += strspn(name, " ");
	}
	*all = *name == '\0';
	return (i);
}

static const struct command *
dispatch_command(int argc, char **argv, int *words)
{
	bool all;
	size_t i;

	for (i = 0; i < commands_count; i++) {
		*words = dispatch_match(&commands_table[i], argc, argv, &all);
		if (all)
			return (&commands_table[i]);
	}
	return (NULL);
}

/* Calls print for the commands that have the first word; false: none has. */
static bool
dispatch_group(int argc, char **argv, void (*print)(const struct command *))
{
	bool found = false, all;
	size_t i;

	for (i = 0; argc > 0 && i < commands_count; i++) {
		if (dispatch_match(&commands_table[i], argc, argv, &all) == 0)
			continue;
		if (found && print == synopsis_help)
			puts("");
		print(&commands_table[i]);
		found = true;
	}
	return (found);
}

static void
dispatch_usage(const struct command *command)
{
	synopsis_usage(stderr, command);
}

static int
dispatch_unknown(const char *word)
{
	struct spelling spelling;
	size_t i;

	spelling_begin(&spelling, word);
	for (i = 0; i < commands_count; i++)
		spelling_consider(&spelling, commands_table[i].name);
	fprintf(stderr, "coffer: unknown command %s", word);
	if (spelling.nearest != NULL)
		fprintf(stderr, " (did you mean %s?)", spelling.nearest);
	fputc('\n', stderr);
	synopsis_usage(stderr, NULL);
	fprintf(stderr, "HINT: `coffer help` lists the commands\n");
	return (DISPATCH_USAGE);
}

/* coffer help, coffer help audit, coffer help audit verify. */
static int
dispatch_help(int argc, char **argv)
{
	const struct command *command;
	int words;

	if (argc == 0) {
		synopsis_help(NULL);
		return (0);
	}
	command = dispatch_command(argc, argv, &words);
	if (command != NULL && words == argc) {
		synopsis_help(command);
		return (0);
	}
	if (argc == 1 && dispatch_group(argc, argv, synopsis_help))
		return (0);
	return (dispatch_unknown(argv[0]));
}

/* The first word is of a command, or of none, and the others are of none. */
static int
dispatch_no_command(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "--help") == 0)
		return (dispatch_help(1, argv));
	if (dispatch_group(argc, argv, dispatch_usage))
		return (DISPATCH_USAGE);
	return (dispatch_unknown(argv[0]));
}

bool
dispatch_find(struct command_run *run, int argc, char **argv, int *code)
{
	enum command_option_state state;
	struct command_value value;
	int words;

	if (strcmp(argv[0], "help") == 0) {
		*code = dispatch_help(argc - 1, argv + 1);
		return (false);
	}
	run->command = dispatch_command(argc, argv, &words);
	if (run->command == NULL) {
		*code = dispatch_no_command(argc, argv);
		return (false);
	}
	/* getopt takes the first for the name of the program. */
	run->argc = argc - words + 1;
	run->argv = argv + words - 1;
	run->argv[0] = dispatch_program;
	command_options_begin();
	do
		state = command_option_next(run, &value);
	while (state == COMMAND_OPTION);
	if (state == COMMAND_OPTION_HELP) {
		synopsis_help(run->command);
		*code = 0;
		return (false);
	}
	if (state == COMMAND_OPTION_END &&
	    run->argv + run->argc - run->operands == run->command->operands) {
		command_options_begin();
		return (true);
	}
	synopsis_usage(stderr, run->command);
	*code = DISPATCH_USAGE;
	return (false);
}
