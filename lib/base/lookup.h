/* SPDX-License-Identifier: MIT
 * lookup.h - names to places, in constant time whatever the names are.
 *
 * The table is of a fixed size and keeps pointers to the names, which must outlive it.  Start from {0}. */
#ifndef MO_BASE_LOOKUP_H
#define MO_BASE_LOOKUP_H

#include "base/hash.h"
#include "base/mem.h"

typedef struct mo_lookup_slot {
    const char *name; /* NULL: free */
    size_t place;
} mo_lookup_slot;

typedef struct mo_lookup {
    mo_lookup_slot *slot;
    size_t mask;
    mo_hash_key key;
} mo_lookup;

/* Room for `most` different names. */
mopd_status mo_lookup_open(mo_lookup *lookup, size_t most);
void mo_lookup_close(mo_lookup *lookup);

/* The place of a name, SIZE_MAX when it has none; a table that was never opened has no names. */
size_t mo_lookup_find(const mo_lookup *lookup, const char *name);

/* Gives a name a place unless it has one: the place it had, SIZE_MAX when it is new. */
size_t mo_lookup_add(mo_lookup *lookup, const char *name, size_t place);

/* Gives a name a place, whether or not it had one. */
void mo_lookup_set(mo_lookup *lookup, const char *name, size_t place);

/* Opens a table of n names; of equal ones the first counts. */
mopd_status mo_lookup_names(mo_lookup *lookup, const char *const *names, size_t n);

#endif
