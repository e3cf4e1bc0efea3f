/*
 * What is said on a new connection before it serves: whether this is a
 * database that may be served, what its pepper is, and what will be asked.
 * And on one that serves, from time to time: whether it still may.
 */
#ifndef COFFER_HANDSHAKE_H
#define COFFER_HANDSHAKE_H

#include <stdbool.h>

#include "db/columns.h"
#include "db/newest.h"
#include "db/session.h"
#include "keys/keyring.h"

#define HANDSHAKE_FAULT_SIZE 512

/* What its statements give. */
extern const struct columns handshake_hello_columns;
extern const struct columns handshake_pepper_columns;
extern const struct columns handshake_epoch_columns;
extern const struct columns handshake_deploy_columns;

enum handshake_outcome {
	HANDSHAKE_GOES_ON,
	HANDSHAKE_READY,
	HANDSHAKE_REFUSED, /* why has been logged, each fault with its remedy */
};

enum handshake_step {
	HANDSHAKE_DEPLOY, /* what a deploy has done in part would look amiss */
	HANDSHAKE_HELLO,
	HANDSHAKE_EPOCH, /* the database lacks what was seen of it */
	HANDSHAKE_PEPPER,
	HANDSHAKE_PREPARE,
	HANDSHAKE_FORGET, /* what is prepared there, and then */
	HANDSHAKE_PREPARE_AGAIN,
	HANDSHAKE_EXAMINE,
};

struct handshake {
	struct session *session;
	struct keyring *keyring;
	struct newest *newest;
	const char *instance; /* the daemon's UUID */
	bool begins_epoch; /* where the database lacks what newest holds */
	enum handshake_step step;
	bool refused;
	char fault[HANDSHAKE_FAULT_SIZE]; /* the first, when refused */
	bool behind; /* that is the case, and its only fault */
	bool unfit; /* by what the database itself has said */
	bool examined; /* and found fit, or else refused */
	bool taken; /* statements of these names are there already */
	bool locked_out; /* it needs a root key that is not loaded */
	unsigned int offer; /* of root keys that it was shown; 0: those had */
	struct keyring_wrapped made;
};

/* Begins on a connected session whose events are given on to the next two. */
void handshake_start(struct handshake *greet);
void handshake_result(struct handshake *greet, const PGresult *result);
enum handshake_outcome handshake_finished(struct handshake *greet);

/* Forgets what is prepared, and prepares all statements again. */
void handshake_prepare_again(struct handshake *greet);

/*
 * Has the settings of a session that was greeted looked at once more: who can
 * make it run something can change them until its end.  If that cannot be
 * done, since functions are being replaced, it is greeted as a new one.
 */
void handshake_examine(struct handshake *greet);

#endif
