/* SPDX-License-Identifier: MIT
 * foreign.h - files of other kinds that people give where weights are wanted, told by their first bytes. */
#ifndef MO_FORMAT_FOREIGN_H
#define MO_FORMAT_FOREIGN_H

#include "base/fail.h"

/* FORMAT or UNSUPPORTED with what the file is and what would help; OK for bytes of no kind that is known here. */
mopd_status mo_foreign_check(const void *bytes, size_t n, const char *path);

#endif
