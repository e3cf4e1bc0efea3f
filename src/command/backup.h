/*
 * Reads what `coffer recover` has printed: one version a line, and the versions
 * of a secret one after the other.
 */
#ifndef COFFER_BACKUP_H
#define COFFER_BACKUP_H

#include <json-c/json.h>
#include <stddef.h>

#include "db/pgarray.h"

#define BACKUP_LINE_MAX (1024L * 1024) /* bytes */
#define BACKUP_SECRET_MAX (128L * 1024 * 1024) /* bytes of payloads */
#define BACKUP_FAULT_SIZE 128

enum backup_state {
	BACKUP_SECRET,
	BACKUP_END,
	BACKUP_FAULT,
};

/* A secret: its lines without their payloads, and these. */
struct backup_secret {
	struct json_object *versions; /* an array */
	struct pgarray data; /* bytea[] */
};

struct backup;

struct backup *backup_new(int fd);

/* Wipes what it holds; accepts NULL.  The descriptor stays open. */
void backup_free(struct backup *backup);

/*
 * Reads the next secret, which is to be given to backup_secret_free, whatever
 * is returned.  On BACKUP_FAULT fault says which line is wrong and why, without
 * any of its content; nothing more is to be read then.
 */
enum backup_state
backup_next(struct backup *backup, struct backup_secret *secret,
    char fault[BACKUP_FAULT_SIZE]) __attribute__((warn_unused_result));

/* Wipes the payloads. */
void backup_secret_free(struct backup_secret *secret);

#endif
