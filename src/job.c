#include <endian.h>
#include <event2/event.h>
#include <stdio.h>
#include <string.h>

#include "job.h"
#include "log.h"
#include "memory.h"
#include "metrics.h"
#include "pool.h"
#include "service.h"

/* Rows of one transaction, so that none of them is held for long. */
#define JOB_BATCH 500
#define JOB_TEXT_SIZE 12

struct job {
	struct service *service;
	struct event *timer;
	struct query query;
	char batch[JOB_TEXT_SIZE];
};

static void
job_wait(struct job *job)
{
	struct timeval time = { job->service->settings.job_interval, 0 };

	evtimer_add(job->timer, &time);
}

static void job_done(struct query *, const PGresult *, const struct error *);

static void
job_run(struct job *job)
{
	job->query.statement = STATEMENT_JOB_RUN;
	job->query.parameters[0].value = job->batch;
	job->query.count = 1;
	/* Work that is done already is no more due. */
	job->query.repeatable = true;
	job->query.internal = true;
	job->query.label = "job";
	job->query.owner = job;
	job->query.done = job_done;
	if (!pool_run(job->service->pool, &job->query))
		job_wait(job);
}

static void
job_done(struct query *query, const PGresult *result, const struct error *error)
{
	struct job *job = query->owner;
	uint64_t count = 0;

	if (error != NULL)
		metrics_job_failed();
	else if (PQntuples(result) == 1 &&
	    PQgetlength(result, 0, 0) == sizeof(count)) {
		memcpy(&count, PQgetvalue(result, 0, 0), sizeof(count));
		count = be64toh(count);
		metrics_job(count);
	}
	if (count > 0)
		log_info("jobs done", log_number("count", (int64_t)count));
	if (count >= JOB_BATCH && !job->service->draining)
		job_run(job);
	else
		job_wait(job);
}

static void
job_tick(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	job_run(arg);
}

struct job *
job_new(struct service *service)
{
	struct job *job = memory_new(sizeof(*job));

	job->service = service;
	job->timer = evtimer_new(service->base, job_tick, job);
	snprintf(job->batch, sizeof(job->batch), "%d", JOB_BATCH);
	job_wait(job);
	return (job);
}

void
job_free(struct job *job)
{
	if (job == NULL)
		return;
	pool_abandon(&job->query);
	event_free(job->timer);
	memory_free(job);
}
