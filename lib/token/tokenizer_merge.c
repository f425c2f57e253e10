/* SPDX-License-Identifier: MIT
 * tokenizer_merge.c - pairs of ids joined, lowest rank first, leftmost first (Sennrich, Haddow, Birch 2016); and ids
 * that grow. */
#include <string.h>

#include "base/ints.h"
#include "base/mem.h"
#include "token/tokenizer_table.h"

mopd_status mo_tokenizer_room(mo_tokens *tokens, size_t n)
{
    size_t need;
    if (!mo_add(tokens->n, n, &need))
        return mo_fail(MOPD_E_NOMEM, "out of memory: %zu + %zu ids", tokens->n, n);
    if (need <= tokens->cap) return MOPD_OK;
    size_t cap = tokens->cap < 64 ? 128 : tokens->cap + tokens->cap / 2;
    if (cap < need) cap = need;
    uint32_t *id = mo_mem_realloc(tokens->id, cap, sizeof *id);
    if (!id) return MOPD_E_NOMEM;
    tokens->id = id;
    tokens->cap = cap;
    return MOPD_OK;
}

/* Pairs of a short word: ids in work[0 .. n), ranks of the pairs behind; the lowest rank is sought
 * anew each time. */
static size_t merge_short(const mo_tokenizer *t, uint32_t *id, size_t n)
{
    uint32_t *rank = id + n;
    for (size_t i = 0; i + 1 < n; i++) rank[i] = mo_tokenizer_merge(t, id[i], id[i + 1]);
    while (n > 1) {
        size_t best = 0;
        for (size_t i = 1; i + 1 < n; i++)
            if (rank[i] < rank[best]) best = i;
        if (rank[best] == MO_TOKEN_NONE) break;
        id[best] = t->merge[rank[best]].joined;
        n--;
        memmove(id + best + 1, id + best + 2, (n - best - 1) * sizeof *id);
        if (best + 1 < n) memmove(rank + best, rank + best + 1, (n - best - 1) * sizeof *rank);
        if (best) rank[best - 1] = mo_tokenizer_merge(t, id[best - 1], id[best]);
        if (best + 1 < n) rank[best] = mo_tokenizer_merge(t, id[best], id[best + 1]);
    }
    return n;
}

/* A heap of (rank, place), smallest first. */
typedef struct heap {
    uint32_t *item; /* 2 numbers each */
    size_t n;
} heap;

static bool item_less(const uint32_t *a, const uint32_t *b)
{
    return a[0] != b[0] ? a[0] < b[0] : a[1] < b[1];
}

static void item_swap(uint32_t *a, uint32_t *b)
{
    for (int k = 0; k < 2; k++) {
        uint32_t x = a[k];
        a[k] = b[k];
        b[k] = x;
    }
}

static void heap_push(heap *h, uint32_t rank, uint32_t place)
{
    if (rank == MO_TOKEN_NONE) return;
    size_t i = h->n++;
    h->item[2 * i] = rank;
    h->item[2 * i + 1] = place;
    for (; i && item_less(h->item + 2 * i, h->item + (i - 1) / 2 * 2); i = (i - 1) / 2)
        item_swap(h->item + 2 * i, h->item + (i - 1) / 2 * 2);
}

static void heap_pop(heap *h)
{
    h->n--;
    h->item[0] = h->item[2 * h->n];
    h->item[1] = h->item[2 * h->n + 1];
    for (size_t i = 0, child; (child = 2 * i + 1) < h->n; i = child) {
        if (child + 1 < h->n && item_less(h->item + 2 * child + 2, h->item + 2 * child)) child++;
        if (!item_less(h->item + 2 * child, h->item + 2 * i)) break;
        item_swap(h->item + 2 * i, h->item + 2 * child);
    }
}

/* The same for any length in n log n: a linked list of ids, pairs in a heap, outdated ones skipped when they
 * come up. work: id n, next n, before n, heap 2 x 3n. */
static size_t merge_long(const mo_tokenizer *t, uint32_t *id, size_t n)
{
    uint32_t *next = id + n, *before = id + 2 * n, end = (uint32_t)n;
    heap h = {id + 3 * n, 0};
    for (uint32_t i = 0; i < end; i++) {
        next[i] = i + 1;
        before[i] = i ? i - 1 : end;
        if (i + 1 < end) heap_push(&h, mo_tokenizer_merge(t, id[i], id[i + 1]), i);
    }
    while (h.n) {
        uint32_t rank = h.item[0], i = h.item[1], j = next[i];
        heap_pop(&h);
        const mo_merge *m = t->merge + rank;
        if (id[i] != m->left || j >= end || id[j] != m->right) continue; /* a swallowed id is NONE */
        id[i] = m->joined;
        id[j] = MO_TOKEN_NONE;
        next[i] = next[j];
        if (next[i] < end) {
            before[next[i]] = i;
            heap_push(&h, mo_tokenizer_merge(t, id[i], id[next[i]]), i);
        }
        if (before[i] < end) heap_push(&h, mo_tokenizer_merge(t, id[before[i]], id[i]), before[i]);
    }
    size_t left = 0;
    for (size_t i = 0; i < n; i++)
        if (id[i] != MO_TOKEN_NONE) id[left++] = id[i];
    return left;
}

size_t mo_tokenizer_join(const mo_tokenizer *t, uint32_t *work, size_t n)
{
    if (n < 2) return n;
    return n <= 32 ? merge_short(t, work, n) : merge_long(t, work, n);
}
