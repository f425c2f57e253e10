/* SPDX-License-Identifier: MIT
 * stash.h - blocks of working memory kept from one call to the next, for callers at the same time.
 *
 * A call takes a block that is large enough, or a new one, and gives it back when it ends.  No lock: a block is
 * in one place of the stash or in one caller's hands.  What is kept never exceeds `limit` bytes; older blocks go
 * when a newer one needs their room. */
#ifndef MO_BASE_STASH_H
#define MO_BASE_STASH_H

#include <stdatomic.h>

#include "base/mem.h"

#define MO_STASH_BLOCKS 16

typedef struct mo_stash {
    _Atomic(void *) kept[MO_STASH_BLOCKS];
    atomic_size_t bytes; /* of the blocks kept */
    size_t limit;
} mo_stash;

/* Zeros (mo_calloc) and a limit are a stash without blocks. */

/* A block of at least n bytes at a multiple of 64, not cleared.  NULL when there is no room. */
void *mo_stash_take(mo_stash *stash, size_t n);

/* Ends the use of a block that mo_stash_take gave.  NULL is nothing. */
void mo_stash_give(mo_stash *stash, void *block);

/* Frees what is kept; nobody uses the stash any more. */
void mo_stash_end(mo_stash *stash);

#endif
