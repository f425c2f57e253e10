/* SPDX-License-Identifier: MIT
 * foreign.h - files of other kinds that people give where weights, data or lists are wanted, told by their first bytes. */
#ifndef MO_FORMAT_FOREIGN_H
#define MO_FORMAT_FOREIGN_H

#include <stddef.h>

#include "base/fail.h"

/* What the file is and what would help; NULL for bytes of no kind that is known here.  262 bytes tell all kinds. */
const char *mo_foreign_kind(const void *bytes, size_t n);

/* FORMAT or UNSUPPORTED with that; OK for bytes of no kind that is known here. */
mopd_status mo_foreign_check(const void *bytes, size_t n, const char *path);

/* The same where weights are wanted, which no text of JSON is. */
mopd_status mo_foreign_weights(const void *bytes, size_t n, const char *path);

#endif
