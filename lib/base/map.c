/* SPDX-License-Identifier: MIT
 * map.c - a file's bytes, mapped or read, and its pages given back. */
#include "base/map.h"

#include <string.h>

#include "base/fence.h"
#include "base/file.h"
#include "base/ints.h"
#include "base/mem.h"
#include "base/os.h"

static mopd_status read_block(mo_map *map, int fd, const char *path)
{
    unsigned char *block = mo_mem_alloc(map->size, 1);
    if (!block) return MOPD_E_NOMEM;
    size_t got;
    mopd_status st = mo_file_read_bytes(fd, block, map->size, &got, path);
    if (st == MOPD_OK && got != map->size)
        st = mo_fail(MOPD_E_IO, "%s: ended at byte %zu of %zu while being read", path, got, map->size);
    if (st != MOPD_OK) {
        mo_mem_free(block);
        return st;
    }
    map->data = block;
    return MOPD_OK;
}

static mopd_status map_pages(mo_map *map, int fd, const char *path)
{
    map->data = mo_os_map(fd, map->size);
    map->mapped = map->data != NULL;
    return map->mapped ? MOPD_OK : mo_fail_errno(MOPD_E_IO, "%s: cannot map %zu bytes", path, map->size);
}

static mo_map_id identify(int fd, bool mapped)
{
    mo_os_info s;
    if (!mo_os_info_file(&s, fd)) return (mo_map_id){0};
    return (mo_map_id){
        true, mapped, s.device, s.number, s.size, {s.written[0], s.written[1]}, {s.changed[0], s.changed[1]}};
}

bool mo_map_id_same(const mo_map_id *a, const mo_map_id *b)
{
    return a->known && b->known && a->mapped == b->mapped && a->device == b->device && a->inode == b->inode &&
           a->size == b->size && !memcmp(a->written, b->written, sizeof a->written) &&
           !memcmp(a->changed, b->changed, sizeof a->changed);
}

/* From the file's end to that of its last page. */
static size_t behind(const mo_map *map)
{
    return mo_round_up(map->size, mo_os_page()) - map->size;
}

mopd_status mo_map_open(mo_map *map, const char *path, bool read)
{
    *map = (mo_map){0};
    int fd;
    uint64_t size;
    mopd_status st = mo_file_open(&fd, &size, path);
    if (st != MOPD_OK) return st;
    st = mo_file_size(&map->size, size, MO_FILE_MOST, path);
    if (st == MOPD_OK) st = read || map->size == 0 ? read_block(map, fd, path) : map_pages(map, fd, path);
    if (MO_FENCE && map->mapped) mo_fence_set(map->data + map->size, behind(map));
    map->id = identify(fd, map->mapped);
    mo_os_close(fd);
    if (st != MOPD_OK) *map = (mo_map){0};
    return st;
}

void mo_map_close(mo_map *map)
{
    if (map->mapped) {
        if (MO_FENCE) mo_fence_lift(map->data + map->size, behind(map));
        mo_os_unmap((void *)(uintptr_t)map->data, map->size);
    } else {
        mo_mem_free((void *)(uintptr_t)map->data);
    }
    *map = (mo_map){0};
}

void mo_map_release(const mo_map *map, const void *start, size_t n_bytes)
{
    if (!map->mapped) return;
    const uintptr_t page = mo_os_page();
    uintptr_t from = mo_round_up((uintptr_t)start, page);
    uintptr_t to = ((uintptr_t)start + n_bytes) / page * page;
    if (to > from) mo_os_forget((void *)from, to - from);
}
