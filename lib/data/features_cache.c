/* SPDX-License-Identifier: MIT
 * features_cache.c - a sorted list of encoded pictures, searched by halving. */
#include "data/features_cache.h"

#include <stdlib.h>
#include <string.h>

#define HASH_DIGITS 64

mopd_status mo_features_cache_add(mo_features_cache *cache, const mo_features_entry *entry)
{
    if (cache->n == cache->cap) {
        size_t cap = cache->cap ? 2 * cache->cap : 256;
        mo_features_entry *grown = mo_mem_realloc(cache->entry, cap, sizeof *grown);
        if (!grown) return MOPD_E_NOMEM;
        cache->entry = grown;
        cache->cap = cap;
    }
    cache->entry[cache->n++] = *entry;
    return MOPD_OK;
}

static int compare_entries(const void *a, const void *b)
{
    const mo_features_entry *x = a, *y = b;
    int c = memcmp(x->hash, y->hash, HASH_DIGITS);
    return c ? c : (x->item > y->item) - (x->item < y->item);
}

void mo_features_cache_sort(mo_features_cache *cache)
{
    if (cache->n) qsort(cache->entry, cache->n, sizeof *cache->entry, compare_entries);
}

const mo_features_entry *mo_features_cache_find(const mo_features_cache *cache, const char *hash, size_t *n)
{
    size_t low = 0, high = cache->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (memcmp(cache->entry[middle].hash, hash, HASH_DIGITS) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    for (high = low; high < cache->n && !memcmp(cache->entry[high].hash, hash, HASH_DIGITS);) high++;
    *n = high - low;
    return *n ? cache->entry + low : NULL;
}

const mo_features_entry *mo_features_cache_take(const mo_features_cache *cache, const char *hash, bool plain)
{
    size_t n;
    const mo_features_entry *entry = mo_features_cache_find(cache, hash, &n);
    for (size_t i = 0; i < n; i++) {
        if (entry[i].plain == plain) return entry + i;
    }
    return NULL;
}

void mo_features_cache_free(mo_features_cache *cache)
{
    mo_mem_free(cache->entry);
    *cache = (mo_features_cache){0};
}
