/* SPDX-License-Identifier: MIT
 * features_cache.h - features that are there already, found by the content of a picture. */
#ifndef MO_DATA_FEATURES_CACHE_H
#define MO_DATA_FEATURES_CACHE_H

#include <stdint.h>

#include "base/mem.h"

/* One encoded picture.  Neither text nor numbers are its own. */
typedef struct mo_features_entry {
    const char *hash;      /* 64 digits */
    const float *features; /* V x D */
    size_t item;           /* of the known data, SIZE_MAX: of a journal */
    bool plain;            /* all views are the plain picture */
} mo_features_entry;

typedef struct mo_features_cache {
    mo_features_entry *entry;
    size_t n, cap;
} mo_features_cache;

mopd_status mo_features_cache_add(mo_features_cache *cache, const mo_features_entry *entry);

/* Behind the last add and before the first look: entries by content, those of the known data first. */
void mo_features_cache_sort(mo_features_cache *cache);

/* The n entries of a content, NULL where there is none. */
const mo_features_entry *mo_features_cache_find(const mo_features_cache *cache, const char *hash, size_t *n);

/* The one of these views; NULL. */
const mo_features_entry *mo_features_cache_take(const mo_features_cache *cache, const char *hash, bool plain);

void mo_features_cache_free(mo_features_cache *cache);

#endif
