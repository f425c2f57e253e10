/* SPDX-License-Identifier: MIT
 * names.h - lists of names, and the names in a folder. */
#ifndef MO_BASE_NAMES_H
#define MO_BASE_NAMES_H

#include "base/mem.h"

/* Names in a folder without "." and "..", in byte order.  Free with mo_names_free. */
typedef struct mo_names {
    char **name;
    size_t n;
} mo_names;

mopd_status mo_names_dir(mo_names *names, const char *path);
mopd_status mo_names_add(mo_names *names, const char *name, size_t n_bytes);

/* Appends copies of n names; those before a failure stay. */
mopd_status mo_names_copy(mo_names *names, const char *const *from, size_t n);
void mo_names_free(mo_names *names);

#endif
