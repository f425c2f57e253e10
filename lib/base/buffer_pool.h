/* SPDX-License-Identifier: MIT
 * buffer_pool.h - blocks of working memory kept from one call to the next, for callers at the same time.
 *
 * A call takes a block that is large enough, or a new one, and gives it back when it ends.  No lock: a block is
 * in one place of the buffer pool or in one caller's hands.  What is kept never exceeds `limit` bytes; older
 * blocks go when a newer one needs their room. */
#ifndef MO_BASE_BUFFER_POOL_H
#define MO_BASE_BUFFER_POOL_H

#include <stdatomic.h>

#include "base/mem.h"

#define MO_BUFFER_POOL_BLOCKS 16

typedef struct mo_buffer_pool {
    _Atomic(void *) kept[MO_BUFFER_POOL_BLOCKS];
    atomic_size_t bytes; /* of the blocks kept */
    size_t limit;
} mo_buffer_pool;

/* Zeros (mo_mem_calloc) and a limit are a buffer pool without blocks. */

/* A block of at least n bytes at a multiple of 64, not cleared.  NULL when there is no room. */
void *mo_buffer_pool_take(mo_buffer_pool *pool, size_t n);

/* Ends the use of a block that mo_buffer_pool_take gave.  NULL is nothing. */
void mo_buffer_pool_give(mo_buffer_pool *pool, void *block);

/* Frees what is kept; nobody uses the buffer pool any more. */
void mo_buffer_pool_end(mo_buffer_pool *pool);

#endif
