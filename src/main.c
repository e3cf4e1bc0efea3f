#include <fcntl.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/load.h"
#include "command/command.h"
#include "command/command_api_key.h"
#include "command/command_audit.h"
#include "command/command_doctor.h"
#include "command/command_recover.h"
#include "command/command_root_key.h"
#include "command/tables.h"
#include "service.h"

#define MAIN_FAILURE 1
#define MAIN_USAGE 2

static const char main_usage[] =
    "usage: coffer [--config FILE]                  serve\n"
    "       coffer root-key generate FILE           make a root key\n"
    "       coffer [--config FILE] root-key list | activate ID | retire ID\n"
    "       coffer [--config FILE] api-key create   mint an API key\n"
    "       coffer [--config FILE] audit verify     verify the audit\n"
    "       coffer [--config FILE] doctor           say what is wrong with a set-up\n"
    "       coffer [--config FILE] recover          read a restored backup\n"
    "       coffer --insecure-root-key-env ...      "
    "root keys from COFFER_ROOT_KEYS\n"
    "       coffer --endpoints | --errors | --settings\n"
    "       coffer --version | --help\n"
    "\n"
    "Settings come from FILE, lines `name = value`, and from the environment,\n"
    "COFFER_<NAME>, which wins; --settings lists them.\n";

static int
main_print(void (*print)(void))
{
	print();
	return (0);
}

static void
main_print_version(void)
{
	printf("coffer %s\n", PACKAGE_VERSION);
}

static void
main_print_usage(void)
{
	fputs(main_usage, stdout);
}

/* With the settings loaded: the daemon, or a command that needs them. */
static int
main_run(const char *config, bool insecure, int argc, char **argv)
{
	struct settings values;
	char cause[256];
	int code;

	if (!load_settings(&values, config, cause, sizeof(cause))) {
		fprintf(stderr, "coffer: %s\n", cause);
		load_free(&values);
		return (MAIN_USAGE);
	}
	values.insecure_root_key_env = insecure;
	if (argc == 0) {
		code = service_run(&values);
	} else if (strcmp(argv[0], "api-key") == 0) {
		code = command_api_key(&values, argc - 1, argv + 1);
	} else if (strcmp(argv[0], "audit") == 0) {
		code = command_audit(&values, argc - 1, argv + 1);
	} else if (argc == 1 && strcmp(argv[0], "doctor") == 0) {
		code = command_doctor(&values);
	} else if (strcmp(argv[0], "recover") == 0) {
		code = command_recover(&values, argc - 1, argv + 1);
	} else if (strcmp(argv[0], "root-key") == 0) {
		code = command_root_key(&values, argc - 1, argv + 1);
	} else {
		fputs(main_usage, stderr);
		code = MAIN_USAGE;
	}
	load_free(&values);
	return (code);
}

static int
main_dispatch(int argc, char **argv)
{
	static const struct option options[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "insecure-root-key-env", no_argument, NULL, 'i' },
		{ "endpoints", no_argument, NULL, 'e' },
		{ "errors", no_argument, NULL, 'r' },
		{ "settings", no_argument, NULL, 's' },
		{ "version", no_argument, NULL, 'v' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	const char *config = NULL;
	bool insecure = false;
	int option;

	/* '+': what stands after a command belongs to the command. */
	while ((option = getopt_long(argc, argv, "+", options, NULL)) != -1) {
		switch (option) {
		case 'c':
			config = optarg;
			break;
		case 'i':
			insecure = true;
			break;
		case 'e':
			return (main_print(tables_endpoints));
		case 'r':
			return (main_print(tables_errors));
		case 's':
			return (main_print(tables_settings));
		case 'v':
			return (main_print(main_print_version));
		case 'h':
			return (main_print(main_print_usage));
		default:
			fputs(main_usage, stderr);
			return (MAIN_USAGE);
		}
	}
	argc -= optind;
	argv += optind;
	if (argc > 1 && strcmp(argv[0], "root-key") == 0 &&
	    strcmp(argv[1], "generate") == 0)
		return (command_root_key_generate(argc - 1, argv + 1));
	return (main_run(config, insecure, argc, argv));
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

/* Whatever was done, a command whose words are lost has failed. */
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
