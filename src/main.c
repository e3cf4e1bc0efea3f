#include <fcntl.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/load.h"
#include "command/command.h"
#include "command/commands.h"
#include "command/completion.h"
#include "command/dispatch.h"
#include "command/manual.h"
#include "command/synopsis.h"
#include "command/tables.h"
#include "service.h"

#define MAIN_FAILURE 1
#define MAIN_USAGE 2
#define MAIN_OPTIONS_MAX 16

/* What the options of the command line ask for. */
struct main_options {
	const char *config;
	bool insecure_root_key_env;
};

static void
main_print_version(void)
{
	printf("coffer %s\n", PACKAGE_VERSION);
}

static void
main_print_help(void)
{
	synopsis_help(NULL);
}

static int
main_print_manual(const char *page)
{
	if (manual_print(page))
		return (0);
	fprintf(stderr, "coffer: --man takes coffer.1 or coffer.conf.5\n");
	return (MAIN_USAGE);
}

static int
main_print_completion(const char *shell)
{
	if (completion_print(shell))
		return (0);
	fprintf(stderr, "coffer: --completion takes bash or zsh\n");
	return (MAIN_USAGE);
}

/* Options that print something; false: it is none of them. */
static bool
main_prints(const char *name, const char *value, int *code)
{
	static const struct {
		const char *name;
		void (*print)(void);
	} prints[] = {
		{ "endpoints", tables_endpoints },
		{ "errors", tables_errors },
		{ "settings", tables_settings },
		{ "example", tables_example },
		{ "version", main_print_version },
		{ "help", main_print_help },
	};
	size_t i;

	*code = 0;
	if (strcmp(name, "man") == 0) {
		*code = main_print_manual(value);
		return (true);
	}
	if (strcmp(name, "completion") == 0) {
		*code = main_print_completion(value);
		return (true);
	}
	for (i = 0; i < sizeof(prints) / sizeof(prints[0]); i++) {
		if (strcmp(name, prints[i].name) == 0) {
			prints[i].print();
			return (true);
		}
	}
	return (false);
}

/* False: all is done, or an option is wrong, and code is the exit status. */
static bool
main_read_options(struct main_options *values, int argc, char **argv, int *code)
{
	struct option options[MAIN_OPTIONS_MAX] = { { .name = NULL } };
	const struct command_option *row;
	int found = 0, letter;

	for (row = commands_options; row->name != NULL; row++)
		options[row - commands_options] = (struct option){
			.name = row->name,
			.has_arg = row->argument != NULL ? required_argument
							 : no_argument,
			.val = 'o',
		};
	/* '+': what stands after a command belongs to the command. */
	while ((letter = getopt_long(argc, argv, "+", options, &found)) != -1) {
		if (letter != 'o') {
			synopsis_usage(stderr, NULL);
			*code = MAIN_USAGE;
			return (false);
		}
		if (main_prints(options[found].name, optarg, code))
			return (false);
		if (strcmp(options[found].name, "config") == 0)
			values->config = optarg;
		else
			values->insecure_root_key_env = true;
	}
	return (true);
}

/* A subcommand; NULL: the daemon. */
static int
main_run(const struct main_options *options, struct command_run *run)
{
	struct settings values;
	char cause[256];
	int code;

	if (run != NULL && !run->command->has_settings)
		return (run->command->run(run));
	if (!load_settings(&values, options->config, cause, sizeof(cause))) {
		fprintf(stderr, "coffer: %s\n", cause);
		load_free(&values);
		return (MAIN_USAGE);
	}
	values.insecure_root_key_env = options->insecure_root_key_env;
	if (run != NULL) {
		run->settings = &values;
		code = run->command->run(run);
	} else {
		code = service_run(&values);
	}
	load_free(&values);
	return (code);
}

static int
main_dispatch(int argc, char **argv)
{
	struct main_options options = { .config = NULL };
	struct command_run run = { .command = NULL };
	int code;

	if (!main_read_options(&options, argc, argv, &code))
		return (code);
	if (optind == argc)
		return (main_run(&options, NULL));
	if (!dispatch_find(&run, argc - optind, argv + optind, &code))
		return (code);
	code = main_run(&options, &run);
	if (code != COMMAND_USAGE)
		return (code);
	synopsis_usage(stderr, run.command);
	return (MAIN_USAGE);
}

/*
 * A socket would take the number of a standard file that is closed, and get
 * what is printed.  One that can only be read from refuses it.
 */
static bool
main_fill_standard_files(void)
{
	int fd;

	for (fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDONLY) != fd)
			return (false);
	}
	return (true);
}

/* A command whose output is lost has failed, even if it did its work. */
int
main(int argc, char **argv)
{
	int code;

	if (!main_fill_standard_files())
		return (MAIN_FAILURE);
	code = main_dispatch(argc, argv);
	if (command_flush())
		return (code);
	fprintf(stderr, "coffer: unable to write to standard output\n");
	return (code == 0 ? MAIN_FAILURE : code);
}
