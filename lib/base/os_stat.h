/* SPDX-License-Identifier: MIT
 * os_stat.h - what the files for POSIX share. */
#ifndef MO_BASE_OS_STAT_H
#define MO_BASE_OS_STAT_H

#include "base/os.h"

struct stat;

/* What stat and its kind have told, unless they `failed`. */
bool mo_os_stat_tell(mo_os_info *info, const struct stat *s, int failed);

#endif
