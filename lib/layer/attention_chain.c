/* SPDX-License-Identifier: MIT
 * attention_chain.c - walks from a segment of the tree to its root. */
#include "layer/attention_chain.h"

#include "base/ints.h"

/* Rows of a segment and of its ancestors. */
static size_t depth_of(const mo_rows *rows, size_t s)
{
    size_t n = 0;
    for (int64_t i = (int64_t)s; i >= 0; i = rows->segs[i].parent) n += rows->segs[i].n;
    return n;
}

size_t mo_attention_longest(const mo_rows *rows)
{
    if (!rows->segs) return rows->seq_len;
    size_t longest = 0;
    for (size_t s = 0; s < rows->n_segs; s++) longest = mo_max(longest, depth_of(rows, s));
    return longest;
}

size_t mo_attention_chain_segment(const mo_rows *rows, size_t row)
{
    size_t low = 0, high = rows->segs ? rows->n_segs : 1;
    while (high - low > 1) {
        const size_t middle = (low + high) / 2;
        if (rows->segs[middle].first <= row)
            low = middle;
        else
            high = middle;
    }
    return low;
}

mo_chain mo_attention_chain_of(const mo_rows *rows, size_t segment, size_t row, mo_run *room)
{
    mo_chain c = {.runs = room};
    if (!rows->segs) {
        *room = (mo_run){(uint32_t)(row / rows->seq_len * rows->seq_len), (uint32_t)rows->seq_len};
        c.n_runs = 1;
        c.seen = rows->seq_len;
        return c;
    }
    for (int64_t i = (int64_t)segment; i >= 0; i = rows->segs[i].parent) c.n_runs++;
    size_t at = c.n_runs;
    for (int64_t i = (int64_t)segment; i >= 0; i = rows->segs[i].parent) {
        const mo_segment *s = &rows->segs[i];
        room[--at] = (mo_run){s->first, i == (int64_t)segment ? (uint32_t)(row - s->first + 1) : s->n};
        c.seen += room[at].n;
    }
    return c;
}
