/* SPDX-License-Identifier: MIT
 * arena.h - one block a call, its size computed first, handed out in pieces at multiples of 64 bytes; a new
 * one, or one that earlier calls left in a pool.
 *
 *     mo_arena a = {0};                           first pass: no block, only counts
 *     float *x = mo_arena_rows(&a, rows, dim);    x is NULL in the counting pass
 *     mo_arena_open(&a) ... second pass, the same takes ... mo_arena_close(&a)
 *
 * With the takes in a function, mo_arena_fill makes both passes, and mo_arena_count tells their size without any. */
#ifndef MO_BASE_ARENA_H
#define MO_BASE_ARENA_H

#include "base/buffer_pool.h"

typedef struct mo_arena {
    unsigned char *base; /* NULL while counting */
    size_t used;         /* bytes taken so far, or SIZE_MAX after an overflow */
    size_t cap;
    mo_buffer_pool
        *pool; /* NULL, or where the block comes from and goes back to; set before the first take */
} mo_arena;

/* The next n floats, rows x width floats, or n x size bytes; NULL while counting.  What no size can count is told by mo_arena_open. */
float *mo_arena_floats(mo_arena *arena, size_t n);
float *mo_arena_rows(mo_arena *arena, size_t rows, size_t width);
void *mo_arena_take(mo_arena *arena, size_t n, size_t size);

/* Ends the counting pass: allocates what was counted and starts again from 0.  NOMEM. */
mopd_status mo_arena_open(mo_arena *arena);

/* Takes the pieces of one call, into variables of ctx: the same ones in the same order whenever it is called. */
typedef void (*mo_arena_take_fn)(mo_arena *arena, void *ctx);

/* Both passes.  NOMEM; INTERNAL: the second took another number of bytes than the first counted.  On failure
 * the arena is empty. */
mopd_status mo_arena_fill(mo_arena *arena, mo_arena_take_fn take, void *ctx);

/* The bytes that mo_arena_fill would allocate, SIZE_MAX after an overflow.  The variables of ctx are NULL afterwards. */
size_t mo_arena_count(mo_arena_take_fn take, void *ctx);

/* Frees the block, or gives it back, and zeroes the arena. */
void mo_arena_close(mo_arena *arena);

#endif
