/* SPDX-License-Identifier: MIT
 * test_block_pack.c - a transformer block from stored tensors: what becomes of them, what does not fit,
 * quantizing, and lack of memory. */
#include "test.h"

#include "math/bf16.h"
#include "support/blocks.h"

/* A model of no block: floats alone. */
static test_model floats_of(float *x, size_t w, size_t heads, size_t hidden)
{
    return (test_model){.w = w,
        .heads = heads,
        .hidden = hidden,
        .act = MO_ACT_GELU,
        .ln = x,
        .qkv = x,
        .out = x,
        .fc1 = x,
        .fc2 = x,
        .bias = x};
}

static void tensors_stand_where_they_belong(void **state)
{
    (void)state;
    test_model m = test_model_open(24, 3, 50, MO_ACT_GELU);
    const mo_block *b = &m.block;
    float row[50];
    assert_int_equal(b->width, 24);
    assert_int_equal(b->n_heads, 3);
    assert_int_equal(b->hidden, 50);
    assert_int_equal(b->act, MO_ACT_GELU);
    assert_memory_equal(b->ln1.gamma, m.ln, 24 * sizeof(float));
    assert_memory_equal(b->ln1.beta, m.ln + 24, 24 * sizeof(float));
    assert_memory_equal(b->ln2.gamma, m.ln + 48, 24 * sizeof(float));
    assert_memory_equal(b->ln2.beta, m.ln + 72, 24 * sizeof(float));
    assert_true(b->ln1.dim == 24 && b->ln2.dim == 24 && b->ln1.eps == 1e-5f && b->ln2.eps == 1e-5f);
    const mo_linear *const layers[4] = {&b->qkv, &b->out, &b->fc1, &b->fc2};
    const float *const weights[4] = {m.qkv, m.out, m.fc1, m.fc2}, *bias = m.bias;
    for (size_t l = 0; l < 4; bias += layers[l++]->w.n) {
        assert_memory_equal(layers[l]->bias, bias, layers[l]->w.n * sizeof(float));
        for (size_t o = 0; o < layers[l]->w.n; o++) {
            mo_mat_row(&layers[l]->w, o, row);
            assert_memory_equal(row, weights[l] + o * layers[l]->w.k, layers[l]->w.k * sizeof *row);
        }
    }
    test_model_close(&m);
}

/* One part [3W x W] or three [W x W]: the same block. */
static void queries_keys_and_values_come_fused_or_apart(void **state)
{
    (void)state;
    test_model m = test_model_open(24, 3, 50, MO_ACT_GELU);
    for (int fused = 0; fused < 2; fused++) {
        test_model_views views;
        const mo_block_parts parts = test_model_parts(&m, &views, fused);
        mo_block b;
        assert_ok(mo_block_pack(&b, &parts));
        assert_memory_equal(b.qkv.w.packed, m.block.qkv.w.packed, mo_mat_floats(72, 24) * sizeof(float));
        assert_memory_equal(b.qkv.bias, m.block.qkv.bias, 72 * sizeof(float));
        mo_block_free(&b);
        assert_null(b.norms);
    }
    mo_block_free(NULL);
    test_model_close(&m);
}

static float room[8192];

/* Refused with these words, once one tensor has been given another shape. */
#define assert_refused(change, status, words)                                                                \
    do {                                                                                                     \
        const test_model m_ = floats_of(room, 24, 3, 50);                                                    \
        test_model_views views;                                                                              \
        mo_block_parts parts = test_model_parts(&m_, &views, true);                                          \
        mo_block b_;                                                                                         \
        change;                                                                                              \
        assert_fails(mo_block_pack(&b_, &parts), status, words);                                             \
        assert_null(b_.norms);                                                                               \
        assert_null(b_.qkv.w.ops);                                                                           \
    } while (0)

static void shapes_that_do_not_fit_are_refused(void **state)
{
    (void)state;
    assert_refused(parts.n_heads = 5, MOPD_E_MISMATCH, "width 24 cannot be split into 5 heads");
    assert_refused(parts.n_heads = 0, MOPD_E_MISMATCH, "into 0 heads");
    assert_refused(parts.width = 0, MOPD_E_MISMATCH, "width 0");
    assert_refused(parts.width = SIZE_MAX - 3, MOPD_E_MISMATCH, "cannot be split");
    assert_refused(views.ln[0] = test_vector(room, 23), MOPD_E_MISMATCH,
        "first norm's weight has 23 values, the width is 24");
    assert_refused(views.ln[1] = test_vector(room, 25), MOPD_E_MISMATCH, "first norm's bias has 25");
    assert_refused(views.ln[2] = test_vector(room, 1), MOPD_E_MISMATCH, "second norm's weight has 1 ");
    assert_refused(views.ln[3] = test_vector(room, 23), MOPD_E_MISMATCH, "second norm's bias has 23");
    assert_refused(views.qkv[0] = test_view(room, 48, 24); parts.qkv[0].bias = NULL, MOPD_E_MISMATCH,
                   "attention's input weight is 48 x 24, expected 72 x 24");
    assert_refused(
        views.out = test_view(room, 24, 25), MOPD_E_MISMATCH, "attention's output weight is 24 x 25");
    assert_refused(
        views.fc1 = test_view(room, 50, 23), MOPD_E_MISMATCH, "first weight of the MLP is 50 x 23");
    assert_refused(views.fc2 = test_view(room, 24, 49), MOPD_E_MISMATCH,
        "second weight of the MLP is 24 x 49, expected 24 x 50");
    assert_refused(views.fc1 = test_view(room, 20, 24); views.bias1 = test_vector(room, 20),
                   MOPD_E_UNSUPPORTED, "MLP of 20 in a tower of width 24");
    assert_refused(views.out_bias = test_vector(room, 23), MOPD_E_MISMATCH, "bias of 23 for 24");
    assert_refused(views.ln[2].dtype = MO_I32, MOPD_E_UNSUPPORTED, "second norm's weight is of type I32");
    assert_refused(views.fc1.dtype = MO_U8, MOPD_E_UNSUPPORTED, "weights of type U8");
}

static void weights_are_turned_for_the_backward_pass(void **state)
{
    (void)state;
    test_model m = test_model_open(24, 3, 50, MO_ACT_GELU);
    const mo_mat *const turned[4] = {
        &m.transposed.qkv, &m.transposed.out, &m.transposed.fc1, &m.transposed.fc2};
    const mo_linear *const layers[4] = {&m.block.qkv, &m.block.out, &m.block.fc1, &m.block.fc2};
    float row[72], column[72];
    for (size_t l = 0; l < 4; l++) {
        const mo_mat *w = &layers[l]->w;
        assert_true(turned[l]->n == w->k && turned[l]->k == w->n);
        for (size_t i = 0; i < w->k; i += 5) {
            mo_mat_row(turned[l], i, row);
            for (size_t o = 0; o < w->n; o++) {
                mo_mat_row(w, o, column);
                assert_true(row[o] == column[i]);
            }
        }
    }
    test_model_close(&m);
}

static void a_quantized_block_has_no_backward_pass(void **state)
{
    (void)state;
    test_model m = test_model_open(24, 3, 50, MO_ACT_GELU);
    mo_block_transposed transposed;
    assert_ok(mo_block_quantize(&m.block, MO_PRECISION_16));
    const mo_linear *const layers[4] = {&m.block.qkv, &m.block.out, &m.block.fc1, &m.block.fc2};
    for (size_t l = 0; l < 4; l++) assert_false(mo_mat_has_floats(&layers[l]->w));
    assert_fails(
        mo_block_transposed_pack(&transposed, &m.block), MOPD_E_INTERNAL, "matrix 72 x 24 without floats");
    assert_null(transposed.qkv.ops);
    mo_block_transposed_free(NULL);
    test_model_close(&m);
}

static mopd_status pack_and_turn(void *ctx)
{
    test_model_views views;
    const mo_block_parts parts = test_model_parts(ctx, &views, false);
    mo_block block;
    mo_block_transposed transposed = {0};
    mopd_status st = mo_block_pack(&block, &parts);
    if (st != MOPD_OK) return st;
    st = mo_block_transposed_pack(&transposed, &block);
    mo_block_free(&block);
    mo_block_transposed_free(&transposed);
    return st;
}

static mopd_status pack_and_quantize(void *ctx)
{
    test_model_views views;
    const mo_block_parts parts = test_model_parts(ctx, &views, true);
    mo_block block;
    mopd_status st = mo_block_pack(&block, &parts);
    if (st == MOPD_OK) st = mo_block_quantize(&block, MO_PRECISION_16);
    mo_block_free(&block);
    return st;
}

static void blocks_survive_lack_of_memory(void **state)
{
    (void)state;
    test_model m = floats_of(room, 8, 2, 16);
    test_torture(pack_and_turn, &m);
    test_torture(pack_and_quantize, &m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_survive_lack_of_memory), /* first, while no block lives */
        cmocka_unit_test(tensors_stand_where_they_belong),
        cmocka_unit_test(queries_keys_and_values_come_fused_or_apart),
        cmocka_unit_test(shapes_that_do_not_fit_are_refused),
        cmocka_unit_test(weights_are_turned_for_the_backward_pass),
        cmocka_unit_test(a_quantized_block_has_no_backward_pass),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
