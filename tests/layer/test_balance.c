/* SPDX-License-Identifier: MIT
 * test_balance.c - channels made 20, 100 and 400 times larger behind norms and in values: balancing leaves a block's
 * results, takes the channels back, and lets 8 bits be as near as they are without such channels; so do channels that
 * only rows tell of. */
#include "test.h"

#include "layer/balance.h"
#include "support/blocks.h"
#include "support/near.h"

enum { WIDTH = 48, ROWS = 34, ODD = 3 };

static const size_t odd[ODD] = {5, 17, 40};

static float *at(const mo_mat *w, size_t o, size_t i)
{
    return (float *)w->owned + (o / MO_PANEL * w->k + i) * MO_PANEL + o % MO_PANEL;
}

static void scale_inputs(const mo_mat *w, size_t i, float by)
{
    for (size_t o = 0; o < w->n; o++) *at(w, o, i) *= by;
}

/* Some channels `times` larger behind both norms, some values too; what reads them has smaller weights. */
static void make_outliers(mo_block *b, float times)
{
    for (size_t c = 0; c < ODD; c++) {
        const size_t i = odd[c], o = 2 * WIDTH + odd[c];
        for (size_t n = 0; n < 4; n++) b->norms[n * WIDTH + i] *= times;
        scale_inputs(&b->qkv.w, i, 1 / times);
        scale_inputs(&b->fc1.w, i, 1 / times);
        for (size_t k = 0; k < WIDTH; k++) *at(&b->qkv.w, o, k) *= times;
        if (b->qkv.bias) b->qkv.bias[o] *= times;
        scale_inputs(&b->out.w, i, 1 / times);
    }
}

static test_model open_model(void)
{
    return test_model_open(WIDTH, 3, 96, MO_ACT_GELU);
}

static double run(const test_model *m, float *y, const float *like)
{
    float *x = test_floats(ROWS * WIDTH, 9);
    const mo_rows rows = test_sequences(2, ROWS / 2);
    test_model_run(m, y, x, (mo_block_run){.rows = &rows});
    mo_mem_free(x);
    return like ? test_max_diff(y, like, ROWS * WIDTH) : 0;
}

static void results_stay_and_channels_come_back(void **state)
{
    (void)state;
    static const float times[] = {20, 100, 400};
    float exact[ROWS * WIDTH], y[ROWS * WIDTH];
    for (size_t t = 0; t < 3; t++) {
        test_model m = open_model();
        float norms[4 * WIDTH];
        memcpy(norms, m.block.norms, sizeof norms);
        run(&m, exact, NULL);
        make_outliers(&m.block, times[t]);
        assert_true(run(&m, y, exact) < 1e-4);
        assert_ok(mo_balance_block(&m.block));
        assert_true(run(&m, y, exact) < 1e-4);
        for (size_t n = 0; n < 4; n++)
            for (size_t i = 0; i < WIDTH; i++)
                assert_true(fabsf(m.block.norms[n * WIDTH + i]) <= 4.1f * fabsf(norms[n * WIDTH + i]));
        test_model_close(&m);
    }
}

/* Weights that are alike are left alone, and so is what was balanced. */
static void what_is_balanced_stays(void **state)
{
    (void)state;
    for (int outliers = 0; outliers < 2; outliers++) {
        test_model m = open_model();
        float norms[4 * WIDTH], row[WIDTH], again[WIDTH];
        if (outliers) make_outliers(&m.block, 100);
        if (outliers) assert_ok(mo_balance_block(&m.block));
        memcpy(norms, m.block.norms, sizeof norms);
        mo_mat_row(&m.block.qkv.w, 2 * WIDTH + 5, row);
        assert_ok(mo_balance_block(&m.block));
        mo_mat_row(&m.block.qkv.w, 2 * WIDTH + 5, again);
        assert_memory_equal(norms, m.block.norms, sizeof norms);
        assert_memory_equal(row, again, sizeof row);
        test_model_close(&m);
    }
}

static void outliers_cost_8_bits_little(void **state)
{
    (void)state;
    static const float times[] = {1, 20, 100, 400};
    float exact[ROWS * WIDTH], y[ROWS * WIDTH];
    double off[4];
    for (size_t t = 0; t < 4; t++) {
        test_model m = open_model();
        run(&m, exact, NULL);
        make_outliers(&m.block, times[t]);
        assert_ok(mo_block_quantize(&m.block, MO_PRECISION_8));
        off[t] = run(&m, y, exact);
        test_model_close(&m);
    }
    for (size_t t = 1; t < 4; t++)
        if (!(off[t] < 2.5 * off[0]))
            fail_msg("%g times: off by %g, not %g", (double)times[t], off[t], off[0]);
}

/* Zeros, and what is no number, are no channels to be balanced by; nor is an input that nothing reads, or a bias that is not there. */
static void nothing_and_no_numbers_change_nothing(void **state)
{
    (void)state;
    static const float odd_ones[] = {0, NAN, INFINITY};
    for (size_t i = 0; i < 3; i++) {
        test_model m = open_model();
        float norms[4 * WIDTH];
        for (size_t c = 0; c < 3 * WIDTH; c++) *at(&m.block.qkv.w, c, 7) = odd_ones[i];
        mo_mem_free(m.block.qkv.bias);
        m.block.qkv.bias = NULL;
        m.block.norms[9] = odd_ones[i];
        memcpy(norms, m.block.norms, sizeof norms);
        assert_ok(mo_balance_block(&m.block));
        assert_memory_equal(norms, m.block.norms, sizeof norms);
        test_model_close(&m);
    }
}

/* Rows of which two channels are large, which no norm's weights tell. */
static void make_seen(mo_balance_seen *seen, float times, float **room)
{
    float *x = *room = test_floats((MO_BLOCK_PLACES * (ROWS + 1)) * WIDTH, 11);
    for (size_t p = 0; p < MO_BLOCK_PLACES; p++, x += (ROWS + 1) * WIDTH) {
        seen[p] = (mo_balance_seen){.most = x, .rows = x + WIDTH, .n_rows = ROWS};
        for (size_t i = 0; i < WIDTH; i++) {
            x[i] = 0;
            for (size_t r = 0; r < ROWS; r++) {
                float *one = &seen[p].rows[r * WIDTH + i];
                *one *= i == 3 || i == 30 ? times : 1;
                x[i] = fmaxf(x[i], fabsf(*one));
            }
        }
    }
}

/* How far 8 bits are off in the rows that the MLP's first layer was seen to read. */
static double error_of(const test_model *m, const mo_balance_seen *seen, const float *gamma)
{
    const size_t n = m->hidden;
    float x[ROWS * WIDTH], *exact = test_floats(2 * ROWS * n, 1), *y = exact + ROWS * n;
    test_model plain = open_model();
    for (size_t i = 0; i < ROWS * WIDTH; i++)
        x[i] = seen->rows[i] * m->block.norms[2 * WIDTH + i % WIDTH] / gamma[i % WIDTH];
    mo_linear_fwd(NULL, exact, seen->rows, &plain.block.fc1, &(mo_linear_call){.rows = ROWS});
    mo_linear_fwd(NULL, y, x, &m->block.fc1, &(mo_linear_call){.rows = ROWS});
    const double off = test_max_diff(exact, y, ROWS * n);
    test_model_close(&plain);
    mo_mem_free(exact);
    return off;
}

static double error_with(float times, bool by_rows)
{
    test_model m = open_model();
    mo_balance_seen seen[MO_BLOCK_PLACES];
    float *room, gamma[WIDTH], y[ROWS * WIDTH], exact[ROWS * WIDTH];
    make_seen(seen, times, &room);
    memcpy(gamma, m.block.norms + 2 * WIDTH, sizeof gamma);
    run(&m, exact, NULL);
    assert_ok(mo_balance_block_seen(&m.block, by_rows ? seen : NULL, NULL));
    assert_true(run(&m, y, exact) < 1e-5); /* powers of two leave the block's function */
    assert_true(m.block.balanced);
    assert_ok(mo_block_quantize(&m.block, MO_PRECISION_8));
    const double off = error_of(&m, &seen[MO_BLOCK_FC1], gamma);
    test_model_close(&m);
    mo_mem_free(room);
    return off;
}

static void rows_tell_what_weights_do_not(void **state)
{
    (void)state;
    static const float times[] = {20, 100, 400};
    for (size_t t = 0; t < 3; t++) {
        const double weights = error_with(times[t], false), rows = error_with(times[t], true);
        if (!(rows < 0.5 * weights))
            fail_msg("%g times: off by %g with rows, %g without", (double)times[t], rows, weights);
    }
}

/* What does not make the error less is left alone; so are rows of what is no number. */
static void rows_that_tell_nothing_change_nothing(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        test_model m = open_model();
        mo_balance_seen seen[MO_BLOCK_PLACES];
        float *room, norms[4 * WIDTH];
        make_seen(seen, 1, &room);
        for (size_t p = 0; p < MO_BLOCK_PLACES && i; p++) seen[p].rows[5] = seen[p].most[5] = NAN;
        memcpy(norms, m.block.norms, sizeof norms);
        assert_ok(mo_balance_block_seen(&m.block, seen, NULL));
        if (i) assert_memory_equal(norms, m.block.norms, sizeof norms);
        for (size_t c = 0; c < 4 * WIDTH; c++) assert_true(fabsf(m.block.norms[c]) < 4.1f * fabsf(norms[c]));
        test_model_close(&m);
        mo_mem_free(room);
    }
}

static mopd_status pack_and_balance(void *model)
{
    test_model_views views;
    const mo_block_parts parts = test_model_parts(model, &views, true);
    mo_block block;
    mopd_status st = mo_block_pack(&block, &parts);
    static float most[] = {1, 2, 3, 4, 5, 6, 7, 8}, rows[] = {1, -2, 3, -4, 5, -6, 7, -8};
    static const mo_balance_seen seen[] = {{most, rows, 1}, {most, rows, 1}, {most, rows, 1}};
    if (st == MOPD_OK) st = mo_balance_block_seen(&block, seen, NULL);
    if (st == MOPD_OK) st = mo_block_quantize(&block, MO_PRECISION_8);
    mo_block_free(&block);
    return st;
}

static void balancing_survives_lack_of_memory(void **state)
{
    (void)state;
    static float room[1000];
    test_model m = {.w = 8, .heads = 2, .hidden = 16, .act = MO_ACT_GELU};
    test_random(room, sizeof room / sizeof *room, 3);
    m.ln = m.qkv = m.out = m.fc1 = m.fc2 = m.bias = room;
    test_torture(pack_and_balance, &m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(results_stay_and_channels_come_back),
        cmocka_unit_test(what_is_balanced_stays),
        cmocka_unit_test(outliers_cost_8_bits_little),
        cmocka_unit_test(nothing_and_no_numbers_change_nothing),
        cmocka_unit_test(rows_tell_what_weights_do_not),
        cmocka_unit_test(rows_that_tell_nothing_change_nothing),
        cmocka_unit_test(balancing_survives_lack_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
