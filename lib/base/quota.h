/* SPDX-License-Identifier: MIT
 * quota.h - the processors that a container may keep busy. */
#ifndef MO_BASE_QUOTA_H
#define MO_BASE_QUOTA_H

#include <stddef.h>

/* The smallest CPU quota of this process's control groups, as processors, rounded up; 0: there is none, or no
 * system that has such.  root is put before the paths of /proc and /sys: "" but in tests. */
size_t mo_quota_processors(const char *root);

#endif
