#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/metrics.h"
#include "db/columns.h"
#include "job/background.h"
#include "job/job.h"

/* Rows of one transaction, so that none of them is held for long. */
#define JOB_BATCH 500
#define JOB_TEXT_SIZE 12
#define JOB_FAULT_TIMES 3 /* in a row: one may be a lock, or a restart */
#define JOB_LETTERS "abcdefghijklmnopqrstuvwxyz_"

struct job {
	struct background background;
	char batch[JOB_TEXT_SIZE];
	/* As job.list gave them last, with their failures since they succeeded. */
	struct job_fault jobs[JOB_MAX];
	size_t count;
	size_t next; /* of this round */
	bool more; /* one of this round has done a whole batch */
};

static background_done job_listed, job_ran;

static void
job_begin(void *owner)
{
	struct job *job = owner;

	job->next = 0;
	job->more = false;
	background_query(&job->background, STATEMENT_JOB_LIST, 0, job_listed);
}

static void
job_run_next(struct job *job)
{
	struct background *background = &job->background;

	if (job->next < job->count) {
		background_text(background, 0, job->jobs[job->next].name);
		background_text(background, 1, job->batch);
		background_query(background, STATEMENT_JOB_RUN, 2, job_ran);
	} else if (job->more && !background_is_stopping(background)) {
		job_begin(job);
	} else {
		background_wait(background);
	}
}

/* Takes its failures along, if it was on the list before. */
static void
job_take(struct job *job, size_t i, const char *name)
{
	struct job_fault taken = { .times = 0 };
	size_t at = i;

	snprintf(taken.name, sizeof(taken.name), "%s", name);
	taken.name[strspn(taken.name, JOB_LETTERS)] = '\0';
	while (at < job->count && strcmp(job->jobs[at].name, taken.name) != 0)
		at++;
	if (at < job->count) {
		taken = job->jobs[at];
		job->jobs[at] = job->jobs[i];
	}
	job->jobs[i] = taken;
}

static void
job_listed(
    struct query *query, const PGresult *result, const struct error *error)
{
	struct job *job = query->owner;
	int i, count = columns_rows(result);

	if (error != NULL) {
		metrics_job_failed();
		return (background_wait(&job->background));
	}
	if (count > JOB_MAX)
		count = JOB_MAX;
	for (i = 0; i < count; i++)
		job_take(job, (size_t)i, columns_text(result, i, 0));
	job->count = (size_t)count;
	job_run_next(job);
}

static void
job_failed(struct job_fault *fault, const char *sqlstate)
{
	metrics_job_failed();
	/* A connection that was lost is no fault of the job. */
	if (*sqlstate == '\0')
		return;
	memcpy(fault->sqlstate, sqlstate, sizeof(fault->sqlstate));
	if (++fault->times == JOB_FAULT_TIMES)
		log_error("a job keeps failing", log_text("job", fault->name),
		    log_text("sqlstate", fault->sqlstate));
}

static void
job_ran(struct query *query, const PGresult *result, const struct error *error)
{
	struct job *job = query->owner;
	struct job_fault *one = &job->jobs[job->next++];
	const int64_t count = columns_number(result, 0, 0);

	if (error != NULL) {
		job_failed(one, query->sqlstate);
	} else {
		one->times = 0;
		metrics_job(count > 0 ? (uint64_t)count : 0);
	}
	if (count > 0)
		log_info("job done", log_text("job", one->name),
		    log_number("count", count));
	job->more = job->more || count >= JOB_BATCH;
	job_run_next(job);
}

struct job *
job_new(const struct background_host *host, long interval)
{
	struct job *job = memory_new(sizeof(*job));

	snprintf(job->batch, sizeof(job->batch), "%d", JOB_BATCH);
	background_start(
	    &job->background, host, "job", interval * 1000, job_begin, job);
	return (job);
}

void
job_free(struct job *job)
{
	if (job == NULL)
		return;
	background_stop(&job->background);
	memory_free(job);
}

size_t
job_faults(const struct job *job, const struct job_fault *faults[JOB_MAX])
{
	size_t count = 0, i;

	for (i = 0; i < job->count; i++) {
		if (job->jobs[i].times >= JOB_FAULT_TIMES)
			faults[count++] = &job->jobs[i];
	}
	return (count);
}
