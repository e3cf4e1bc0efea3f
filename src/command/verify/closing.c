#include <openssl/evp.h>
#include <string.h>

#include "base/crypto.h"
#include "base/memory.h"
#include "command/verify/closing.h"

#define CLOSING_LABEL "coffer-mo1"

struct closing_month {
	int64_t month, last; /* the number of its last seal */
	EVP_MD_CTX *hashes; /* of its seals, so far */
	bool closed; /* by the last */
	struct closing_month *next;
};

void
closing_free(struct closing *closing)
{
	struct closing_month *month;

	while ((month = closing->months) != NULL) {
		closing->months = month->next;
		EVP_MD_CTX_free(month->hashes);
		memory_free(month);
	}
}

static struct closing_month *
closing_month(struct closing *closing, int64_t number)
{
	struct closing_month *month;

	for (month = closing->months; month != NULL; month = month->next) {
		if (month->month == number)
			return (month);
	}
	month = memory_new(sizeof(*month));
	month->month = number;
	month->hashes = EVP_MD_CTX_new();
	EVP_DigestInit_ex(month->hashes, EVP_sha256(), NULL);
	EVP_DigestUpdate(
	    month->hashes, CLOSING_LABEL, sizeof(CLOSING_LABEL) - 1);
	month->next = closing->months;
	closing->months = month;
	return (month);
}

static bool
closing_is_over(const struct closing_month *month, const unsigned char *root)
{
	EVP_MD_CTX *hashes = EVP_MD_CTX_new();
	unsigned char computed[CRYPTO_SHA256_SIZE];

	EVP_MD_CTX_copy_ex(hashes, month->hashes);
	EVP_DigestFinal_ex(hashes, computed, NULL);
	EVP_MD_CTX_free(hashes);
	return (memcmp(computed, root, sizeof(computed)) == 0);
}

bool
closing_seal(struct closing *closing, int64_t number, int64_t no,
    bool may_close, const unsigned char *root, const unsigned char *hash)
{
	struct closing_month *month = closing_month(closing, number);

	month->last = no;
	month->closed = may_close && closing_is_over(month, root);
	EVP_DigestUpdate(month->hashes, hash, CRYPTO_SHA256_SIZE);
	return (month->closed);
}

bool
closing_is_open(const struct closing *closing, int64_t *no)
{
	const struct closing_month *month;

	for (month = closing->months; month != NULL; month = month->next) {
		if (!month->closed) {
			*no = month->last;
			return (true);
		}
	}
	return (false);
}
