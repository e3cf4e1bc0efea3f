/*
 * Reads settings: what the table says, then the file, then the environment.
 */
#ifndef COFFER_LOAD_H
#define COFFER_LOAD_H

#include <stdbool.h>
#include <stddef.h>

#include "base/settings.h"
#include "base/units.h"

/*
 * Reads path, lines `name = value`, where not NULL, and then COFFER_<NAME> of
 * the environment, which wins.  What the environment held is overwritten, so
 * that /proc shows it no more.  On false cause names what is wrong.
 */
bool load_settings(struct settings *values, const char *path, char *cause,
    size_t size) __attribute__((warn_unused_result));

/* The unit of a setting that is a number; false: it is a text. */
bool load_is_number(const struct setting *setting, enum units_base *unit);

#define LOAD_VARIABLE_SIZE 72

/* The name of a setting in the environment, for people. */
void load_variable(const char *name, char variable[LOAD_VARIABLE_SIZE]);

/* Frees and wipes the texts. */
void load_free(struct settings *values);

/* Whether region, of size bytes, is one of a comma list. */
bool load_has_region(const char *list, const char *region, size_t size);

#endif
