/* SPDX-License-Identifier: MIT
 * lookup.c - a table of names with open addressing, half of it free at least. */
#include "base/lookup.h"

#include <string.h>

mopd_status mo_lookup_open(mo_lookup *lookup, size_t most)
{
    size_t slots = 16;
    *lookup = (mo_lookup){.key = mo_hash_key_get()};
    while (slots / 2 < most && slots <= SIZE_MAX / 4) slots *= 2;
    lookup->slot = mo_mem_calloc(slots, sizeof *lookup->slot);
    lookup->mask = slots - 1;
    return lookup->slot ? MOPD_OK : MOPD_E_NOMEM;
}

void mo_lookup_close(mo_lookup *lookup)
{
    mo_mem_free(lookup->slot);
    *lookup = (mo_lookup){0};
}

/* The slot of a name: its own, or the free one where it would go. */
static mo_lookup_slot *slot_of(const mo_lookup *l, const char *name)
{
    size_t i = (size_t)mo_hash_keyed(&l->key, name, strlen(name)) & l->mask;
    while (l->slot[i].name && strcmp(l->slot[i].name, name) != 0) i = (i + 1) & l->mask;
    return l->slot + i;
}

size_t mo_lookup_find(const mo_lookup *lookup, const char *name)
{
    if (!lookup->slot) return SIZE_MAX;
    const mo_lookup_slot *slot = slot_of(lookup, name);
    return slot->name ? slot->place : SIZE_MAX;
}

size_t mo_lookup_add(mo_lookup *lookup, const char *name, size_t place)
{
    mo_lookup_slot *slot = slot_of(lookup, name);
    if (slot->name) return slot->place;
    *slot = (mo_lookup_slot){name, place};
    return SIZE_MAX;
}

void mo_lookup_set(mo_lookup *lookup, const char *name, size_t place)
{
    *slot_of(lookup, name) = (mo_lookup_slot){name, place};
}

mopd_status mo_lookup_names(mo_lookup *lookup, const char *const *names, size_t n)
{
    mopd_status st = mo_lookup_open(lookup, n);
    for (size_t i = 0; i < n && st == MOPD_OK; i++) mo_lookup_add(lookup, names[i], i);
    return st;
}
