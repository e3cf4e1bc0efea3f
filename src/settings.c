#include "settings.h"

#define AT(member) offsetof(struct settings, member)

/* clang-format off */
const struct setting settings_table[] = {
	{ "listen", SETTING_ADDRESS, AT(listen), "127.0.0.1:8080", 0, 0,
	    "address and port to listen on; port 0 takes a free one" },
	{ "dsn", SETTING_SECRET, AT(dsn), NULL, 0, 0,
	    "connection string of the database, role coffer_api" },
	{ "operator_dsn", SETTING_SECRET, AT(operator_dsn), NULL, 0, 0,
	    "connection string for `coffer api-key` and `coffer root-key`, role coffer_operator" },
	{ "recover_dsn", SETTING_SECRET, AT(recover_dsn), NULL, 0, 0,
	    "connection string for `coffer recover`, owner of a restored copy" },
	{ "root_key_file", SETTING_TEXT, AT(root_key_file), NULL, 0, 0,
	    "file of root keys, mode 0400; see `coffer root-key generate`" },
	{ "root_key_credential", SETTING_TEXT, AT(root_key_credential), NULL, 0, 0,
	    "instead: name of a credential that systemd gives, with the lines of such a file" },
	{ "root_key_command", SETTING_TEXT, AT(root_key_command), NULL, 0, 0,
	    "instead: program and arguments, run without a shell, that prints such lines" },
	{ "root_key_command_timeout", SETTING_NUMBER, AT(root_key_command_timeout), "10", 1, 300,
	    "seconds that the command may take" },
	{ "root_keys", SETTING_SECRET, AT(root_keys), NULL, 0, 0,
	    "instead, with --insecure-root-key-env: such lines, separated by commas" },
	{ "regions", SETTING_REGIONS, AT(regions), "fr-par", 0, 0,
	    "regions that are served, separated by commas" },
	{ "partition", SETTING_TEXT, AT(partition), "scw", 0, 0,
	    "partition that /metadata names" },
	{ "domain", SETTING_TEXT, AT(domain), "scw.eu", 0, 0,
	    "domain that /metadata names" },
	{ "pool_size", SETTING_NUMBER, AT(pool_size), "8", 1, 256,
	    "connections to the database" },
	{ "queue_limit", SETTING_NUMBER, AT(queue_limit), "256", 1, 65536,
	    "calls that wait for a connection; more are answered 503" },
	{ "connect_timeout", SETTING_NUMBER, AT(connect_timeout), "3000", 100, 60000,
	    "milliseconds until a connection must be ready for calls" },
	{ "request_deadline", SETTING_NUMBER, AT(request_deadline), "10000", 100, 300000,
	    "milliseconds until a call is answered, with 503 if need be" },
	{ "max_headers", SETTING_NUMBER, AT(max_headers), "16384", 1024, 131072,
	    "bytes of a request line and headers; more are answered 431" },
	{ "max_body", SETTING_NUMBER, AT(max_body), "131072", 1024, 1048576,
	    "bytes of a request body; more are answered 413" },
	{ "idle_timeout", SETTING_NUMBER, AT(idle_timeout), "10", 1, 3600,
	    "seconds without a byte until a client's connection is closed" },
	{ "drain_timeout", SETTING_NUMBER, AT(drain_timeout), "20", 0, 3600,
	    "seconds that running requests get when the daemon stops" },
	{ "job_interval", SETTING_NUMBER, AT(job_interval), "5", 1, 3600,
	    "seconds between two runs of the background jobs" },
	{ "check_interval", SETTING_NUMBER, AT(check_interval), "20", 1, 60,
	    "seconds between two checks that the database is as it was deployed" },
	{ "hint_cache", SETTING_NUMBER, AT(hint_cache), "65536", 8, 16777216,
	    "secrets whose project and key are remembered, and paths" },
	{ "log_level", SETTING_LOG_LEVEL, AT(log_level), "info", 0, 0,
	    "least level that is logged: debug, info, warning, error" },
};
/* clang-format on */

const size_t settings_count =
    sizeof(settings_table) / sizeof(settings_table[0]);
