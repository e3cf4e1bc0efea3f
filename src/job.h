/*
 * The timer of the background jobs, which are all in SQL.
 */
#ifndef COFFER_JOB_H
#define COFFER_JOB_H

struct job;
struct service;

/* Runs job.run at every interval, and again at once while it finds work. */
struct job *job_new(struct service *service);
void job_free(struct job *job);

#endif
