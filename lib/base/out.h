/* SPDX-License-Identifier: MIT
 * out.h - files written so that a half-written one is never seen. */
#ifndef MO_BASE_OUT_H
#define MO_BASE_OUT_H

#include <stdio.h>

#include "base/mem.h"
#include "base/os.h"
#include "base/out_temp.h"

/* A file being written beside `path`; commit flushes, fsyncs and renames it into place, drop removes it. */
typedef struct mo_out {
    FILE *stream;
    char *path;             /* as the caller has it */
    char *name;             /* of the target in its folder */
    mo_os_dir folder;       /* MO_OS_NO_DIR: written in place */
    char temp[MO_OUT_TEMP]; /* what is written in the folder; "": nothing */
    bool replaces;          /* a file: */
    mo_os_info was;
} mo_out;

/* IO: there is no writing there, and why: a folder, a block device, a socket, a symbolic link that leads to nothing or
 * in a circle, no permission.  A character device and a pipe are written in place. */
mopd_status mo_out_open(mo_out *out, const char *path);
mopd_status mo_out_write(mo_out *out, const void *bytes, size_t n);
mopd_status mo_out_commit(mo_out *out);
void mo_out_drop(mo_out *out);

/* IO: no file can have the name that the path ends in (mo_os_unfit). */
mopd_status mo_out_check_name(const char *path);

/* What mo_out_open would say of the path, and nothing is written. */
mopd_status mo_out_check(const char *path);

/* A whole file at once. */
mopd_status mo_out_save(const char *path, const void *bytes, size_t n);

#endif
