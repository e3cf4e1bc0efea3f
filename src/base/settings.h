/*
 * The table of settings, and the struct that holds their values.
 */
#ifndef COFFER_SETTINGS_H
#define COFFER_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>

/* Texts are NULL when not set, numbers never are. */
struct settings {
	char *listen;
	char *metrics_listen;
	char *dsn;
	char *dsn_operator;
	char *dsn_auditor;
	char *dsn_owner;
	char *root_key_file;
	char *root_key_credential;
	char *root_key_command;
	char *root_keys;
	bool insecure_root_key_env; /* of the command line alone */
	char *regions;
	char *regions_listed_empty;
	char *partition;
	char *domain;
	char *trusted_proxies;
	char *proxy_header;
	char *tls_certificate;
	char *tls_key;
	char *tls_client_ca;
	char *anchor_command;
	char *log_level;
	long pool_size;
	long read_connections;
	long group_limit;
	long queue_limit;
	long connect_timeout;
	long request_deadline;
	long max_connections;
	long max_address_connections;
	long max_headers;
	long max_body;
	long request_memory;
	long header_timeout;
	long body_timeout;
	long send_timeout;
	long idle_timeout;
	long key_rate;
	long key_burst;
	long denied_rate;
	long denied_burst;
	long epoch_on_loss;
	long drain_delay;
	long drain_timeout;
	long job_interval;
	long check_interval;
	long root_key_command_timeout;
	long anchor_syslog;
	long proxy_protocol;
};

enum setting_kind {
	SETTING_TEXT,
	SETTING_SECRET, /* a text that is never shown */
	SETTING_NUMBER, /* from least to most, as the kinds below */
	SETTING_MILLISECONDS,
	SETTING_SECONDS,
	SETTING_BYTES,
	SETTING_ADDRESS,
	SETTING_REGIONS,
	SETTING_NETWORKS,
	SETTING_HEADER,
	SETTING_LOG_LEVEL,
};

struct setting {
	const char *name;
	enum setting_kind kind;
	size_t offset;
	const char *standard; /* NULL: none */
	long least;
	long most;
	const char *help;
};

extern const struct setting settings_table[];
extern const size_t settings_count;

/* A setting of an earlier release. */
struct setting_former {
	const char *name;
	const char *now; /* its name now; NULL: it has a fixed value */
};

extern const struct setting_former settings_former[];
extern const size_t settings_former_count;

#endif
