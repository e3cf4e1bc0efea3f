#include "command/commands.h"
#include "command/command_api_key.h"
#include "command/command_audit.h"
#include "command/command_doctor.h"
#include "command/command_health.h"
#include "command/command_recover.h"
#include "command/command_restore.h"
#include "command/command_root_key.h"

/* clang-format off */
const struct command_option commands_options[] = {
	{ "config", "FILE", "read settings from FILE, see coffer.conf(5)" },
	{ "insecure-root-key-env", NULL, "take root keys from the setting root_keys" },
	{ "endpoints", NULL, "print the endpoints of the API" },
	{ "errors", NULL, "print the errors of the API and what the daemon does at each SQLSTATE" },
	{ "settings", NULL, "print the settings with their defaults and ranges" },
	{ "example", NULL, "print an example of a settings file, with all settings" },
	{ "completion", "SHELL", "print the completion of the command line for a shell: bash or zsh" },
	{ "man", "PAGE", "print a manual page in roff: coffer.1 or coffer.conf.5" },
	{ "version", NULL, "print the version" },
	{ "help", NULL, "print help; after a subcommand, that of the subcommand" },
	{ NULL, NULL, NULL },
};

static const struct command_option api_key_options[] = {
	{ "principal", "UUID", "user or application that the key belongs to" },
	{ "project", "UUID", "default project of the key" },
	{ "description", "TEXT", "description of the key" },
	{ "expires-at", "TIME", "when the key expires; without it the key does not expire" },
	{ NULL, NULL, NULL },
};

static const struct command_option audit_options[] = {
	{ "anchors", "FILE", "log of a daemon, or what anchor_command has kept; may be given several times" },
	{ "complete", NULL, "the files of --anchors are the whole logs of all daemons, so each row of a call needs a receipt" },
	{ "public-key", "HEX", "public key that may sign seals; may be given several times" },
	{ "seals", "FILE", "exported seals, instead of those in the database" },
	{ "events", "FILE", "exported rows, instead of those in the database" },
	{ "month", "YYYY-MM-01", "month that the files must be of" },
	{ NULL, NULL, NULL },
};

static const struct command_option recover_options[] = {
	{ "secret", "UUID", "recover the versions of this secret" },
	{ "project", "UUID", "recover the versions of all secrets of this project" },
	{ "revision", "N", "recover only this version of the secret" },
	{ "yes", NULL, "print the values without asking" },
	{ NULL, NULL, NULL },
};

static const struct command_option restore_options[] = {
	{ "reason", "TEXT", "why, for the audit" },
	{ "older", NULL, "also restore a secret of which the audit knows a newer version" },
	{ NULL, NULL, NULL },
};

static const struct command_option no_options[] = {
	{ NULL, NULL, NULL },
};

const struct command commands_table[] = {
	{ "root-key generate", "FILE", 1, no_options, false, command_root_key_generate,
	    "write a new root key to a file",
	    "Writes a new root key to FILE with mode 0400 and prints its id. FILE must not exist. "
	    "Keep a copy where the database and its backups do not reach: without the root key no backup can be read." },
	{ "root-key list", "", 0, no_options, true, command_root_key_list,
	    "list the root keys",
	    "Prints a line for each root key that a daemon has loaded: id, state, times, the number of keys that it "
	    "wraps, and the number of instances that have it and that lack it. Needs dsn_operator." },
	{ "root-key activate", "ID", 1, no_options, true, command_root_key_activate,
	    "make a root key the active one",
	    "New keys are wrapped under the active root key, and the daemons move existing keys to it. Needs dsn_operator." },
	{ "root-key retire", "ID", 1, no_options, true, command_root_key_retire,
	    "retire a root key that wraps nothing",
	    "A retired root key can be removed from the files of the daemons. Needs dsn_operator." },
	{ "api-key create", "--principal UUID [--project UUID] [--description TEXT] [--expires-at TIME]",
	    0, api_key_options, true, command_api_key_create,
	    "create an API key and print it",
	    "Prints the access key and the secret key. The secret key is never shown again. TIME is an RFC 3339 time with a "
	    "zone, such as 2027-01-31T12:00:00Z, or a duration such as 90d: a number from 1 to 99999 and s, m, h, d or w. "
	    "Needs dsn_operator and the root key." },
	{ "audit verify", "[--anchors FILE]... [--complete] [--public-key HEX]... "
	    "[--seals FILE --events FILE [--month YYYY-MM-01]]",
	    0, audit_options, true, command_audit_verify,
	    "verify the audit",
	    "Verifies the audit of the database of dsn_auditor, or what operator.audit_export_month and "
	    "operator.audit_export_seals have exported. Prints a line for each damage. "
	    "Without --public-key it takes the public keys of the database. "
	    "The exit status is 0 when the audit is sound, 1 when it is damaged, and 2 when nothing was verified, as with "
	    "files of --anchors that hold neither an anchor nor a receipt." },
	{ "doctor", "", 0, no_options, true, command_doctor,
	    "examine the set-up",
	    "Examines the settings, the root key, the TLS files, each host of dsn and the database. Prints a line for each "
	    "check: ok, or FAULT with its remedy. The exit status is 0 when it finds no fault, and 1 otherwise. "
	    "Needs dsn and the root key." },
	{ "health", "", 0, no_options, true, command_health,
	    "ask whether the daemon is ready",
	    "Asks /ready of the daemon at the address of listen, with TLS where tls_certificate is set, and prints ready or "
	    "the reason. It does not verify the certificate. Where tls_client_ca is set it shows tls_certificate. "
	    "The exit status is 0 when the daemon is ready, 1 when it is not or gives no answer within 2 seconds, and 2 "
	    "when the arguments or the settings are wrong." },
	{ "recover", "{--secret UUID [--revision N] | --project UUID} [--yes]", 0, recover_options, true, command_recover,
	    "read values from a restored backup",
	    "Decrypts versions in a restored copy of the database and prints a JSON object for each, which `coffer restore` "
	    "takes. Only the copy and the root key are needed, no daemon. The exit status is 1 when a version could not be "
	    "decrypted. Needs dsn_owner and the root key." },
	{ "restore", "--reason TEXT [--older]", 0, restore_options, true, command_restore,
	    "write recovered secrets into the live database",
	    "Reads from standard input what `coffer recover` prints, and writes each secret back with its id, its versions "
	    "and all that belongs to it. A secret is restored whole or not at all, and an audit row has the reason. "
	    "Refuses a secret that the database still has. The exit status is 1 when a secret was not restored. "
	    "Needs dsn_operator and the root key." },
};
/* clang-format on */

const size_t commands_count =
    sizeof(commands_table) / sizeof(commands_table[0]);
