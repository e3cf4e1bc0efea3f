#include "base/errors.h"

/* clang-format off */
const struct error errors[ERROR_COUNT] = {
	[ERROR_ARGUMENT] = { "argument", 400, 0,
	    "{\"details\":[{\"argument_name\":\"%s\",\"help_message\":\"value is malformed\",\"reason\":\"format\"}],\"message\":\"invalid argument(s)\",\"type\":\"invalid_arguments\"}" },
	[ERROR_REQUEST] = { "request", 400, 0,
	    "{\"details\":[{\"argument_name\":\"request\",\"help_message\":\"%s\",\"reason\":\"format\"}],\"message\":\"invalid argument(s)\",\"type\":\"invalid_arguments\"}" },
	[ERROR_NO_TOKEN] = { "no_token", 401, 0,
	    "{\"message\":\"authentication is denied\",\"method\":\"unknown_method\",\"reason\":\"invalid_argument\",\"type\":\"denied_authentication\"}" },
	[ERROR_BAD_TOKEN] = { "bad_token", 401, 0,
	    "{\"message\":\"authentication is denied\",\"method\":\"api_key\",\"reason\":\"invalid_argument\",\"type\":\"denied_authentication\"}" },
	[ERROR_NO_ROUTE] = { "no_route", 404, 0,
	    "{\"message\":\"resource is not found\",\"resource\":\"unknown\",\"resource_id\":\"\",\"type\":\"not_found\"}" },
	[ERROR_NO_METHOD] = { "no_method", 405, 0,
	    "{\"message\":\"method not allowed\",\"type\":\"unknown\"}" },
	[ERROR_BODY_TOO_LARGE] = { "body_too_large", 413, 0,
	    "{\"message\":\"request body is too large\",\"type\":\"unknown\"}" },
	[ERROR_EXPECTATION] = { "expectation", 417, 0,
	    "{\"message\":\"no expectation can be met\",\"type\":\"unknown\"}" },
	[ERROR_TOO_MANY] = { "too_many", 429, 1,
	    "{\"help_message\":\"send fewer, or ask for a higher limit\",\"limit\":{\"quota\":%s,\"window_seconds\":1},\"message\":\"too many requests\",\"reset_seconds\":1,\"type\":\"too_many_requests\"}" },
	[ERROR_HEADERS_TOO_LARGE] = { "headers_too_large", 431, 0,
	    "{\"message\":\"request headers are too large\",\"type\":\"unknown\"}" },
	[ERROR_INTERNAL] = { "internal", 500, 0,
	    "{\"message\":\"internal error\",\"type\":\"internal\"}" },
	[ERROR_ENCODING] = { "encoding", 501, 0,
	    "{\"message\":\"transfer encoding is not supported\",\"type\":\"unknown\"}" },
	[ERROR_UNAVAILABLE] = { "unavailable", 503, 1,
	    "{\"message\":\"service is unavailable\",\"type\":\"unavailable\"}" },
	[ERROR_IN_DOUBT] = { "in_doubt", 503, 0,
	    "{\"message\":\"outcome is unknown, the change may have been made\",\"type\":\"unavailable\"}" },
	[ERROR_VERSION] = { "version", 505, 0,
	    "{\"message\":\"HTTP version is not supported\",\"type\":\"unknown\"}" },
};

/*
 * A call that a deploy overtakes fails with an internal error, once for each
 * deploy that it meets; it is sent again more often than one that met a lock,
 * which has waited for that lock each time.
 */
const struct error_sqlstate error_sqlstates[] = {
	{ "55P03", REMEDY_AGAIN,       3, "lock_not_available" },
	{ "40001", REMEDY_AGAIN,       3, "serialization_failure" },
	{ "40P01", REMEDY_AGAIN,       3, "deadlock_detected" },
	{ "XX000", REMEDY_AGAIN_FAULT, 10, "internal_error: functions are being replaced" },
	{ "42704", REMEDY_AGAIN_FAULT, 10, "undefined_object: functions are being replaced" },
	{ "42883", REMEDY_AGAIN_FAULT, 10, "undefined_function: functions are being replaced" },
	{ "26000", REMEDY_PREPARE,     0, "invalid_sql_statement_name" },
	{ "42P05", REMEDY_PREPARE,     0, "duplicate_prepared_statement" },
	{ "0A000", REMEDY_PREPARE,     0, "cached plan has become invalid" },
	{ "23514", REMEDY_GIVE_UP,     0, "check_violation: the audit has no partition for today" },
	{ "42501", REMEDY_GIVE_UP,     0, "insufficient_privilege: a right was taken away" },
	{ "P0001", REMEDY_GIVE_UP,     0, "raise_exception: a trigger that is not ours" },
	{ "57014", REMEDY_GIVE_UP,     0, "query_canceled: statement_timeout" },
	{ "57P",   REMEDY_RECONNECT,   3, "the server shuts down or starts up" },
	{ "08",    REMEDY_RECONNECT,   3, "connection exception" },
	{ "25006", REMEDY_AGAIN,       3, "read_only_sql_transaction: the server takes no writes" },
	{ "53",    REMEDY_GIVE_UP,     0, "insufficient resources" },
	{ "58",    REMEDY_GIVE_UP,     0, "system error of the server" },
};
/* clang-format on */

const char error_read_only[] = "25006";

const size_t error_sqlstates_count =
    sizeof(error_sqlstates) / sizeof(error_sqlstates[0]);
