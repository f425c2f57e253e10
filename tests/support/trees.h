/* SPDX-License-Identifier: MIT
 * trees.h - for tests of attention: sets of rows, and which of them a row sees. */
#ifndef MOPD_TESTS_SUPPORT_TREES_H
#define MOPD_TESTS_SUPPORT_TREES_H

#include "layer/attention.h"
#include "test.h"

/* 5 rows, then 2 below them, 3 and 1 below those, 4 more below the first, and a second root of 4. */
#define TEST_TREE_ROWS 19
#define TEST_TREE_SEGMENTS 6
static const mo_segment test_tree_segments[TEST_TREE_SEGMENTS] = {
    {0, 5, -1}, {5, 2, 0}, {7, 3, 1}, {10, 1, 1}, {11, 4, 0}, {15, 4, -1}};
static const mo_rows test_tree = {
    .rows = TEST_TREE_ROWS, .segs = test_tree_segments, .n_segs = TEST_TREE_SEGMENTS};

/* The last row of each segment. */
static const uint32_t test_tree_ends[TEST_TREE_SEGMENTS] = {4, 6, 9, 10, 14, 18};

static inline mo_rows test_sequences(size_t n_seqs, size_t seq_len)
{
    return (mo_rows){.rows = n_seqs * seq_len, .n_seqs = n_seqs, .seq_len = seq_len};
}

/* Does row a see row b?  Written out, as the header says it. */
static inline bool test_sees(const mo_rows *rows, size_t a, size_t b)
{
    if (!rows->segs) return a / rows->seq_len == b / rows->seq_len;
    size_t s = 0;
    while (a >= rows->segs[s].first + rows->segs[s].n) s++;
    if (b >= rows->segs[s].first && b <= a) return true;
    for (int32_t p = rows->segs[s].parent; p >= 0; p = rows->segs[p].parent)
        if (b >= rows->segs[p].first && b < rows->segs[p].first + rows->segs[p].n) return true;
    return false;
}

#endif
