/*
 * What closes a month: a seal over no rows, whose root is over the hashes of
 * all seals of the month before it.  So a month that was exported shows by
 * itself when seals are missing, wherever they were cut out.
 */
#ifndef COFFER_CLOSING_H
#define COFFER_CLOSING_H

#include <stdbool.h>
#include <stdint.h>

struct closing_month;

struct closing {
	/* The latest first, as nearly all seals are of that. */
	struct closing_month *months;
};

void closing_free(struct closing *closing);

/*
 * The next seal, in the order of seals.  may_close: it is over no rows and no
 * transactions.  True: it closes its month.
 */
bool closing_seal(struct closing *closing, int64_t month, int64_t no,
    bool may_close, const unsigned char *root, const unsigned char *hash);

/* The last seal of a month that it does not close; false: there is none. */
bool closing_is_open(const struct closing *closing, int64_t *no);

#endif
