#include <stdio.h>
#include <string.h>

#include "command_root_key.h"
#include "root_key.h"

int
command_root_key(int argc, char **argv)
{
	char id[ROOT_KEY_ID_SIZE], cause[256] = "";

	if (argc != 2 || strcmp(argv[0], "generate") != 0) {
		fprintf(stderr, "usage: coffer root-key generate FILE\n");
		return (2);
	}
	if (!root_key_generate(argv[1], id, cause, sizeof(cause))) {
		fprintf(
		    stderr, "coffer: unable to write %s: %s\n", argv[1], cause);
		return (1);
	}
	printf("%s\n", id);
	fprintf(stderr,
	    "HINT: without a copy of this file in a safe place, no backup of "
	    "the database can be read\n");
	return (0);
}
