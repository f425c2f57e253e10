/* SPDX-License-Identifier: MIT
 * cores.h - processors that are worth a thread, where they are unlike: big and little ones. */
#ifndef MO_BASE_CORES_H
#define MO_BASE_CORES_H

#include <stdbool.h>
#include <stddef.h>

/* How many of the n processors that are `mine` have at least half the capacity of the best of them, as Linux tells it on ARM and
 * RISC-V; 0 where it does not.  With a slow one for each fast one, whoever waits for all at the end of a layer waits for the slow.  root is
 * put before the paths of /sys: "" but in tests. */
size_t mo_cores_fast(const char *root, size_t n, bool (*mine)(size_t processor));

#endif
