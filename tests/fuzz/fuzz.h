/* SPDX-License-Identifier: MIT
 * fuzz.h - what every fuzz target has.
 *
 * A target is a file fuzz_NAME.c that defines fuzz_one.  fuzz.c calls it for every input; libFuzzer or driver.c
 * makes the inputs.  No input may leave a block of the library behind. */
#ifndef MOPD_TESTS_FUZZ_FUZZ_H
#define MOPD_TESTS_FUZZ_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mopd/mopd.h"

/* One input.  The bytes lie in a block that is exactly n bytes long. */
void fuzz_one(const uint8_t *data, size_t n);

/* Ends the program and names the condition when it does not hold. */
#define FUZZ_MUST(condition) ((condition) ? (void)0 : fuzz_broken(__FILE__, __LINE__, #condition))
_Noreturn void fuzz_broken(const char *file, int line, const char *condition);

/* Whether a reader succeeded.  Ends the program when its failure has no message, or a status that no input can
 * cause: INTERNAL or NOMEM. */
bool fuzz_good(mopd_status st);

/* The same for a reader that hands something out: after a failure that must be NULL. */
#define FUZZ_READ(call, out) (fuzz_good(call) || fuzz_none(out))
bool fuzz_none(const void *out);

/* A number of 64 bits as a size, which it must be: what is in memory has been counted. */
size_t fuzz_size(uint64_t n);

/* Reads every byte, so that a sanitizer sees one that must not be read. */
void fuzz_touch(const void *bytes, size_t n);

#endif
