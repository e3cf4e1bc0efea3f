/*
 * What is said on a new connection before it serves: whether this is a
 * database that may be served, what its pepper is, and what will be asked.
 * And on one that serves, from time to time: whether it still may.
 */
#ifndef COFFER_GREET_H
#define COFFER_GREET_H

#include <stdbool.h>

#include "keyring.h"
#include "newest.h"
#include "session.h"

#define GREET_FAULT_SIZE 512

enum greet_outcome {
	GREET_GOES_ON,
	GREET_READY,
	GREET_REFUSED, /* why has been logged, each fault with its remedy */
};

enum greet_step {
	GREET_DEPLOY, /* what a deploy has done in part would look amiss */
	GREET_HELLO,
	GREET_EPOCH, /* the database lacks what was seen of it */
	GREET_PEPPER,
	GREET_PREPARE,
	GREET_FORGET, /* what is prepared there, and then */
	GREET_PREPARE_AGAIN,
	GREET_EXAMINE,
};

struct greet {
	struct session *session;
	struct keyring *keyring;
	struct newest *newest;
	const char *instance; /* the daemon's UUID */
	bool begins_epoch; /* where the database lacks what newest holds */
	enum greet_step step;
	bool refused;
	char fault[GREET_FAULT_SIZE]; /* the first, when refused */
	bool behind; /* that is the case, and its only fault */
	bool unfit; /* by what the database itself has said */
	bool examined; /* and found fit, or else refused */
	bool taken; /* statements of these names are there already */
	bool locked_out; /* it needs a root key that is not loaded */
	unsigned int offer; /* of root keys that it was shown; 0: those had */
	struct keyring_wrapped made;
};

/* Begins on a connected session whose events are given on to the next two. */
void greet_start(struct greet *greet);
void greet_result(struct greet *greet, const PGresult *result);
enum greet_outcome greet_finished(struct greet *greet);

/* Forgets what is prepared, and prepares all statements again. */
void greet_prepare_again(struct greet *greet);

/*
 * Has the settings of a session that was greeted looked at once more: who can
 * make it run something can change them until its end.  If that cannot be
 * done, since functions are being replaced, it is greeted as a new one.
 */
void greet_examine(struct greet *greet);

#endif
