/* SPDX-License-Identifier: MIT
 * out.h - files written so that a half-written one is never seen. */
#ifndef MO_BASE_OUT_H
#define MO_BASE_OUT_H

#include <stdio.h>

#include "base/mem.h"

/* A file being written beside `path`; commit flushes, fsyncs and renames it into place, drop removes it. */
typedef struct mo_out {
    FILE *stream;
    char *path;
    char *temp;
} mo_out;

mopd_status mo_out_open(mo_out *out, const char *path);
mopd_status mo_out_write(mo_out *out, const void *bytes, size_t n);
mopd_status mo_out_commit(mo_out *out);
void mo_out_drop(mo_out *out);

#endif
