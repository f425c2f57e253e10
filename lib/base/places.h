/* SPDX-License-Identifier: MIT
 * places.h - folders told apart by what they are, not by the path: links lead to one in many ways. */
#ifndef MO_BASE_PLACES_H
#define MO_BASE_PLACES_H

#include "base/mem.h"

typedef struct mo_places_slot {
    uint64_t device, number;
    bool taken;
} mo_places_slot;

/* Folders that a walk has come to.  Start from {0}, end with mo_places_free. */
typedef struct mo_places {
    mo_places_slot *slot;
    size_t n, room;
} mo_places;

/* *first: a folder lies at path, and no path before it led there. */
mopd_status mo_places_enter(mo_places *p, const char *path, bool *first);

void mo_places_free(mo_places *p);

#endif
