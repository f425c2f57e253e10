/* SPDX-License-Identifier: MIT
 * places.c - a table of device and file numbers, half full at most. */
#include "base/places.h"

#include "base/hash.h"
#include "base/os.h"

static mo_places_slot *find(const mo_places *p, uint64_t device, uint64_t number)
{
    const uint64_t key[2] = {device, number};
    size_t at = (size_t)mo_hash_bytes(key, sizeof key) & (p->room - 1);
    while (p->slot[at].taken && (p->slot[at].device != device || p->slot[at].number != number))
        at = (at + 1) & (p->room - 1);
    return p->slot + at;
}

static mopd_status grow(mo_places *p)
{
    mo_places larger = {.n = p->n, .room = p->room ? 2 * p->room : 64};
    if (!(larger.slot = mo_mem_calloc(larger.room, sizeof *larger.slot))) return MOPD_E_NOMEM;
    for (size_t i = 0; i < p->room; i++)
        if (p->slot[i].taken) *find(&larger, p->slot[i].device, p->slot[i].number) = p->slot[i];
    mo_mem_free(p->slot);
    *p = larger;
    return MOPD_OK;
}

mopd_status mo_places_enter(mo_places *p, const char *path, bool *first)
{
    mo_os_info info;
    *first = false;
    if (!mo_os_info_path(&info, path) || info.kind != MO_OS_DIR) return MOPD_OK;
    if (2 * (p->n + 1) > p->room && grow(p) != MOPD_OK) return MOPD_E_NOMEM;
    mo_places_slot *slot = find(p, info.device, info.number);
    *first = !slot->taken;
    p->n += *first;
    *slot = (mo_places_slot){info.device, info.number, true};
    return MOPD_OK;
}

void mo_places_free(mo_places *p)
{
    mo_mem_free(p->slot);
    *p = (mo_places){0};
}
