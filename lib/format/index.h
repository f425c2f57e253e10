/* SPDX-License-Identifier: MIT
 * index.h - names sorted by bytes, so that one is found in log n steps whatever an adversary names things. */
#ifndef MO_FORMAT_INDEX_H
#define MO_FORMAT_INDEX_H

#include <stddef.h>

#include "base/mem.h"

typedef struct mo_index_item {
    const char *name;
    size_t at;
} mo_index_item;

/* Fill item[0 .. n-1] after opening, then sort. */
typedef struct mo_index {
    mo_index_item *item;
    size_t n;
} mo_index;

mopd_status mo_index_open(mo_index *index, size_t n);
void mo_index_close(mo_index *index);

/* Sorts; a name that occurs twice, or NULL. */
const char *mo_index_sort(mo_index *index);

/* What was stored with the name, SIZE_MAX when it is not there. */
size_t mo_index_find(const mo_index *index, const char *name);

#endif
