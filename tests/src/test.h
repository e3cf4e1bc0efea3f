/*
 * What every unit test includes: cmocka, and what cmocka needs before it.
 */
#ifndef COFFER_TEST_H
#define COFFER_TEST_H

/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#endif
