/* SPDX-License-Identifier: MIT
 * stash.c - kept blocks, each with its size in the 64 bytes before it; places change hands by exchange. */
#include "base/stash.h"

#define HEAD 64u

static size_t size_of(const void *block)
{
    return *(const size_t *)(const void *)((const unsigned char *)block - HEAD);
}

static void drop(void *block)
{
    mo_free((unsigned char *)block - HEAD);
}

/* What lies in a place, which is empty then. */
static void *lift(mo_stash *stash, size_t place)
{
    void *block = atomic_exchange_explicit(&stash->kept[place], NULL, memory_order_acq_rel);
    if (block) atomic_fetch_sub_explicit(&stash->bytes, size_of(block), memory_order_relaxed);
    return block;
}

/* Into an empty place if there is one; its bytes are counted already. */
static bool put(mo_stash *stash, void *block)
{
    for (size_t i = 0; i < MO_STASH_BLOCKS; i++) {
        void *none = NULL;
        if (atomic_compare_exchange_strong_explicit(
                &stash->kept[i], &none, block, memory_order_acq_rel, memory_order_relaxed))
            return true;
    }
    return false;
}

static bool count(mo_stash *stash, size_t n)
{
    return atomic_fetch_add_explicit(&stash->bytes, n, memory_order_relaxed) + n <= stash->limit;
}

static void uncount(mo_stash *stash, size_t n)
{
    atomic_fetch_sub_explicit(&stash->bytes, n, memory_order_relaxed);
}

void *mo_stash_take(mo_stash *stash, size_t n)
{
    for (size_t i = 0; i < MO_STASH_BLOCKS; i++) {
        if (!atomic_load_explicit(&stash->kept[i], memory_order_relaxed)) continue;
        void *block = lift(stash, i);
        if (block && size_of(block) >= n) return block;
        if (block) mo_stash_give(stash, block);
    }
    size_t all;
    if (!mo_add(n, HEAD, &all)) all = SIZE_MAX;
    unsigned char *raw = mo_alloc(all, 1);
    if (!raw) return NULL;
    *(size_t *)(void *)raw = n;
    return raw + HEAD;
}

void mo_stash_give(mo_stash *stash, void *block)
{
    if (!block) return;
    const size_t n = size_of(block);
    for (size_t i = 0; n <= stash->limit; i++) {
        if (count(stash, n) && put(stash, block)) return;
        uncount(stash, n);
        if (i == MO_STASH_BLOCKS) break;
        void *old = lift(stash, i);
        if (old) drop(old);
    }
    drop(block);
}

void mo_stash_end(mo_stash *stash)
{
    for (size_t i = 0; i < MO_STASH_BLOCKS; i++) {
        void *block = lift(stash, i);
        if (block) drop(block);
    }
}
