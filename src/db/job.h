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

struct job;
struct service;

/* A job that has failed so many times in a row, and with what the last time. */
struct job_fault {
	char name[JOB_NAME_SIZE];
	char sqlstate[SESSION_SQLSTATE_SIZE];
	int64_t times;
};

/*
 * Runs each job of job.list at every interval, each in a transaction of its
 * own, and all again at once while one of them finds work.
 */
struct job *job_new(struct service *service);
void job_free(struct job *job);

/*
 * The jobs that fail again and again.  Gives how many of them are in faults,
 * which has room for JOB_MAX.
 */
size_t job_faults(const struct job *job, struct job_fault *faults);

#endif
