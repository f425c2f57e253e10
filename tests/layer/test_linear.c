/* SPDX-License-Identifier: MIT
 * test_linear.c - linear layers: packed from parts, run forward with everything that can follow, run backward
 * to their input. */
#include "test.h"

#include "layer/linear.h"
#include "support/gradient.h"
#include "support/mats.h"
#include "support/near.h"
#include "support/paths.h"

enum { ROWS = 7, K = 37, N = 50 };

static mo_view vector(const float *x, size_t n)
{
    return (mo_view){.data = x, .dtype = MO_F32, .n_dims = 1, .shape = {n}, .n = n};
}

static mo_linear pack(const float *w, const float *bias, size_t n, size_t k)
{
    const mo_view wv = test_view(w, n, k), bv = vector(bias, n);
    mo_linear linear;
    assert_ok(mo_linear_pack(&linear, &(mo_linear_part){&wv, bias ? &bv : NULL, false}, 1));
    return linear;
}

/* With and without a bias, an activation and a residual; the result may lie where the residual does. */
static void forward(void)
{
    float *w = test_floats(N * K, 1), *bias = test_floats(N, 2), *x = test_floats(ROWS * K, 3),
          *res = test_floats(ROWS * N, 4), *y = test_floats(ROWS * N, 5);
    for (int what = 0; what < 8; what++) {
        mo_linear linear = pack(w, what & 1 ? bias : NULL, N, K);
        const mo_act act = what & 2 ? MO_ACT_RELU6 : MO_ACT_NONE;
        const mo_linear_call call = {.rows = ROWS, .act = act, .residual = what & 4 ? res : NULL};
        mo_linear_fwd(NULL, y, x, &linear, &call);
        for (size_t i = 0; i < ROWS; i++)
            for (size_t o = 0; o < N; o++) {
                double want = test_dot(x + i * K, w + o * K, K) + (what & 1 ? (double)bias[o] : 0);
                if (act == MO_ACT_RELU6) want = want < 0 ? 0 : want > 6 ? 6 : want;
                assert_near(y[i * N + o], want + (what & 4 ? (double)res[i * N + o] : 0), 5e-6);
            }
        mo_linear_free(&linear);
    }
    mo_linear linear = pack(w, bias, N, K);
    mo_linear_fwd(NULL, y, x, &linear, &(mo_linear_call){.rows = ROWS, .residual = res});
    mo_linear_fwd(NULL, res, x, &linear, &(mo_linear_call){.rows = ROWS, .residual = res});
    assert_memory_equal(res, y, ROWS * N * sizeof *y);
    mo_linear_free(&linear);
    mo_mem_free(w), mo_mem_free(bias), mo_mem_free(x), mo_mem_free(res), mo_mem_free(y);
}

static void layers_match_double(void **state)
{
    (void)state;
    test_each_path(forward);
}

static void run(float *y, const float *x, void *linear)
{
    mo_linear_fwd(NULL, y, x, linear, &(mo_linear_call){.rows = ROWS});
}

static void backward(void)
{
    float *w = test_floats(N * K, 1), *bias = test_floats(N, 2), *x = test_floats(ROWS * K, 3),
          *dy = test_floats(ROWS * N, 4), *dx = test_floats(ROWS * K, 5);
    mo_linear linear = pack(w, bias, N, K);
    mo_mat turned;
    assert_ok(mo_mat_transpose(&turned, &linear.w));
    mo_linear_bwd(NULL, dx, dy, &turned, ROWS);
    test_gradient_check(&(test_gradient){.name = "linear",
        .fwd = run,
        .ctx = &linear,
        .x = x,
        .n_x = ROWS * K,
        .n_y = ROWS * N,
        .r = dy,
        .dx = dx,
        .step = 3,
        .most = 2e-3});
    for (size_t i = 0; i < ROWS; i++) /* exactly: dx = dy W */
        for (size_t p = 0; p < K; p++) {
            double want = 0;
            for (size_t o = 0; o < N; o++) want += (double)dy[i * N + o] * (double)w[o * K + p];
            assert_near(dx[i * K + p], want, 5e-6);
        }
    mo_mat_free(&turned);
    mo_linear_free(&linear);
    mo_mem_free(w), mo_mem_free(bias), mo_mem_free(x), mo_mem_free(dy), mo_mem_free(dx);
}

static void gradients_match_differences(void **state)
{
    (void)state;
    test_each_path(backward);
}

/* Three parts stacked, biases where they are, one orientation turned. */
static void parts_are_stacked(void **state)
{
    (void)state;
    const float a[2 * 3] = {1, 2, 3, 4, 5, 6}, b[3 * 2] = {1, 4, 2, 5, 3, 6}, bias[2] = {10, 20};
    const float x[3] = {1, 0, -1};
    const mo_view av = test_view(a, 2, 3), bv = test_view(b, 3, 2), biasv = vector(bias, 2);
    float y[6];
    mo_linear l;
    assert_ok(mo_linear_pack(
        &l, (mo_linear_part[]){{&av, NULL, false}, {&bv, &biasv, true}, {&av, NULL, false}}, 3));
    assert_int_equal(l.w.n, 6);
    for (size_t o = 0; o < 6; o++) assert_true(l.bias[o] == (o == 2 ? 10 : o == 3 ? 20 : 0));
    mo_linear_fwd(NULL, y, x, &l, &(mo_linear_call){.rows = 1});
    static const float want[6] = {-2, -2, 8, 18, -2, -2};
    for (size_t o = 0; o < 6; o++) assert_true(y[o] == want[o]);
    mo_linear_free(&l);
}

static void without_a_bias_there_is_none(void **state)
{
    (void)state;
    const float w[6] = {0};
    const mo_view v = test_view(w, 2, 3);
    mo_linear l;
    assert_ok(mo_linear_pack(&l, (mo_linear_part[]){{&v, NULL, false}, {&v, NULL, false}}, 2));
    assert_null(l.bias);
    mo_linear_free(&l);
    assert_null(l.w.ops);
    mo_linear_free(&l); /* freed is empty */
    mo_linear_free(NULL);
}

static void what_does_not_fit_is_refused(void **state)
{
    (void)state;
    const float w[12] = {0};
    const int32_t whole[2] = {0};
    const mo_view a = test_view(w, 2, 3), b = test_view(w, 3, 4), three = vector(w, 3);
    const mo_view numbers = {.data = whole, .dtype = MO_I32, .n_dims = 1, .shape = {2}, .n = 2};
    mo_linear l;
    assert_fails(
        mo_linear_pack(&l, &(mo_linear_part){&a, &three, false}, 1), MOPD_E_MISMATCH, "bias of 3 for 2");
    assert_fails(mo_linear_pack(&l, &(mo_linear_part){&a, &numbers, false}, 1), MOPD_E_UNSUPPORTED,
        "bias of type I32");
    assert_fails(mo_linear_pack(&l, (mo_linear_part[]){{&a, NULL, false}, {&b, NULL, false}}, 2),
        MOPD_E_MISMATCH, "3 and 4 inputs");
    mo_linear_part many[9];
    for (size_t i = 0; i < 9; i++) many[i] = (mo_linear_part){&a, NULL, false};
    assert_fails(mo_linear_pack(&l, many, 9), MOPD_E_INTERNAL, "9 parts");
    assert_fails(mo_linear_pack(&l, many, 0), MOPD_E_INTERNAL, "0 parts");
    assert_null(l.w.ops);
}

static mopd_status pack_once(void *part)
{
    mo_linear l;
    mopd_status st = mo_linear_pack(&l, part, 1);
    mo_linear_free(&l);
    return st;
}

static void packing_survives_lack_of_memory(void **state)
{
    (void)state;
    const float w[6] = {0}, bias[2] = {0};
    const mo_view wv = test_view(w, 2, 3), bv = vector(bias, 2);
    mo_linear_part part = {&wv, &bv, false};
    test_torture(pack_once, &part);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(layers_match_double),
        cmocka_unit_test(gradients_match_differences),
        cmocka_unit_test(parts_are_stacked),
        cmocka_unit_test(without_a_bias_there_is_none),
        cmocka_unit_test(what_does_not_fit_is_refused),
        cmocka_unit_test(packing_survives_lack_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
