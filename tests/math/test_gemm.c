/* SPDX-License-Identifier: MIT
 * test_gemm.c - products against sums in double precision, bits against company and threads, packing, bad
 * input. */
#include "test.h"

#include "math/gemm_blis.h"
#include "support/mats.h"
#include "support/paths.h"
#include "base/half.h"
#include "base/view.h"
#include "base/floats.h"
#include "base/mem.h"

static double act_of(double x, mo_act act)
{
    if (act == MO_ACT_QUICK_GELU) return x / (1 + exp(-1.702 * x));
    if (act == MO_ACT_GELU) return 0.5 * x * (1 + erf(x / sqrt(2)));
    if (act == MO_ACT_RELU6) return x < 0 ? 0 : x > 6 ? 6 : x;
    return x;
}

static double dot(const float *a, const float *b, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += (double)a[i] * (double)b[i];
    return sum;
}

static const size_t shapes[][3] = {{1, 1, 1}, {1, 16, 5}, {2, 17, 3}, {3, 31, 16}, {5, 33, 255}, {6, 48, 256},
    {7, 15, 257}, {13, 64, 511}, {14, 32, 512}, {15, 47, 513}, {29, 96, 64}, {50, 80, 300}, {61, 16, 768},
    {197, 40, 70}, {241, 33, 20}, {500, 3, 7}, {4, 1030, 40}};
#define N_SHAPES (sizeof shapes / sizeof *shapes)

static void products(void)
{
    for (size_t s = 0; s < N_SHAPES; s++) {
        const size_t m = shapes[s][0], n = shapes[s][1], k = shapes[s][2], lda = k + s % 3, ldc = n + s % 4;
        const mo_act act = (mo_act)(s % 4);
        float *a = test_floats(m * lda, 1), *w = test_floats(n * k, 2), *bias = test_floats(n, 3),
              *res = test_floats(m * ldc, 4);
        float *c = test_floats(m * ldc, 5);
        mo_mat mat = test_pack(w, n, k);
        mo_gemm(NULL, &mat,
            &(mo_gemm_args){.c = c,
                .ldc = ldc,
                .a = a,
                .lda = lda,
                .m = m,
                .bias = bias,
                .residual = res,
                .ldr = ldc,
                .act = act});
        for (size_t i = 0; i < m; i++)
            for (size_t j = 0; j < n; j++) {
                const double want = act_of(dot(a + i * lda, w + j * k, k) + bias[j], act) + res[i * ldc + j];
                if (!(fabs(c[i * ldc + j] - want) < 1e-6 * (4 + (double)k / 16)))
                    fail_msg("%zu x %zu x %zu at %zu, %zu: %g, not %g", m, n, k, i, j, (double)c[i * ldc + j],
                        want);
            }
        mo_mat_free(&mat);
        mo_mem_free(a), mo_mem_free(w), mo_mem_free(bias), mo_mem_free(res), mo_mem_free(c);
    }
}

static void gemm_matches_sums_in_double(void **state)
{
    (void)state;
    test_each_path(products);
}

/* A row alone, in any company, and at 1, 2, 3 threads: the same bits. */
static void company(void)
{
    for (size_t s = 0; s < N_SHAPES; s++) {
        const size_t m = shapes[s][0], n = shapes[s][1], k = shapes[s][2];
        float *a = test_floats(m * k, 1), *w = test_floats(n * k, 2), *bias = test_floats(n, 3),
              *all = test_floats(m * n, 5);
        float *other = test_floats(m * n, 6);
        mo_mat mat = test_pack(w, n, k);
        mo_gemm_args g = {
            .c = all, .ldc = n, .a = a, .lda = k, .m = m, .bias = bias, .act = MO_ACT_QUICK_GELU};
        mo_gemm(NULL, &mat, &g);
        g.c = other;
        for (size_t threads = 2; threads <= 3; threads++) {
            mo_pool *pool;
            assert_ok(mo_pool_create(&pool, threads));
            mo_gemm(pool, &mat, &g);
            mo_pool_free(pool);
            assert_memory_equal(all, other, m * n * sizeof *all);
        }
        const size_t counts[] = {1, 2, 5, 11, 14, 30};
        for (size_t q = 0; q < 6 && counts[q] <= m; q++)
            for (size_t r = 0; r + counts[q] <= m; r += 1 + m / 7) {
                mo_gemm(NULL, &mat,
                    &(mo_gemm_args){.c = other,
                        .ldc = n,
                        .a = a + r * k,
                        .lda = k,
                        .m = counts[q],
                        .bias = bias,
                        .act = MO_ACT_QUICK_GELU});
                assert_memory_equal(all + r * n, other, counts[q] * n * sizeof *all);
            }
        mo_mat_free(&mat);
        mo_mem_free(a), mo_mem_free(w), mo_mem_free(bias), mo_mem_free(all), mo_mem_free(other);
    }
}

static void gemm_row_has_same_bits_in_any_company(void **state)
{
    (void)state;
    test_each_path(company);
}

static void outputs(void)
{
    const size_t m = 9, n = 80, k = 300;
    float *a = test_floats(m * k, 1), *w = test_floats(n * k, 2), *all = test_floats(m * n, 3),
          *part = test_floats(m * n, 4);
    mo_mat mat = test_pack(w, n, k);
    mo_gemm(NULL, &mat, &(mo_gemm_args){.c = all, .ldc = n, .a = a, .lda = k, .m = m});
    mo_gemm(
        NULL, &mat, &(mo_gemm_args){.c = part, .ldc = 40, .a = a, .lda = k, .m = m, .first = 32, .n = 33});
    for (size_t i = 0; i < m; i++) assert_memory_equal(part + i * 40, all + i * n + 32, 33 * sizeof *all);
    memcpy(part, all, m * n * sizeof *all);
    mo_gemm(NULL, &mat,
        &(mo_gemm_args){.c = part, .ldc = n, .a = a, .lda = k, .m = m, .residual = part, .ldr = n});
    for (size_t i = 0; i < m * n; i++) assert_true(fabsf(part[i] - 2 * all[i]) < 1e-4f);
    mo_mat_free(&mat);
    mo_mem_free(a), mo_mem_free(w), mo_mem_free(all), mo_mem_free(part);
}

static void gemm_makes_some_outputs_and_adds_in_place(void **state)
{
    (void)state;
    test_each_path(outputs);
}

/* The last columns of c's rows and what follows stay untouched. */
static void edges(void)
{
    for (size_t n = 1; n < 70; n += 3) {
        const size_t m = 15, k = 20, ldc = n + 5;
        float *a = test_floats(m * k, 1), *w = test_floats(n * k, 2), *c = test_floats(m * ldc, 3),
              *before = test_floats(m * ldc, 3);
        mo_mat mat = test_pack(w, n, k);
        mo_gemm(
            NULL, &mat, &(mo_gemm_args){.c = c, .ldc = ldc, .a = a, .lda = k, .m = m, .act = MO_ACT_GELU});
        for (size_t i = 0; i < m; i++)
            assert_memory_equal(c + i * ldc + n, before + i * ldc + n, 5 * sizeof *c);
        mo_mat_free(&mat);
        mo_mem_free(a), mo_mem_free(w), mo_mem_free(c), mo_mem_free(before);
    }
}

static void gemm_writes_only_its_columns(void **state)
{
    (void)state;
    test_each_path(edges);
}

static void mat_packs_types_orientations_and_parts(void **state)
{
    (void)state;
    const size_t n = 21, k = 13;
    float w[21 * 13], t[13 * 21], row[13];
    uint16_t half[21 * 13], brain[21 * 13];
    test_random(w, n * k, 7);
    for (size_t i = 0; i < n * k; i++) w[i] = mo_half_bf16_to_f32(mo_half_f32_to_bf16(w[i] * 0.5f + 0.75f));
    for (size_t o = 0; o < n; o++)
        for (size_t i = 0; i < k; i++) t[i * n + o] = w[o * k + i];
    mo_floats_store(w, n * k, MO_F16, half);
    mo_floats_store(w, n * k, MO_BF16, brain);
    mo_view views[4] = {test_view(w, n, k), test_view(t, k, n), test_view(w, n, k), test_view(w, n, k)};
    views[2].data = half, views[2].dtype = MO_F16;
    views[3].data = brain, views[3].dtype = MO_BF16;
    const mo_mat_part parts[4] = {
        {&views[0], false}, {&views[1], true}, {&views[2], false}, {&views[3], false}};
    mo_mat mat, back, again;
    assert_ok(mo_mat_pack(&mat, parts, 4));
    assert_int_equal(mat.n, 4 * n);
    assert_ok(mo_mat_transpose(&back, &mat));
    assert_ok(mo_mat_transpose(&again, &back));
    assert_memory_equal(mat.packed, again.packed, mo_mat_floats(4 * n, k) * sizeof(float));
    for (size_t o = 0; o < 4 * n; o++) {
        mo_mat_row(&mat, o, row);
        for (size_t i = 0; i < k; i++) assert_true(fabsf(row[i] - w[o % n * k + i]) < 1e-3f);
    }
    mo_mat_free(&mat), mo_mat_free(&back), mo_mat_free(&again);
}

static void mat_refuses_what_is_no_matrix(void **state)
{
    (void)state;
    float w[24] = {0};
    mo_view a = test_view(w, 4, 6), b = test_view(w, 6, 4), c = test_view(w, 0, 6), d = test_view(w, 4, 6);
    mo_view e = {.data = w, .dtype = MO_I32, .n_dims = 2, .shape = {4, 6}, .n = 24};
    mo_mat mat;
    d.shape[1] = SIZE_MAX / 2;
    assert_fails(
        mo_mat_pack(&mat, (mo_mat_part[]){{&a, false}, {&b, false}}, 2), MOPD_E_MISMATCH, "6 and 4 inputs");
    assert_fails(mo_mat_pack(&mat, &(mo_mat_part){&c, false}, 1), MOPD_E_MISMATCH, "no matrix");
    assert_fails(mo_mat_pack(&mat, &(mo_mat_part){&d, false}, 1), MOPD_E_MISMATCH, "no matrix");
    assert_fails(mo_mat_pack(&mat, &(mo_mat_part){&e, false}, 1), MOPD_E_UNSUPPORTED, "I32");
    assert_int_equal(mo_mat_floats(SIZE_MAX, 2), 0);
    assert_int_equal(mo_mat_floats(SIZE_MAX / 16, 64), 0);
}

static mopd_status pack_once(void *ctx)
{
    const mo_view *v = ctx;
    mo_mat mat, back = {0};
    mopd_status st = mo_mat_pack(&mat, &(mo_mat_part){v, false}, 1);
    if (st == MOPD_OK) st = mo_mat_transpose(&back, &mat);
    mo_mat_free(&mat), mo_mat_free(&back);
    return st;
}

static void mat_survives_lack_of_memory(void **state)
{
    (void)state;
    float w[24] = {0};
    mo_view v = test_view(w, 4, 6);
    test_torture(pack_once, &v);
}

static void raw_products(void)
{
    for (size_t s = 0; s < N_SHAPES; s++) {
        const size_t m = shapes[s][0], n = shapes[s][1], k = shapes[s][2];
        float *a = test_floats(m * k, 1), *b = test_floats(n * k, 2), *c = test_floats(m * n, 3),
              *alone = test_floats(m * n, 4);
        for (int form = 0; form < 4; form++) {
            const bool at = form & 1, bt = form & 2, add = s & 1;
            mo_gemm_raw_args g = {.c = c,
                .ldc = n,
                .a = a,
                .ars = at ? 1 : k,
                .acs = at ? m : 1,
                .b = b,
                .brs = bt ? 1 : n,
                .bcs = bt ? k : 1,
                .m = m,
                .n = n,
                .k = k,
                .alpha = 0.5f,
                .add = add};
            test_random(c, m * n, 3);
            mo_gemm_raw(NULL, &g);
            test_random(alone, m * n, 3);
            for (size_t i = 0; i < m; i++)
                for (size_t j = 0; j < n; j++) {
                    double want = add ? alone[i * n + j] : 0;
                    for (size_t p = 0; p < k; p++)
                        want += 0.5 * a[i * g.ars + p * g.acs] * b[p * g.brs + j * g.bcs];
                    if (!(fabs(c[i * n + j] - want) < 1e-6 * (4 + (double)k / 16)))
                        fail_msg("%zu x %zu x %zu: %g, not %g", m, n, k, (double)c[i * n + j], want);
                }
            const size_t r = m / 2;
            g.c = alone + r * n, g.a = a + r * g.ars, g.m = 1;
            mo_gemm_raw(NULL, &g);
            assert_memory_equal(alone + r * n, c + r * n, n * sizeof *c);
            mo_pool *pool;
            assert_ok(mo_pool_create(&pool, 3));
            g.c = alone, g.a = a, g.m = m;
            test_random(alone, m * n, 3);
            mo_gemm_raw(pool, &g);
            mo_pool_free(pool);
            assert_memory_equal(alone, c, m * n * sizeof *c);
        }
        mo_mem_free(a), mo_mem_free(b), mo_mem_free(c), mo_mem_free(alone);
    }
}

static void raw_gemm_matches_sums_and_keeps_bits(void **state)
{
    (void)state;
    test_each_path(raw_products);
}

static void blis_agrees(void **state)
{
    (void)state;
    const size_t m = 37, n = 50, k = 70;
    float *a = test_floats(m * k, 1), *b = test_floats(k * n, 2), *c = test_floats(m * n, 3),
          *d = test_floats(m * n, 4);
    assert_ok(mo_gemm_blis(c, a, b, m, n, k));
    mo_gemm_raw(NULL, &(mo_gemm_raw_args){.c = d,
                          .ldc = n,
                          .a = a,
                          .ars = k,
                          .acs = 1,
                          .b = b,
                          .brs = n,
                          .bcs = 1,
                          .m = m,
                          .n = n,
                          .k = k,
                          .alpha = 1});
    assert_true(test_max_diff(c, d, m * n) < 1e-5);
    assert_fails(mo_gemm_blis(c, a, b, 0, n, k), MOPD_E_ARG, "0 x 50 x 70");
    mo_mem_free(a), mo_mem_free(b), mo_mem_free(c), mo_mem_free(d);
}

static void cpu_path_of_another_name_is_refused(void **state)
{
    (void)state;
    assert_fails(mo_kern_cpu_set("sse"), MOPD_E_ARG, "sse");
    assert_ok(mo_kern_cpu_set("plain"));
    assert_memory_equal(mo_gemm_name(), "BLIS ", 5);
    assert_ok(mo_kern_cpu_set(NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gemm_matches_sums_in_double),
        cmocka_unit_test(gemm_row_has_same_bits_in_any_company),
        cmocka_unit_test(gemm_makes_some_outputs_and_adds_in_place),
        cmocka_unit_test(gemm_writes_only_its_columns),
        cmocka_unit_test(mat_packs_types_orientations_and_parts),
        cmocka_unit_test(mat_refuses_what_is_no_matrix),
        cmocka_unit_test(mat_survives_lack_of_memory),
        cmocka_unit_test(raw_gemm_matches_sums_and_keeps_bits),
        cmocka_unit_test(blis_agrees),
        cmocka_unit_test(cpu_path_of_another_name_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
