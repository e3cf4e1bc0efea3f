#include "base/methods.h"

const struct method methods[] = {
	{ EVHTTP_REQ_DELETE, "DELETE" },
	{ EVHTTP_REQ_GET, "GET" },
	{ EVHTTP_REQ_HEAD, "HEAD" },
	{ EVHTTP_REQ_OPTIONS, "OPTIONS" },
	{ EVHTTP_REQ_PATCH, "PATCH" },
	{ EVHTTP_REQ_POST, "POST" },
	{ EVHTTP_REQ_PUT, "PUT" },
	{ EVHTTP_REQ_TRACE, "TRACE" },
};

const size_t methods_count = sizeof(methods) / sizeof(methods[0]);

const char *
method_name(enum evhttp_cmd_type type)
{
	size_t i;

	for (i = 0; i < methods_count; i++) {
		if (methods[i].type == type)
			return (methods[i].name);
	}
	return (NULL);
}

unsigned short
methods_all(void)
{
	unsigned int all = 0;
	size_t i;

	for (i = 0; i < methods_count; i++)
		all |= methods[i].type;
	return ((unsigned short)all);
}
