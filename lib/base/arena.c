/* SPDX-License-Identifier: MIT
 * arena.c - counts first, allocates once, hands out. */
#include "base/arena.h"

#include "base/ints.h"
#include "base/mem.h"

#define ALIGN 64u

void *mo_arena_take(mo_arena *arena, size_t n, size_t size)
{
    size_t bytes, padded, end;
    if (arena->used == SIZE_MAX) return NULL;
    if (!mo_mul(n, size, &bytes) || !mo_add(bytes, ALIGN - 1, &padded) ||
        !mo_add(arena->used, padded / ALIGN * ALIGN, &end)) {
        arena->used = SIZE_MAX;
        return NULL;
    }
    void *piece = arena->base && end <= arena->cap ? arena->base + arena->used : NULL;
    arena->used = end;
    return piece;
}

float *mo_arena_floats(mo_arena *arena, size_t n)
{
    return mo_arena_take(arena, n, sizeof(float));
}

float *mo_arena_rows(mo_arena *arena, size_t rows, size_t width)
{
    return mo_arena_floats(arena, mo_times(rows, width));
}

mopd_status mo_arena_open(mo_arena *arena)
{
    if (arena->used == SIZE_MAX) return mo_fail(MOPD_E_NOMEM, "out of memory: a working size overflows");
    arena->base = arena->pool ? mo_buffer_pool_take(arena->pool, arena->used) : mo_mem_alloc(arena->used, 1);
    if (!arena->base) return MOPD_E_NOMEM;
    arena->cap = arena->used;
    arena->used = 0;
    return MOPD_OK;
}

size_t mo_arena_count(mo_arena_take_fn take, void *ctx)
{
    mo_arena counting = {0};
    take(&counting, ctx);
    return counting.used;
}

mopd_status mo_arena_fill(mo_arena *arena, mo_arena_take_fn take, void *ctx)
{
    take(arena, ctx);
    mopd_status st = mo_arena_open(arena);
    if (st == MOPD_OK) {
        take(arena, ctx);
        if (arena->used == arena->cap) return MOPD_OK;
        st =
            mo_fail(MOPD_E_INTERNAL, "working memory: %zu bytes counted, %zu taken", arena->cap, arena->used);
    }
    mo_arena_close(arena);
    return st;
}

void mo_arena_close(mo_arena *arena)
{
    if (arena->pool)
        mo_buffer_pool_give(arena->pool, arena->base);
    else
        mo_mem_free(arena->base);
    *arena = (mo_arena){0};
}
