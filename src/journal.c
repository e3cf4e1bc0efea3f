#include <syslog.h>

#include "journal.h"

void
journal_write(const char *line, size_t size)
{
	syslog(LOG_AUTHPRIV | LOG_NOTICE, "coffer %.*s", (int)size, line);
}
