#include <stdio.h>
#include <stdlib.h>

#include "audit/seal.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/settings.h"
#include "db/drift.h"
#include "db/pool.h"
#include "db/probe.h"
#include "db/retry.h"
#include "job/job.h"
#include "readiness.h"

#define READINESS_MONTHS_AHEAD 2 /* fewer are a reason to warn */
#define READINESS_AUDIT_LAG 60 /* seconds; as are more of these */
#define READINESS_COMMIT_WAIT 2 /* seconds; and of these */

/* Why the daemon does not serve ------------------------------------------- */

static const char *
readiness_stopping(const struct readiness *readiness)
{
	return (*readiness->stopping ? "stopping" : NULL);
}

static const char *
readiness_pool(const struct readiness *readiness)
{
	const char *fault = pool_fault(readiness->pool);

	if (pool_is_ready(readiness->pool) &&
	    !pool_takes_writes(readiness->pool))
		return ("the database takes no writes");
	if (pool_is_ready(readiness->pool))
		return (NULL);
	return (fault != NULL ? fault : "no fit database connection");
}

/* Calls fail when a commit takes as long as they may. */
static const char *
readiness_standby(const struct readiness *readiness)
{
	return (readiness->audit->known &&
		    readiness->audit->commit_wait * 1000 >=
			readiness->settings->request_deadline
		? "commits wait for a synchronous standby: see "
		  "pg_stat_replication"
		: NULL);
}

static const char *
readiness_unanswered(const struct readiness *readiness)
{
	return (drift_silence(readiness->drift));
}

static const char *
readiness_calls(const struct readiness *readiness)
{
	return (probe_fault(readiness->probe));
}

/* What has to be mended ---------------------------------------------------- */

static const char *
readiness_blind(const struct readiness *readiness)
{
	return (drift_is_blind(readiness->drift)
		? "the database takes no connection to look at it"
		: NULL);
}

static const char *
readiness_commit_wait(const struct readiness *readiness)
{
	return (readiness->audit->known &&
		    readiness->audit->commit_wait > READINESS_COMMIT_WAIT
		? "commits wait for a synchronous standby"
		: NULL);
}

static const char *
readiness_audit(const struct readiness *readiness)
{
	return (readiness->audit->known ? NULL : "nothing is known of it yet");
}

static const char *
readiness_months_ahead(const struct readiness *readiness)
{
	const struct seal_state *audit = readiness->audit;

	return (audit->known && audit->months_ahead < READINESS_MONTHS_AHEAD
		? "the audit runs out of partitions"
		: NULL);
}

static const char *
readiness_seal_lag(const struct readiness *readiness)
{
	return (readiness->audit->lag > READINESS_AUDIT_LAG
		? "the audit is not sealed"
		: NULL);
}

static const char *
readiness_anchor_lag(const struct readiness *readiness)
{
	return (readiness->audit->anchor_lag > READINESS_AUDIT_LAG
		? "seals are not anchored"
		: NULL);
}

/* With its SQLSTATE alone: PostgreSQL's own words may hold values. */
static const char *
readiness_jobs(const struct readiness *readiness)
{
	static char text[256];
	const struct job_fault *faults[JOB_MAX];
	const size_t count = job_faults(readiness->job, faults);
	const char *meaning;

	if (count == 0)
		return (NULL);
	meaning = retry_sqlstate(faults[0]->sqlstate)->meaning;
	snprintf(text, sizeof(text),
	    "job %s fails with SQLSTATE %s (%s), and %zu more jobs fail",
	    faults[0]->name, faults[0]->sqlstate,
	    meaning != NULL ? meaning : "see the log of PostgreSQL", count - 1);
	return (text);
}

/* Versions expire by the clock of the database, and are gone then. */
static const char *
readiness_clock(const struct readiness *readiness)
{
	static char text[128];
	const int64_t ahead = readiness->audit->clock_ahead;

	if (!readiness->audit->known || llabs(ahead) <= CLOCK_APART_MOST)
		return (NULL);
	snprintf(text, sizeof(text),
	    "the database's clock is %lld s %s the daemon's: set both by NTP",
	    llabs(ahead), ahead > 0 ? "ahead of" : "behind");
	return (text);
}

static const char *
readiness_log(const struct readiness *readiness)
{
	(void)readiness;
	return (log_takes_lines() ? NULL : "the log takes no lines");
}

/*
 * A new row is all that a new check needs.  A check without a name keeps the
 * daemon from serving: /ready is 503, and says the first text of these.  A
 * check with a name is a warning.  Warnings that the database can find by
 * itself are rows of rule.health instead (sql/rule/health.sql).
 */
static const struct readiness_check {
	const char *warning; /* its name; NULL: the daemon is not ready */
	const char *(*find)(
	    const struct readiness *readiness); /* NULL: nothing */
} readiness_checks[] = {
	{ NULL, readiness_stopping },
	{ NULL, readiness_pool },
	{ NULL, readiness_standby },
	{ NULL, readiness_unanswered },
	{ NULL, readiness_calls },
	{ "check", readiness_blind },
	{ "commit_wait", readiness_commit_wait },
	{ "audit", readiness_audit },
	{ "months_ahead", readiness_months_ahead },
	{ "seal_lag", readiness_seal_lag },
	{ "anchor_lag", readiness_anchor_lag },
	{ "jobs", readiness_jobs },
	{ "clock", readiness_clock },
	{ "log", readiness_log },
};

#define READINESS_CHECKS \
	(sizeof(readiness_checks) / sizeof(readiness_checks[0]))

const char *
readiness_reason(const struct readiness *readiness)
{
	const struct readiness_check *check;
	const char *reason = NULL;
	size_t i;

	for (i = 0; i < READINESS_CHECKS && reason == NULL; i++) {
		check = &readiness_checks[i];
		if (check->warning == NULL)
			reason = check->find(readiness);
	}
	return (reason);
}

struct json_object *
readiness_warnings(const struct readiness *readiness)
{
	struct json_object *warnings = json_object_new_object();
	const struct readiness_check *check;
	const char *text;
	size_t i;

	for (i = 0; i < READINESS_CHECKS; i++) {
		check = &readiness_checks[i];
		text = check->warning != NULL ? check->find(readiness) : NULL;
		if (text != NULL)
			json_object_object_add(warnings, check->warning,
			    json_object_new_string(text));
	}
	if (*readiness->warnings == NULL)
		return (warnings);
	json_object_object_foreach (*readiness->warnings, name, value) {
		json_object_object_add(warnings, name, json_object_get(value));
	}
	return (warnings);
}
