/* SPDX-License-Identifier: MIT
 * index.c - names sorted by bytes and found by halving. */
#include "format/index.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

mopd_status mo_index_open(mo_index *index, size_t n)
{
    index->n = 0;
    index->item = mo_mem_calloc(n, sizeof *index->item);
    if (!index->item) return MOPD_E_NOMEM;
    index->n = n;
    return MOPD_OK;
}

void mo_index_close(mo_index *index)
{
    mo_mem_free(index->item);
    index->item = NULL;
    index->n = 0;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const mo_index_item *)a)->name, ((const mo_index_item *)b)->name);
}

const char *mo_index_sort(mo_index *index)
{
    qsort(index->item, index->n, sizeof *index->item, by_name);
    for (size_t i = 1; i < index->n; i++)
        if (!strcmp(index->item[i - 1].name, index->item[i].name)) return index->item[i].name;
    return NULL;
}

size_t mo_index_find(const mo_index *index, const char *name)
{
    mo_index_item key = {name, 0};
    const mo_index_item *found = NULL;
    if (index->n) found = bsearch(&key, index->item, index->n, sizeof *index->item, by_name);
    return found ? found->at : SIZE_MAX;
}
