/* SPDX-License-Identifier: MIT
 * opts.h - option structs that grow: first field uint32_t struct_size, fields only appended.
 *
 * A caller compiled against an older header hands in a shorter struct (the rest gets defaults); one compiled against a
 * newer header a longer one, fine as long as what we do not know is zero. */
#ifndef MO_BASE_OPTS_H
#define MO_BASE_OPTS_H

#include "base/fail.h"

/* mopd_x_options_init: copies as much of `defaults` (n_known bytes) as the caller has room for (struct_size bytes),
 * zeroes the rest, sets struct_size.  ARG below n_first bytes, the size in the first release. */
mopd_status mo_opts_init(
    void *options, size_t struct_size, const void *defaults, size_t n_known, size_t n_first);

/* Reads a caller's struct (NULL: all defaults) into `out`, n_known bytes.  ARG below n_first; VERSION when bytes
 * beyond n_known are not zero.  `name` goes into the message. */
mopd_status mo_opts_read(
    void *out, const void *options, const void *defaults, size_t n_known, size_t n_first, const char *name);

#endif
