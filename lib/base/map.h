/* SPDX-License-Identifier: MIT
 * map.h - a file's bytes, mapped or read. */
#ifndef MO_BASE_MAP_H
#define MO_BASE_MAP_H

#include "base/mem.h"

/* Which file it was, and in which state; `known` is not set where the bytes are the caller's. */
typedef struct mo_map_id {
    bool known, mapped;
    uint64_t device, inode, size;
    int64_t written[2], changed[2]; /* seconds, nanoseconds */
} mo_map_id;

/* Two mappings, or two copies, of the same file in the same state. */
bool mo_map_id_same(const mo_map_id *a, const mo_map_id *b);

/* A file's bytes: a private read-only mapping, or a block of memory. */
typedef struct mo_map {
    const unsigned char *data;
    size_t size;
    bool mapped;
    mo_map_id id;
} mo_map;

/* Maps path, or reads it when `read` is set.  IO names path and the system's reason; a directory is IO too.  NOMEM: a file of
 * more bytes than half of all addresses. */
mopd_status mo_map_open(mo_map *map, const char *path, bool read);
void mo_map_close(mo_map *map);

/* Tells the system that these bytes of a mapping are not needed now; nothing for memory. */
void mo_map_release(const mo_map *map, const void *start, size_t n_bytes);

#endif
