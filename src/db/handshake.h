/*
 * The first statements on a new connection: whether the database is fit to be
 * served, its pepper, and the statements to prepare.  And on a connection that
 * serves, at intervals: whether its settings are still fit.
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
extern const struct columns handshake_older_columns;
extern const struct columns handshake_pepper_columns;
extern const struct columns handshake_epoch_columns;
extern const struct columns handshake_deploy_columns;

enum handshake_outcome {
	HANDSHAKE_GOES_ON,
	HANDSHAKE_READY,
	HANDSHAKE_REFUSED, /* why has been logged, each fault with its remedy */
};

enum handshake_step {
	HANDSHAKE_DEPLOY, /* waits until no deploy runs */
	HANDSHAKE_HELLO,
	HANDSHAKE_OLDER, /* asks an older release which schema it is */
	HANDSHAKE_EPOCH, /* the database lacks what was seen of it */
	HANDSHAKE_PEPPER,
	HANDSHAKE_PREPARE,
	HANDSHAKE_FORGET, /* deallocates all that is prepared */
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
	bool behind; /* the database lacks what newest holds: its only fault */
	bool unfit; /* refused because of what daemon.hello has found */
	bool older; /* daemon.hello is not what this build calls */
	bool examined; /* the settings were checked; refused if unfit */
	bool taken; /* the names of statements are taken */
	bool locked_out; /* it needs a root key that is not loaded */
	unsigned int revision; /* of the root keys that it was shown */
	unsigned int offer; /* of these; 0: they are those in use */
	struct keyring_wrapped made;
};

/*
 * Begins on a connected session, whose results and ends are passed to the next
 * two.  If root keys are reloaded meanwhile, it begins again.
 */
void handshake_start(struct handshake *handshake);
void handshake_result(struct handshake *handshake, const PGresult *result);
enum handshake_outcome handshake_finished(struct handshake *handshake);

/* Deallocates what is prepared, and prepares all statements again. */
void handshake_prepare_again(struct handshake *handshake);

/*
 * Checks the settings of a session again after its handshake: a client that
 * can make it run something can change them.  If that fails, because functions
 * are being replaced, the whole handshake is done again.
 */
void handshake_examine(struct handshake *handshake);

#endif
