/* SPDX-License-Identifier: MIT
 * api_file.c - include/mopd/file.h: files of hosts that have no writer of their own. */
#include "api/api.h"
#include "base/out.h"
#include "format/foreign.h"
#include "mopd/file.h"

mopd_status mopd_file_save(const char *path, const void *bytes, size_t n_bytes)
{
    MO_API_NEED(path);
    if (n_bytes) MO_API_NEED(bytes);
    return mo_out_save(path, bytes, n_bytes);
}

mopd_status mopd_file_check(const char *path)
{
    MO_API_NEED(path);
    return mo_out_check(path);
}

const char *mopd_file_kind(const void *bytes, size_t n_bytes)
{
    return bytes ? mo_foreign_kind(bytes, n_bytes) : NULL;
}
