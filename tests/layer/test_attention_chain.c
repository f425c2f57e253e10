/* SPDX-License-Identifier: MIT
 * test_attention_chain.c - the rows that a row sees, as runs: every pair of rows against the definition. */
#include "test.h"

#include "layer/attention_chain.h"
#include "support/trees.h"

/* A plain causal sequence, one row a segment: the longest chain there can be. */
enum { DEEP = 40 };
static mo_segment line_segments[DEEP];
static mo_rows line = {.rows = DEEP, .segs = line_segments, .n_segs = DEEP};

static int make_line(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < DEEP; i++) line_segments[i] = (mo_segment){i, 1, (int32_t)i - 1};
    return 0;
}

static size_t segment_of(const mo_rows *rows, size_t row)
{
    size_t s = 0;
    while (row >= rows->segs[s].first + rows->segs[s].n) s++;
    return s;
}

static void segments_are_found(void **state)
{
    (void)state;
    for (size_t r = 0; r < test_tree.rows; r++)
        assert_int_equal(mo_attention_chain_segment(&test_tree, r), segment_of(&test_tree, r));
    for (size_t r = 0; r < DEEP; r++) assert_int_equal(mo_attention_chain_segment(&line, r), r);
    const mo_rows full = test_sequences(3, 7);
    for (size_t r = 0; r < 21; r++) assert_int_equal(mo_attention_chain_segment(&full, r), 0);
}

/* Each row that `row` sees stands in the runs once, ascending, and no other. */
static void check(const mo_rows *rows, size_t row)
{
    mo_run room[DEEP];
    const mo_chain c = mo_attention_chain_of(rows, mo_attention_chain_segment(rows, row), row, room);
    size_t seen = 0, next = 0;
    for (size_t i = 0; i < c.n_runs; i++) {
        assert_true(c.runs[i].n > 0);
        for (size_t r = next; r < c.runs[i].first; r++) assert_false(test_sees(rows, row, r));
        for (size_t r = c.runs[i].first; r < c.runs[i].first + c.runs[i].n; r++)
            assert_true(test_sees(rows, row, r));
        next = c.runs[i].first + c.runs[i].n;
        seen += c.runs[i].n;
    }
    for (size_t r = next; r < rows->rows; r++) assert_false(test_sees(rows, row, r));
    assert_int_equal(c.seen, seen);
    if (rows->segs) assert_int_equal(next, row + 1); /* the row itself ends the last run */
}

static void chains_are_what_rows_see(void **state)
{
    (void)state;
    const mo_rows full = test_sequences(3, 7);
    for (size_t r = 0; r < test_tree.rows; r++) check(&test_tree, r);
    for (size_t r = 0; r < DEEP; r++) check(&line, r);
    for (size_t r = 0; r < full.rows; r++) check(&full, r);
}

static void runs_begin_at_the_root(void **state)
{
    (void)state;
    mo_run room[DEEP];
    const mo_chain c =
        mo_attention_chain_of(&test_tree, 2, 8, room); /* 5 rows, 2 below, 2 of the 3 below those */
    assert_int_equal(c.n_runs, 3);
    static const mo_run want[3] = {{0, 5}, {5, 2}, {7, 2}};
    assert_memory_equal(c.runs, want, sizeof want);
    assert_int_equal(c.seen, 9);
}

static void the_longest_sequence_is_measured(void **state)
{
    (void)state;
    assert_int_equal(mo_attention_longest(&test_tree), 10); /* 5, 2, 3 */
    assert_int_equal(mo_attention_longest(&line), DEEP);
    const mo_rows full = test_sequences(3, 7), none = {.segs = line_segments};
    assert_int_equal(mo_attention_longest(&full), 7);
    assert_int_equal(mo_attention_longest(&none), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(segments_are_found),
        cmocka_unit_test(chains_are_what_rows_see),
        cmocka_unit_test(runs_begin_at_the_root),
        cmocka_unit_test(the_longest_sequence_is_measured),
    };
    return cmocka_run_group_tests(tests, make_line, NULL);
}
