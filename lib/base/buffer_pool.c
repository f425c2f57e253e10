/* SPDX-License-Identifier: MIT
 * buffer_pool.c - kept blocks, each with its size in the 64 bytes before it; places change hands by exchange. */
#include "base/buffer_pool.h"

#include "base/mem.h"

#define HEAD 64u

static size_t size_of(const void *block)
{
    return *(const size_t *)(const void *)((const unsigned char *)block - HEAD);
}

static void drop(void *block)
{
    mo_mem_free((unsigned char *)block - HEAD);
}

/* What lies in a place, which is empty then. */
static void *lift(mo_buffer_pool *pool, size_t place)
{
    void *block = atomic_exchange_explicit(&pool->kept[place], NULL, memory_order_acq_rel);
    if (block) atomic_fetch_sub_explicit(&pool->bytes, size_of(block), memory_order_relaxed);
    return block;
}

/* Into an empty place if there is one; its bytes are counted already. */
static bool put(mo_buffer_pool *pool, void *block)
{
    for (size_t i = 0; i < MO_BUFFER_POOL_BLOCKS; i++) {
        void *none = NULL;
        if (atomic_compare_exchange_strong_explicit(
                &pool->kept[i], &none, block, memory_order_acq_rel, memory_order_relaxed))
            return true;
    }
    return false;
}

static bool count(mo_buffer_pool *pool, size_t n)
{
    return atomic_fetch_add_explicit(&pool->bytes, n, memory_order_relaxed) + n <= pool->limit;
}

static void uncount(mo_buffer_pool *pool, size_t n)
{
    atomic_fetch_sub_explicit(&pool->bytes, n, memory_order_relaxed);
}

void *mo_buffer_pool_take(mo_buffer_pool *pool, size_t n)
{
    for (size_t i = 0; i < MO_BUFFER_POOL_BLOCKS; i++) {
        if (!atomic_load_explicit(&pool->kept[i], memory_order_relaxed)) continue;
        void *block = lift(pool, i);
        if (block && size_of(block) >= n) return block;
        if (block) mo_buffer_pool_give(pool, block);
    }
    size_t all;
    if (!mo_add(n, HEAD, &all)) all = SIZE_MAX;
    unsigned char *raw = mo_mem_alloc(all, 1);
    if (!raw) return NULL;
    *(size_t *)(void *)raw = n;
    return raw + HEAD;
}

void mo_buffer_pool_give(mo_buffer_pool *pool, void *block)
{
    if (!block) return;
    const size_t n = size_of(block);
    for (size_t i = 0; n <= pool->limit; i++) {
        if (count(pool, n) && put(pool, block)) return;
        uncount(pool, n);
        if (i == MO_BUFFER_POOL_BLOCKS) break;
        void *old = lift(pool, i);
        if (old) drop(old);
    }
    drop(block);
}

void mo_buffer_pool_end(mo_buffer_pool *pool)
{
    for (size_t i = 0; i < MO_BUFFER_POOL_BLOCKS; i++) {
        void *block = lift(pool, i);
        if (block) drop(block);
    }
}
