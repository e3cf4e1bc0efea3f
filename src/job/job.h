/*
 * The timer of the background jobs, which are all in SQL.
 */
#ifndef COFFER_JOB_H
#define COFFER_JOB_H

#include <stddef.h>
#include <stdint.h>

#include "db/session.h"

#define JOB_MAX 16
#define JOB_NAME_SIZE 40

struct background_host;
struct job;

/* A job that has failed so many times in a row, and its last SQLSTATE. */
struct job_fault {
	char name[JOB_NAME_SIZE];
	char sqlstate[SESSION_SQLSTATE_SIZE];
	int64_t times;
};

/*
 * Runs each job of job.list at every interval of seconds, each in a transaction
 * of its own, and all again at once while one of them finds work.
 */
struct job *job_new(const struct background_host *host, long interval);

/* Accepts NULL. */
void job_free(struct job *job);

/*
 * The jobs that fail again and again.  Returns how many of them are in faults;
 * they stay valid until the loop goes on.
 */
size_t
job_faults(const struct job *job, const struct job_fault *faults[JOB_MAX]);

#endif
