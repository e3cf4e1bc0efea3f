#include "errors.h"

/* clang-format off */
const struct error errors[ERROR_COUNT] = {
	[ERROR_ARGUMENT] = { "argument", 400, 0,
	    "{\"details\":[{\"argument_name\":\"%s\",\"help_message\":\"value is malformed\",\"reason\":\"format\"}],\"message\":\"invalid argument(s)\",\"type\":\"invalid_arguments\"}" },
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
	[ERROR_HEADERS_TOO_LARGE] = { "headers_too_large", 431, 0,
	    "{\"message\":\"request headers are too large\",\"type\":\"unknown\"}" },
	[ERROR_INTERNAL] = { "internal", 500, 0,
	    "{\"message\":\"internal error\",\"type\":\"internal\"}" },
	[ERROR_UNAVAILABLE] = { "unavailable", 503, 1,
	    "{\"message\":\"service is unavailable\",\"type\":\"unavailable\"}" },
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
	{ "26000", REMEDY_PREPARE,     0, "invalid_sql_statement_name" },
	{ "0A000", REMEDY_PREPARE,     0, "cached plan has become invalid" },
	{ "57014", REMEDY_GIVE_UP,     0, "query_canceled: statement_timeout" },
	{ "57P",   REMEDY_RECONNECT,   0, "the server shuts down or starts up" },
	{ "08",    REMEDY_RECONNECT,   0, "connection exception" },
	{ "25006", REMEDY_RECONNECT,   0, "read_only_sql_transaction: no primary any more" },
	{ "53",    REMEDY_GIVE_UP,     0, "insufficient resources" },
	{ "58",    REMEDY_GIVE_UP,     0, "system error of the server" },
};
/* clang-format on */

const size_t error_sqlstates_count =
    sizeof(error_sqlstates) / sizeof(error_sqlstates[0]);
