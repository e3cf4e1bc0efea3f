/*
 * Rotates managed keys whose policy says that it is time.
 */
#ifndef COFFER_ROTATE_H
#define COFFER_ROTATE_H

struct rotate;
struct service;

/* Looks for such keys at every job_interval, and makes their rotations. */
struct rotate *rotate_new(struct service *service);
void rotate_free(struct rotate *rotate);

#endif
