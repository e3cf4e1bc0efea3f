#include <stdio.h>
#include <string.h>

#include "command/commands.h"
#include "command/completion.h"

/* How an argument of an option is completed; the last row is for all others. */
static const struct completion_argument {
	const char *name;
	const char *bash; /* arguments of compgen */
	const char *zsh; /* an action of _arguments */
} completion_arguments[] = {
	{ "FILE", "-f", "_files" },
	{ "PAGE", "-W 'coffer.1 coffer.conf.5'", "(coffer.1 coffer.conf.5)" },
	{ "SHELL", "-W 'bash zsh'", "(bash zsh)" },
	{ NULL, "-W ''", " " },
};

static const struct completion_argument *
completion_argument(const char *name)
{
	const struct completion_argument *row = completion_arguments;

	while (row->name != NULL && strcmp(row->name, name) != 0)
		row++;
	return (row);
}

/* The size of the first word of a command. */
static int
completion_first(const struct command *command)
{
	return ((int)strcspn(command->name, " "));
}

/* The second word; NULL: the command has one. */
static const char *
completion_second(const struct command *command)
{
	const char *space = strchr(command->name, ' ');

	return (space != NULL ? space + 1 : NULL);
}

/* Whether a command stands behind another with its first word. */
static bool
completion_continues(size_t i)
{
	int size = completion_first(&commands_table[i]);

	return (i > 0 && completion_first(&commands_table[i - 1]) == size &&
	    strncmp(commands_table[i - 1].name, commands_table[i].name,
		(size_t)size) == 0);
}

static bool
completion_takes_file(const struct command *command)
{
	return (
	    command->operands > 0 && strcmp(command->arguments, "FILE") == 0);
}

static void
completion_print_first(const char *separator)
{
	size_t i;

	for (i = 0; i < commands_count; i++) {
		if (!completion_continues(i))
			printf("%.*s%s", completion_first(&commands_table[i]),
			    commands_table[i].name, separator);
	}
}

static void
completion_print_options(const struct command_option *options)
{
	for (; options->name != NULL; options++)
		printf("--%s ", options->name);
}

/* The options whose argument is completed so, as a pattern of case. */
static void
completion_bash_pattern(const struct completion_argument *argument)
{
	const struct command_option *option = commands_options;
	bool first = true;
	size_t i;

	for (i = 0; i <= commands_count; i++) {
		for (; option->name != NULL; option++) {
			if (option->argument == NULL ||
			    completion_argument(option->argument) != argument)
				continue;
			printf("%s--%s", first ? "\t" : " | ", option->name);
			first = false;
		}
		if (i < commands_count)
			option = commands_table[i].options;
	}
}

static void
completion_bash_arguments(void)
{
	size_t i;

	puts("\tcase $before in");
	for (i = 0;
	     i < sizeof(completion_arguments) / sizeof(completion_arguments[0]);
	     i++) {
		completion_bash_pattern(&completion_arguments[i]);
		printf(")\n"
		       "\t\tmapfile -t COMPREPLY < <(compgen %s -- \"$word\")\n"
		       "\t\treturn\n"
		       "\t\t;;\n",
		    completion_arguments[i].bash);
	}
	puts("\tesac");
}

static void
completion_bash_find(void)
{
	const struct command_option *option;

	puts("\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
	     "\t\tcase ${COMP_WORDS[i]} in");
	for (option = commands_options; option->name != NULL; option++) {
		if (option->argument != NULL)
			printf("\t\t--%s) ((i++)) ;;\n", option->name);
	}
	puts("\t\t-*) [ -z \"$command\" ] || break ;;\n"
	     "\t\t*) command+=${command:+ }${COMP_WORDS[i]} ;;\n"
	     "\t\tesac\n"
	     "\tdone");
}

/* The second words of the commands that begin as i does. */
static void
completion_bash_group(size_t i)
{
	int size = completion_first(&commands_table[i]);

	printf("\t%.*s | 'help %.*s') words='", size, commands_table[i].name,
	    size, commands_table[i].name);
	do {
		printf("%s ", completion_second(&commands_table[i]));
		i++;
	} while (i < commands_count && completion_continues(i));
	puts("' ;;");
}

static void
completion_bash_command(const struct command *command)
{
	printf("\t'%s' | '%s '*) words='", command->name, command->name);
	completion_print_options(command->options);
	printf("--help' %s;;\n",
	    completion_takes_file(command) ? "files=-f " : "");
}

static void
completion_bash(void)
{
	size_t i;

	puts("# bash completion of coffer: coffer --completion bash\n"
	     "_coffer()\n"
	     "{\n"
	     "\tlocal word=${COMP_WORDS[COMP_CWORD]} "
	     "before=${COMP_WORDS[COMP_CWORD - 1]}\n"
	     "\tlocal command= words= files= i\n\n"
	     "\tCOMPREPLY=()\n"
	     "\t[ \"$word\" != = ] || word=\n"
	     "\t[ \"$before\" != = ] || before=${COMP_WORDS[COMP_CWORD - 2]}");
	completion_bash_arguments();
	completion_bash_find();
	fputs("\tcase $command in\n\t'') words='", stdout);
	completion_print_options(commands_options);
	completion_print_first(" ");
	fputs("help' ;;\n\thelp) words='", stdout);
	completion_print_first(" ");
	puts("' ;;");
	for (i = 0; i < commands_count; i++) {
		if (completion_second(&commands_table[i]) != NULL &&
		    !completion_continues(i))
			completion_bash_group(i);
		completion_bash_command(&commands_table[i]);
	}
	puts("\tesac\n"
	     "\tmapfile -t COMPREPLY < <(compgen $files -W \"$words\" -- "
	     "\"$word\")\n"
	     "}\n"
	     "complete -o filenames -F _coffer coffer");
}

/* Text within single quotes and brackets. */
static void
completion_zsh_text(const char *text)
{
	for (; *text != '\0'; text++) {
		if (*text == '\'')
			fputs("'\\''", stdout);
		else if (strchr("[]:\\", *text) != NULL)
			printf("\\%c", *text);
		else
			putchar(*text);
	}
}

/* Whether the usage line repeats an option: [--anchors FILE]... */
static bool
completion_repeats(
    const struct command *command, const struct command_option *option)
{
	char repeated[64];

	snprintf(repeated, sizeof(repeated), "[--%s %s]...", option->name,
	    option->argument != NULL ? option->argument : "");
	return (
	    command != NULL && strstr(command->arguments, repeated) != NULL);
}

static void
completion_zsh_option(
    const struct command *command, const struct command_option *option)
{
	printf(" \\\n\t    '%s--%s%s[",
	    completion_repeats(command, option) ? "*" : "", option->name,
	    option->argument != NULL ? "=" : "");
	completion_zsh_text(option->help);
	putchar(']');
	if (option->argument != NULL)
		printf(":%s:%s", option->argument,
		    completion_argument(option->argument)->zsh);
	putchar('\'');
}

static void
completion_zsh_entry(int size, const char *name, const char *text)
{
	printf("\n\t\t    '%.*s:", size, name);
	completion_zsh_text(text);
	putchar('\'');
}

static void
completion_zsh_group(size_t i)
{
	printf("\t%.*s)\n\t\tcommands=(", completion_first(&commands_table[i]),
	    commands_table[i].name);
	do {
		completion_zsh_entry(
		    (int)strlen(completion_second(&commands_table[i])),
		    completion_second(&commands_table[i]),
		    commands_table[i].summary);
		i++;
	} while (i < commands_count && completion_continues(i));
	puts(")\n"
	     "\t\tif (( CURRENT == 2 )); then\n"
	     "\t\t\t_describe -t commands command commands\n"
	     "\t\t\treturn\n"
	     "\t\tfi\n"
	     "\t\tshift words\n"
	     "\t\t(( CURRENT-- ))\n"
	     "\t\tname+=\" $words[1]\"\n"
	     "\t\t;;");
}

static void
completion_zsh_command(const struct command *command)
{
	const struct command_option *option;

	printf("\t'%s')\n\t\t_arguments '--help[print help]'", command->name);
	for (option = command->options; option->name != NULL; option++)
		completion_zsh_option(command, option);
	if (completion_takes_file(command))
		fputs(" \\\n\t    '1:FILE:_files'", stdout);
	puts("\n\t\t;;");
}

/* The first words: of commands of two words, without a summary. */
static void
completion_zsh_first(void)
{
	const struct command *command;
	size_t i;

	fputs("\tif (( CURRENT == 1 )); then\n\t\tcommands=(", stdout);
	for (i = 0; i < commands_count; i++) {
		command = &commands_table[i];
		if (completion_second(command) == NULL)
			completion_zsh_entry((int)strlen(command->name),
			    command->name, command->summary);
		else if (!completion_continues(i))
			printf("\n\t\t    %.*s", completion_first(command),
			    command->name);
	}
	puts("\n\t\t    'help:print the help of a command')\n"
	     "\t\t_describe -t commands command commands\n"
	     "\t\treturn\n"
	     "\tfi");
}

static void
completion_zsh(void)
{
	const struct command_option *option;
	size_t i;

	fputs("#compdef coffer\n"
	      "# zsh completion of coffer: coffer --completion zsh\n"
	      "_coffer() {\n"
	      "\tlocal curcontext=$curcontext state line name found=1\n"
	      "\tlocal -a commands\n"
	      "\ttypeset -A opt_args\n\n"
	      "\t_arguments -C -S",
	    stdout);
	for (option = commands_options; option->name != NULL; option++)
		completion_zsh_option(NULL, option);
	puts(" \\\n\t    '*::command:->command' && found=0\n"
	     "\t[[ $state == command ]] || return found\n"
	     "\tif [[ $words[1] == help ]] && (( CURRENT > 1 )); then\n"
	     "\t\tshift words\n"
	     "\t\t(( CURRENT-- ))\n"
	     "\tfi");
	completion_zsh_first();
	puts("\tname=$words[1]\n\tcase $name in");
	for (i = 0; i < commands_count; i++) {
		if (completion_second(&commands_table[i]) != NULL &&
		    !completion_continues(i))
			completion_zsh_group(i);
	}
	puts("\tesac\n\tcase $name in");
	for (i = 0; i < commands_count; i++)
		completion_zsh_command(&commands_table[i]);
	puts("\tesac\n"
	     "}\n\n"
	     "_coffer \"$@\"");
}

bool
completion_print(const char *shell)
{
	if (strcmp(shell, "bash") == 0)
		completion_bash();
	else if (strcmp(shell, "zsh") == 0)
		completion_zsh();
	else
		return (false);
	return (true);
}
