#include <ctype.h>
#include <dirent.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/log.h"
#include "base/metrics.h"

#define METRICS_STATUSES 600
#define METRICS_STEPS 15
#define METRICS_NAMES 32
#define METRICS_NAME_SIZE 32
#define METRICS_TYPE "\"type\":\""

/* The upper end of a bucket, and how that is written. */
struct metrics_step {
	int64_t most;
	const char *text;
};

static const struct metrics_step metrics_times[] = {
	{ 250, "0.00025" },
	{ 500, "0.0005" },
	{ 1000, "0.001" },
	{ 2500, "0.0025" },
	{ 5000, "0.005" },
	{ 10000, "0.01" },
	{ 25000, "0.025" },
	{ 50000, "0.05" },
	{ 100000, "0.1" },
	{ 250000, "0.25" },
	{ 500000, "0.5" },
	{ 1000000, "1" },
	{ 2500000, "2.5" },
	{ 5000000, "5" },
	{ 10000000, "10" },
};

static const struct metrics_step metrics_sizes[] = {
	{ 1, "1" },
	{ 2, "2" },
	{ 4, "4" },
	{ 8, "8" },
	{ 16, "16" },
	{ 32, "32" },
	{ 64, "64" },
	{ 128, "128" },
	{ 256, "256" },
};

#define METRICS_COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct metrics_histogram {
	uint64_t counts[METRICS_STEPS + 1];
	int64_t sum;
};

/* A number for each of the names that have come up. */
struct metrics_named {
	char name[METRICS_NAME_SIZE];
	uint64_t count;
};

/* Of each endpoint in the order of its table; the last: of none of them. */
static struct metrics_endpoint {
	uint64_t statuses[METRICS_STATUSES];
	struct metrics_histogram times;
} metrics_endpoints[METRICS_ENDPOINTS];

static struct metrics_histogram metrics_waits;
static struct metrics_histogram metrics_groups;
static struct metrics_named metrics_refusals[METRICS_NAMES];
static struct metrics_named metrics_sqlstates[METRICS_NAMES];
static uint64_t metrics_refused;
static uint64_t metrics_shed;
static uint64_t metrics_lost;
static uint64_t metrics_doubts;
static uint64_t metrics_jobs;
static uint64_t metrics_jobs_failed;
static uint64_t metrics_jobs_done;

/* To count ----------------------------------------------------------------- */

static void
metrics_add(struct metrics_histogram *histogram,
    const struct metrics_step *steps, size_t count, int64_t value)
{
	size_t i = 0;

	while (i < count && value > steps[i].most)
		i++;
	histogram->counts[i]++;
	histogram->sum += value;
}

/* The last place is for all names that find no other. */
static void
metrics_add_name(struct metrics_named *names, const char *name, size_t size)
{
	size_t i;

	if (size >= METRICS_NAME_SIZE)
		size = METRICS_NAME_SIZE - 1;
	for (i = 0; i < METRICS_NAMES - 1 && names[i].count > 0; i++) {
		if (strlen(names[i].name) == size &&
		    memcmp(names[i].name, name, size) == 0)
			break;
	}
	if (i == METRICS_NAMES - 1)
		snprintf(names[i].name, METRICS_NAME_SIZE, "other");
	else if (names[i].count == 0)
		memcpy(names[i].name, name, size);
	names[i].count++;
}

/* The type of an error stands last in its body, and is a word. */
static void
metrics_add_refusal(struct evbuffer *body)
{
	const size_t size = evbuffer_get_length(body);
	const char *text = (const char *)evbuffer_pullup(body, -1);
	const char *type = NULL, *found = text, *end;
	size_t length = 0;

	while (found != NULL) {
		end = text + size;
		found = memmem(found, (size_t)(end - found), METRICS_TYPE,
		    strlen(METRICS_TYPE));
		if (found != NULL)
			type = found += strlen(METRICS_TYPE);
	}
	if (type == NULL)
		return;
	while (type + length < text + size &&
	    (islower((unsigned char)type[length]) || type[length] == '_'))
		length++;
	metrics_add_name(metrics_refusals, type, length);
}

void
metrics_request(const struct endpoint *endpoint, int status,
    int64_t microseconds, struct evbuffer *body)
{
	size_t i =
	    endpoint != NULL ? (size_t)(endpoint - endpoints) : endpoints_count;

	if (i >= METRICS_ENDPOINTS)
		i = METRICS_ENDPOINTS - 1;
	if (status > 0 && status < METRICS_STATUSES)
		metrics_endpoints[i].statuses[status]++;
	metrics_add(&metrics_endpoints[i].times, metrics_times,
	    METRICS_COUNT(metrics_times), microseconds);
	if (status >= 400)
		metrics_add_refusal(body);
}

void
metrics_waited(int64_t microseconds)
{
	metrics_add(&metrics_waits, metrics_times, METRICS_COUNT(metrics_times),
	    microseconds);
}

void
metrics_group(long size)
{
	metrics_add(
	    &metrics_groups, metrics_sizes, METRICS_COUNT(metrics_sizes), size);
}

void
metrics_sqlstate(const char *sqlstate)
{
	metrics_add_name(metrics_sqlstates, sqlstate, strnlen(sqlstate, 2));
}

void
metrics_connection_refused(void)
{
	metrics_refused++;
}

void
metrics_answer_shed(void)
{
	metrics_shed++;
}

void
metrics_database_lost(void)
{
	metrics_lost++;
}

void
metrics_in_doubt(void)
{
	metrics_doubts++;
}

void
metrics_job(uint64_t done)
{
	metrics_jobs++;
	metrics_jobs_done += done;
}

void
metrics_job_failed(void)
{
	metrics_jobs_failed++;
}

/* To write ----------------------------------------------------------------- */

static void
metrics_write_number(struct evbuffer *page, const char *name, int64_t number)
{
	evbuffer_add_printf(page, "%s %" PRId64 "\n", name, number);
}

static void
metrics_write_named(struct evbuffer *page, const char *name, const char *label,
    const struct metrics_named *names)
{
	size_t i;

	for (i = 0; i < METRICS_NAMES; i++) {
		if (names[i].count > 0)
			evbuffer_add_printf(page, "%s{%s=\"%s\"} %" PRIu64 "\n",
			    name, label, names[i].name, names[i].count);
	}
}

/* labels is empty, or ends in a comma; divisor: of the sum. */
static void
metrics_write_histogram(struct evbuffer *page, const char *name,
    const char *labels, const struct metrics_histogram *histogram,
    const struct metrics_step *steps, size_t count, double divisor)
{
	const int length = (int)strlen(labels) - (*labels != '\0' ? 1 : 0);
	uint64_t sum = 0;
	size_t i;

	for (i = 0; i < count; i++) {
		sum += histogram->counts[i];
		evbuffer_add_printf(page,
		    "%s_bucket{%sle=\"%s\"} %" PRIu64 "\n", name, labels,
		    steps[i].text, sum);
	}
	sum += histogram->counts[count];
	evbuffer_add_printf(
	    page, "%s_bucket{%sle=\"+Inf\"} %" PRIu64 "\n", name, labels, sum);
	evbuffer_add_printf(page, "%s_sum%s%.*s%s %.6f\n", name,
	    length > 0 ? "{" : "", length, labels, length > 0 ? "}" : "",
	    (double)histogram->sum / divisor);
	evbuffer_add_printf(page, "%s_count%s%.*s%s %" PRIu64 "\n", name,
	    length > 0 ? "{" : "", length, labels, length > 0 ? "}" : "", sum);
}

static const char *
metrics_endpoint_name(size_t i)
{
	return (i < endpoints_count ? endpoints[i].function : "none");
}

static void
metrics_write_requests(struct evbuffer *page, const char *name)
{
	size_t i, status;

	for (i = 0; i <= endpoints_count && i < METRICS_ENDPOINTS; i++) {
		for (status = 0; status < METRICS_STATUSES; status++) {
			if (metrics_endpoints[i].statuses[status] == 0)
				continue;
			evbuffer_add_printf(page,
			    "%s{endpoint=\"%s\",status=\"%zu\"} %" PRIu64 "\n",
			    name, metrics_endpoint_name(i), status,
			    metrics_endpoints[i].statuses[status]);
		}
	}
}

static void
metrics_write_times(struct evbuffer *page, const char *name)
{
	char labels[128];
	size_t i;

	for (i = 0; i <= endpoints_count && i < METRICS_ENDPOINTS; i++) {
		snprintf(labels, sizeof(labels), "endpoint=\"%s\",",
		    metrics_endpoint_name(i));
		metrics_write_histogram(page, name, labels,
		    &metrics_endpoints[i].times, metrics_times,
		    METRICS_COUNT(metrics_times), 1e6);
	}
}

static void
metrics_write_log_lost(struct evbuffer *page, const char *name)
{
	metrics_write_number(page, name, (int64_t)log_lost());
}

static void
metrics_write_process_cpu(struct evbuffer *page, const char *name)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	evbuffer_add_printf(page, "%s %.6f\n", name,
	    (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
		(double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) /
		    1e6);
}

static void
metrics_write_process_memory(struct evbuffer *page, const char *name)
{
	FILE *file = fopen("/proc/self/statm", "re");
	long pages;

	if (file == NULL)
		return;
	if (fscanf(file, "%*d %ld", &pages) == 1)
		metrics_write_number(page, name, pages * getpagesize());
	fclose(file);
}

static void
metrics_write_process_descriptors(struct evbuffer *page, const char *name)
{
	DIR *directory = opendir("/proc/self/fd");
	int64_t count = -1; /* the directory itself */
	const struct dirent *entry;

	if (directory == NULL)
		return;
	while ((entry = readdir(directory)) != NULL)
		count += entry->d_name[0] != '.';
	closedir(directory);
	metrics_write_number(page, name, count);
}

static void
metrics_write_process_descriptors_most(struct evbuffer *page, const char *name)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
		metrics_write_number(page, name, (int64_t)limit.rlim_cur);
}

/* One line a metric: by what it is written is its kind. */
static const struct metrics_row {
	const char *name;
	const char *type;
	const char *help;
	void (*write)(struct evbuffer *page, const char *name);
	const uint64_t *counter;
	const struct metrics_named *names;
	const char *label;
	const struct metrics_histogram *histogram;
	const struct metrics_step *steps;
	size_t count;
	double divisor;
} metrics_rows[] = {
	{ .name = "coffer_requests_total",
	    .type = "counter",
	    .help = "Requests by endpoint and status.",
	    .write = metrics_write_requests },
	{ .name = "coffer_request_seconds",
	    .type = "histogram",
	    .help = "From a request's last byte to its answer.",
	    .write = metrics_write_times },
	{ .name = "coffer_refusals_total",
	    .type = "counter",
	    .help = "Refused requests by the type in their answer.",
	    .names = metrics_refusals,
	    .label = "type" },
	{ .name = "coffer_group_size",
	    .type = "histogram",
	    .help = "Reads that shared one transaction.",
	    .histogram = &metrics_groups,
	    .steps = metrics_sizes,
	    .count = METRICS_COUNT(metrics_sizes),
	    .divisor = 1 },
	{ .name = "coffer_queue_seconds",
	    .type = "histogram",
	    .help = "How long calls waited for a database connection.",
	    .histogram = &metrics_waits,
	    .steps = metrics_times,
	    .count = METRICS_COUNT(metrics_times),
	    .divisor = 1e6 },
	{ .name = "coffer_connections_refused_total",
	    .type = "counter",
	    .help = "Connections of clients closed before a request.",
	    .counter = &metrics_refused },
	{ .name = "coffer_answers_shed_total",
	    .type = "counter",
	    .help =
		"Connections closed before their answer was sent, for memory.",
	    .counter = &metrics_shed },
	{ .name = "coffer_database_errors_total",
	    .type = "counter",
	    .help = "Errors of PostgreSQL by class of SQLSTATE.",
	    .names = metrics_sqlstates,
	    .label = "class" },
	{ .name = "coffer_database_connections_lost_total",
	    .type = "counter",
	    .help = "Connections to PostgreSQL that broke or were not made.",
	    .counter = &metrics_lost },
	{ .name = "coffer_changes_in_doubt_total",
	    .type = "counter",
	    .help = "Changes sent again, as their outcome was not known.",
	    .counter = &metrics_doubts },
	{ .name = "coffer_job_runs_total",
	    .type = "counter",
	    .help = "Runs of the background jobs.",
	    .counter = &metrics_jobs },
	{ .name = "coffer_job_failures_total",
	    .type = "counter",
	    .help = "Runs of the background jobs that failed.",
	    .counter = &metrics_jobs_failed },
	{ .name = "coffer_job_done_total",
	    .type = "counter",
	    .help = "Things that the background jobs have done.",
	    .counter = &metrics_jobs_done },
	{ .name = "coffer_log_lines_lost_total",
	    .type = "counter",
	    .help = "Lines of the log that could not be written.",
	    .write = metrics_write_log_lost },
	{ .name = "process_cpu_seconds_total",
	    .type = "counter",
	    .help = "Processor time of the daemon.",
	    .write = metrics_write_process_cpu },
	{ .name = "process_resident_memory_bytes",
	    .type = "gauge",
	    .help = "Memory of the daemon.",
	    .write = metrics_write_process_memory },
	{ .name = "process_open_fds",
	    .type = "gauge",
	    .help = "Open descriptors.",
	    .write = metrics_write_process_descriptors },
	{ .name = "process_max_fds",
	    .type = "gauge",
	    .help = "Descriptors that may be open.",
	    .write = metrics_write_process_descriptors_most },
};

static void
metrics_write_row(struct evbuffer *page, const struct metrics_row *row)
{
	evbuffer_add_printf(page, "# HELP %s %s\n# TYPE %s %s\n", row->name,
	    row->help, row->name, row->type);
	if (row->write != NULL)
		row->write(page, row->name);
	else if (row->names != NULL)
		metrics_write_named(page, row->name, row->label, row->names);
	else if (row->histogram != NULL)
		metrics_write_histogram(page, row->name, "", row->histogram,
		    row->steps, row->count, row->divisor);
	else
		metrics_write_number(page, row->name, (int64_t)*row->counter);
}

static void
metrics_write_gauge(
    struct evbuffer *page, const char *name, const char *help, int64_t value)
{
	evbuffer_add_printf(page,
	    "# HELP %s %s\n# TYPE %s gauge\n%s %" PRId64 "\n", name, help, name,
	    name, value);
}

static void
metrics_write_audit(struct evbuffer *page, const struct metrics_audit *audit)
{
	metrics_write_gauge(page, "coffer_audit_seal_lag_seconds",
	    "Age of the oldest row of the audit without a signed seal.",
	    audit->seal_lag);
	metrics_write_gauge(page, "coffer_audit_unsealed_rows",
	    "Rows of the audit without a seal, at the most.", audit->unsealed);
	metrics_write_gauge(page, "coffer_audit_anchor_lag_seconds",
	    "Age of the oldest seal that is not anchored.", audit->anchor_lag);
	metrics_write_gauge(page, "coffer_audit_unanchored_seals",
	    "Seals that are not anchored.", audit->unanchored);
	metrics_write_gauge(page, "coffer_audit_months_ahead",
	    "Months after this one that the audit has partitions for.",
	    audit->months_ahead);
}

static void
metrics_write_warnings(struct evbuffer *page, struct json_object *warnings)
{
	static const char name[] = "coffer_warning";

	evbuffer_add_printf(page,
	    "# HELP %s Warnings of /ready, 1 each, by name.\n"
	    "# TYPE %s gauge\n",
	    name, name);
	json_object_object_foreach (warnings, warning, text) {
		(void)text;
		evbuffer_add_printf(page, "%s{name=\"%s\"} 1\n", name, warning);
	}
}

static void
metrics_write_jobs(struct evbuffer *page, const struct metrics_now *now)
{
	const char *name = "coffer_job_failing";
	size_t i;

	evbuffer_add_printf(page,
	    "# HELP %s Failures in a row of a job that keeps failing.\n"
	    "# TYPE %s gauge\n",
	    name, name);
	for (i = 0; i < now->jobs_count; i++)
		evbuffer_add_printf(page,
		    "%s{job=\"%s\",sqlstate=\"%s\"} %" PRId64 "\n", name,
		    now->jobs[i].name, now->jobs[i].sqlstate,
		    now->jobs[i].times);
}

void
metrics_write(struct evbuffer *page, const struct metrics_now *now)
{
	size_t i;

	for (i = 0; i < METRICS_COUNT(metrics_rows); i++)
		metrics_write_row(page, &metrics_rows[i]);
	metrics_write_gauge(page, "coffer_ready",
	    "Whether /ready says that the daemon serves.", now->ready);
	metrics_write_warnings(page, now->warnings);
	metrics_write_gauge(page, "coffer_connections",
	    "Connections of clients.", (int64_t)now->connections);
	metrics_write_gauge(page, "coffer_connections_busy",
	    "Of these, with a request that is not answered.",
	    (int64_t)now->busy);
	metrics_write_gauge(page, "coffer_request_memory_bytes",
	    "Memory that requests and answers take.", (int64_t)now->memory);
	metrics_write_gauge(page, "coffer_pool_size",
	    "Connections to PostgreSQL that there may be.", now->pool_size);
	metrics_write_gauge(page, "coffer_pool_open",
	    "Connections to PostgreSQL that serve.", now->pool_open);
	metrics_write_gauge(page, "coffer_pool_running",
	    "Of these, with calls that run.", now->pool_running);
	metrics_write_gauge(page, "coffer_queue_length",
	    "Calls that wait for a database connection.", now->queue);
	metrics_write_jobs(page, now);
	if (now->audit.known)
		metrics_write_audit(page, &now->audit);
}
