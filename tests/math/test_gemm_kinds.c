/* SPDX-License-Identifier: MIT
 * test_gemm_kinds.c - what holds for every kind of packed matrix: its products against sums in double over the
 * weights that it gives back, everything that can follow a product, windows, company and threads. */
#include "test.h"

#include "support/kinds.h"

/* c = act(a W^T + bias) + residual with rows that are longer than what is used of them, at odd addresses. */
typedef struct problem {
    const test_kind *kind;
    size_t m, n, k, lda, ldc, ldr;
    float *a_room, *w, *bias_room, *res_room, *c_room, *was;
    float *a, *bias, *res, *c;
    float *rows;        /* W as the matrix has it, once it has been asked */
    double *sum, *room; /* M x N: a W^T in double, and how far a product may be off */
    mo_mat mat;
} problem;

static problem open_problem(const test_kind *kind, size_t m, size_t n, size_t k)
{
    problem p = {
        .kind = kind, .m = m, .n = n, .k = k, .lda = k + (m + n) % 3, .ldc = n + k % 4, .ldr = n + 5};
    p.a_room = test_floats(m * p.lda + 1, 1), p.a = p.a_room + 1;
    p.w = test_floats(n * k, 2);
    p.bias_room = test_floats(n + 1, 3), p.bias = p.bias_room + 1;
    p.res_room = test_floats(m * p.ldr + 3, 4), p.res = p.res_room + 3;
    p.c_room = test_floats(m * p.ldc + 2, 5), p.c = p.c_room + 1;
    p.was = test_floats(m * p.ldc + 2, 5);
    p.rows = test_floats(n * k, 6);
    p.mat = test_kind_pack(kind, p.w, n, k);
    return p;
}

/* What products must be near, as far as the kind's rounding of rows of a allows. */
static void sum_up(problem *p)
{
    p->sum = mo_mem_alloc(p->m * p->n, sizeof *p->sum);
    p->room = mo_mem_alloc(p->m * p->n, sizeof *p->room);
    assert_true(p->sum && p->room);
    for (size_t o = 0; o < p->n; o++) {
        float *w = p->rows + o * p->k;
        mo_mat_row(&p->mat, o, w);
        for (size_t i = 0; i < p->m; i++) {
            const float *a = p->a + i * p->lda;
            p->sum[i * p->n + o] = test_dot(a, w, p->k);
            p->room[i * p->n + o] = 1e-6 * (4 + (double)p->k / 16) +
                                    (p->kind->row_error > 0 ? 1.2 * p->kind->row_error *
                                                                  test_length(a, p->k) * test_length(w, p->k)
                                                            : 0);
        }
    }
}

static void close_problem(problem *p)
{
    mo_mat_free(&p->mat);
    mo_mem_free(p->a_room), mo_mem_free(p->w), mo_mem_free(p->bias_room), mo_mem_free(p->res_room);
    mo_mem_free(p->c_room), mo_mem_free(p->was), mo_mem_free(p->rows);
    mo_mem_free(p->sum), mo_mem_free(p->room);
}

static mo_gemm_args args_of(const problem *p)
{
    return (mo_gemm_args){.c = p->c, .ldc = p->ldc, .a = p->a, .lda = p->lda, .m = p->m, .ldr = p->ldr};
}

static double activated(double x, mo_act act)
{
    if (act == MO_ACT_QUICK_GELU) return x / (1 + exp(-1.702 * x));
    if (act == MO_ACT_GELU) return 0.5 * x * (1 + erf(x / sqrt(2)));
    if (act == MO_ACT_GELU_TANH) return 0.5 * x * (1 + tanh(sqrt(2 / acos(-1)) * (x + 0.044715 * x * x * x)));
    if (act == MO_ACT_RELU) return x < 0 ? 0 : x;
    return act != MO_ACT_RELU6 ? x : x < 0 ? 0 : x > 6 ? 6 : x;
}

/* g.c against double. */
static void compare(const problem *p, const mo_gemm_args *g)
{
    for (size_t i = 0; i < p->m; i++)
        for (size_t o = 0; o < p->n; o++) {
            const double sum = p->sum[i * p->n + o] + (g->bias ? (double)g->bias[o] : 0);
            const double around = g->residual ? (double)g->residual[i * g->ldr + o] : 0;
            const double want = g->act == MO_ACT_RELU ? activated(sum + around, MO_ACT_RELU)
                                                      : activated(sum, g->act) + around;
            assert_near_at(g->c[i * g->ldc + o], want, p->room[i * p->n + o],
                "%s, %zu x %zu x %zu, activation %d, at %zu, %zu", p->kind->name, p->m, p->n, p->k,
                (int)g->act, i, o);
        }
}

static const size_t shapes[][3] = {{1, 1, 1}, {1, 16, 5}, {2, 17, 3}, {3, 31, 16}, {5, 33, 255}, {6, 48, 256},
    {7, 15, 257}, {8, 64, 511}, {9, 32, 512}, {15, 47, 513}, {29, 96, 64}, {50, 80, 300}, {61, 16, 768},
    {64, 40, 31}, {65, 33, 20}, {241, 16, 17}, {4, 530, 40}, {3, 49, 769}};
#define N_SHAPES (sizeof shapes / sizeof *shapes)

static bool takes(const test_kind *kind, const size_t shape[3])
{
    return shape[1] >= kind->least && shape[2] >= kind->least;
}

static void each_shape(const test_kind *kind)
{
    for (size_t s = 0; s < N_SHAPES; s++) {
        if (!takes(kind, shapes[s])) continue;
        problem p = open_problem(kind, shapes[s][0], shapes[s][1], shapes[s][2]);
        sum_up(&p);
        for (int act = MO_ACT_NONE; act <= MO_ACT_RELU; act++)
            for (size_t what = 0; what < 4; what++) {
                mo_gemm_args g = args_of(&p);
                g.act = (mo_act)act;
                g.bias = what & 1 ? p.bias : NULL;
                g.residual = what & 2 ? p.res : NULL;
                memcpy(p.c_room, p.was, (p.m * p.ldc + 2) * sizeof *p.c);
                mo_gemm(NULL, &p.mat, &g);
                compare(&p, &g);
                for (size_t i = 0; i < p.m * p.ldc + 2; i++) /* nothing beside the result is touched */
                    if (i < 1 || i > p.m * p.ldc || (i - 1) % p.ldc >= p.n)
                        assert_memory_equal(p.c_room + i, p.was + i, sizeof *p.c);
            }
        close_problem(&p);
    }
}

static void products_match_sums_in_double(void **state)
{
    (void)state;
    test_each_kind(each_shape);
}

/* Whole numbers whose sums have 24 bits at most: nothing is rounded, but for integers with their scales. */
static void whole_numbers(const test_kind *kind)
{
    if (kind->ops == &mo_gemm_i16_ops || kind->ops == &mo_gemm_i8_ops) return;
    problem p = open_problem(kind, 67, 70, 300);
    mo_mat_free(&p.mat);
    for (size_t i = 0; i < p.m * p.lda; i++) p.a[i] = rintf(p.a[i] * 60);
    for (size_t i = 0; i < p.n * p.k; i++) p.w[i] = rintf(p.w[i] * 30);
    p.mat = test_kind_pack(kind, p.w, p.n, p.k);
    const mo_gemm_args g = args_of(&p);
    mo_gemm(NULL, &p.mat, &g);
    for (size_t i = 0; i < p.m; i++)
        for (size_t o = 0; o < p.n; o++)
            assert_true(p.c[i * p.ldc + o] == (float)test_dot(p.a + i * p.lda, p.w + o * p.k, p.k));
    close_problem(&p);
}

static void whole_numbers_come_out_exact(void **state)
{
    (void)state;
    test_each_kind(whole_numbers);
}

static void rows_of_weights(const test_kind *kind)
{
    for (size_t s = 0; s < N_SHAPES; s++) {
        if (!takes(kind, shapes[s])) continue;
        problem p = open_problem(kind, 1, shapes[s][1], shapes[s][2]);
        for (size_t o = 0; o < p.n; o += 1 + p.n / 40) {
            mo_mat_row(&p.mat, o, p.rows);
            const double most = kind->weights_error * test_length(p.w + o * p.k, p.k);
            for (size_t i = 0; i < p.k; i++)
                assert_near_at(
                    p.rows[i], p.w[o * p.k + i], most, "%s, weight %zu of row %zu", kind->name, i, o);
        }
        close_problem(&p);
    }
}

static void weights_can_be_read_back(void **state)
{
    (void)state;
    test_each_kind(rows_of_weights);
}

static void in_place(const test_kind *kind)
{
    for (size_t s = 0; s < N_SHAPES; s++) {
        if (!takes(kind, shapes[s])) continue;
        problem p = open_problem(kind, shapes[s][0], shapes[s][1], shapes[s][2]);
        float *apart = test_floats(p.m * p.ldc, 7);
        mo_gemm_args g = args_of(&p);
        g.bias = p.bias;
        g.c = apart;
        g.residual = p.c, g.ldr = p.ldc;
        mo_gemm(NULL, &p.mat, &g);
        g.c = p.c;
        mo_gemm(NULL, &p.mat, &g);
        for (size_t i = 0; i < p.m; i++)
            assert_memory_equal(p.c + i * p.ldc, apart + i * p.ldc, p.n * sizeof *apart);
        mo_mem_free(apart);
        close_problem(&p);
    }
}

static void residual_may_be_the_result(void **state)
{
    (void)state;
    test_each_kind(in_place);
}

/* The residual 1e8 loses the 3 of the sum and the 3 of the bias one by one, but not their 6: floats near it
 * lie 8 apart. */
static void order(const test_kind *kind)
{
    enum { K = 16, N = 16 };
    float w[N * K] = {0}, a[K] = {0}, bias[N], res[N], c[N];
    for (size_t i = 0; i < N; i++) w[i * K] = 1.5f, bias[i] = 3, res[i] = 1e8f;
    a[0] = 2;
    mo_mat mat = test_kind_pack(kind, w, N, K);
    mo_gemm_args g = {.c = c, .ldc = N, .a = a, .lda = K, .m = 1, .bias = bias, .residual = res, .ldr = N};
    mo_gemm(NULL, &mat, &g);
    for (size_t i = 0; i < N; i++) assert_true(c[i] == 1e8f);
    for (int act = MO_ACT_QUICK_GELU; act <= MO_ACT_RELU6; act++) {
        g.act = (mo_act)act;
        mo_gemm(NULL, &mat, &g);
        for (size_t i = 0; i < N; i++) assert_true(c[i] == 1e8f + 8);
    }
    g.act = MO_ACT_RELU6; /* clamped with its bias, and then no more */
    for (size_t i = 0; i < N; i++) bias[i] = i % 2 ? 30 : -30, res[i] = 10;
    mo_gemm(NULL, &mat, &g);
    for (size_t i = 0; i < N; i++) assert_true(c[i] == (i % 2 ? 16 : 10));
    g.act = MO_ACT_RELU; /* clamped with its bias and what it is added to, which may be the result's place */
    g.residual = c;
    for (size_t i = 0; i < N; i++) c[i] = i % 2 ? 20 : -20;
    mo_gemm(NULL, &mat, &g);
    for (size_t i = 0; i < N; i++) assert_true(c[i] == (i % 2 ? 53 : 0));
    mo_mat_free(&mat);
}

static void residual_comes_before_the_bias_but_after_an_activation(void **state)
{
    (void)state;
    test_each_kind(order);
}

static void windows(const test_kind *kind)
{
    static const size_t ranges[][2] = {{0, 1}, {0, 16}, {16, 17}, {32, 33}, {0, 1100}, {496, 32}, {512, 300},
        {1088, 12}, {48, 0}, {1088, 0}, {0, 0}};
    problem p = open_problem(kind, 70, 1100, 100);
    float *all = test_floats(p.m * p.n, 7);
    mo_gemm_args whole = args_of(&p);
    whole.c = all, whole.ldc = p.n, whole.bias = p.bias, whole.act = MO_ACT_GELU;
    mo_gemm(NULL, &p.mat, &whole);
    for (size_t r = 0; r < sizeof ranges / sizeof *ranges; r++) {
        mo_gemm_args g = args_of(&p);
        g.first = ranges[r][0], g.n = ranges[r][1], g.bias = p.bias + g.first, g.act = MO_ACT_GELU;
        mo_gemm(NULL, &p.mat, &g);
        const size_t n = g.n ? g.n : p.n - g.first;
        for (size_t i = 0; i < p.m; i++)
            assert_memory_equal(p.c + i * p.ldc, all + i * p.n + g.first, n * sizeof *all);
    }
    mo_mem_free(all);
    close_problem(&p);
}

static void some_outputs_have_the_bits_of_all(void **state)
{
    (void)state;
    test_each_kind(windows);
}

static void nothing_asked_for(const test_kind *kind)
{
    problem p = open_problem(kind, 3, 32, 20);
    mo_gemm_args g = args_of(&p);
    g.m = 0;
    mo_gemm(NULL, &p.mat, &g);
    g.m = p.m, g.first = p.n; /* no output is left */
    mo_gemm(NULL, &p.mat, &g);
    assert_memory_equal(p.c_room, p.was, (p.m * p.ldc + 2) * sizeof *p.c);
    close_problem(&p);
}

static void no_rows_or_no_outputs_write_nothing(void **state)
{
    (void)state;
    test_each_kind(nothing_asked_for);
}

static void company(const test_kind *kind)
{
    static const size_t counts[] = {1, 2, 5, 8, 9, 14, 30, 63, 64, 65};
    for (size_t s = 0; s < N_SHAPES; s++) {
        if (!takes(kind, shapes[s])) continue;
        problem p = open_problem(kind, shapes[s][0], shapes[s][1], shapes[s][2]);
        float *all = test_floats(p.m * p.n, 7);
        mo_gemm_args g = args_of(&p);
        g.c = all, g.ldc = p.n, g.bias = p.bias, g.act = MO_ACT_QUICK_GELU;
        mo_gemm(NULL, &p.mat, &g);
        g.c = p.c;
        for (size_t q = 0; q < sizeof counts / sizeof *counts && counts[q] <= p.m; q++)
            for (size_t r = 0; r + counts[q] <= p.m; r += 1 + p.m / 5) {
                g.a = p.a + r * p.lda, g.m = counts[q];
                mo_gemm(NULL, &p.mat, &g);
                assert_memory_equal(all + r * p.n, p.c, counts[q] * p.n * sizeof *all);
            }
        mo_mem_free(all);
        close_problem(&p);
    }
}

static void rows_have_the_same_bits_in_any_company(void **state)
{
    (void)state;
    test_each_kind(company);
}

/* Cut by rows, by columns, by both, in one piece. */
static void threads(const test_kind *kind)
{
    static const size_t cuts[][3] = {
        {300, 40, 70}, {2, 1100, 200}, {500, 600, 40}, {1, 16, 16}, {250, 20, 600}};
    for (size_t s = 0; s < sizeof cuts / sizeof *cuts; s++) {
        problem p = open_problem(kind, cuts[s][0], cuts[s][1], cuts[s][2]);
        float *alone = test_floats(p.m * p.ldc + 2, 5) + 1;
        mo_gemm_args g = args_of(&p);
        g.bias = p.bias, g.residual = p.res, g.act = MO_ACT_RELU6;
        g.c = alone;
        mo_gemm(NULL, &p.mat, &g);
        g.c = p.c;
        for (size_t n = 1; n <= 3; n++) {
            mo_pool *pool;
            assert_ok(mo_pool_create(&pool, n));
            memcpy(p.c_room, p.was, (p.m * p.ldc + 2) * sizeof *p.c);
            mo_gemm(pool, &p.mat, &g);
            mo_pool_free(pool);
            assert_memory_equal(p.c_room, alone - 1, (p.m * p.ldc + 2) * sizeof *p.c);
        }
        mo_mem_free(alone - 1);
        close_problem(&p);
    }
}

static void bits_are_the_same_at_any_thread_count(void **state)
{
    (void)state;
    test_each_kind(threads);
}

/* NaN and infinities in three of seven rows of a, and NaN in one row of W. */
static void odd_rows(const test_kind *kind)
{
    static const float odd[] = {NAN, INFINITY, -INFINITY};
    problem p = open_problem(kind, 7, 20, 37);
    mo_mat_free(&p.mat);
    mo_gemm_args g = args_of(&p);
    p.mat = test_kind_pack(kind, p.w, p.n, p.k);
    mo_gemm(NULL, &p.mat, &g);
    mo_mat_free(&p.mat);
    float *before = test_floats(p.m * p.ldc, 7);
    memcpy(before, p.c, p.m * p.ldc * sizeof *before);
    for (size_t i = 0; i < 3; i++) p.a[(2 * i + 1) * p.lda + 4] = odd[i];
    p.w[3 * p.k + 5] = NAN;
    p.mat = test_kind_pack(kind, p.w, p.n, p.k);
    mo_gemm(NULL, &p.mat, &g);
    for (size_t i = 0; i < p.m; i++)
        for (size_t o = 0; o < p.n; o++) {
            const float *now = p.c + i * p.ldc + o;
            if (i % 2 || o == 3)
                assert_true(!isfinite(*now));
            else
                assert_memory_equal(now, before + i * p.ldc + o, sizeof *now);
        }
    mo_mem_free(before);
    close_problem(&p);
}

static void what_is_no_number_keeps_to_its_row(void **state)
{
    (void)state;
    test_each_kind(odd_rows);
}

static void large_and_small(const test_kind *kind)
{
    const size_t n = 16, k = 48;
    float w[16 * 48], a[3 * 48], c[3 * 16];
    test_random(w, n * k, 2);
    test_random(a, 3 * k, 1);
    for (size_t i = 0; i < k; i++) a[i] *= 1e15f, a[k + i] *= 1e-12f, a[2 * k + i] = 0;
    mo_mat mat = test_kind_pack(kind, w, n, k);
    mo_gemm(NULL, &mat, &(mo_gemm_args){.c = c, .ldc = n, .a = a, .lda = k, .m = 3});
    for (size_t i = 0; i < 3; i++)
        for (size_t o = 0; o < n; o++) {
            const double size = test_length(a + i * k, k) * test_length(w + o * k, k);
            assert_near_at(c[i * n + o], test_dot(a + i * k, w + o * k, k),
                (1e-6 + kind->row_error + 2 * kind->weights_error) * size, "%s, row %zu", kind->name, i);
        }
    for (size_t o = 0; o < n; o++) assert_true(c[2 * n + o] == 0);
    mo_mat_free(&mat);
}

static void errors_are_in_proportion_to_the_rows(void **state)
{
    (void)state;
    test_each_kind(large_and_small);
}

int main(void)
{
    unsetenv("MOPD_BF16");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(products_match_sums_in_double),
        cmocka_unit_test(whole_numbers_come_out_exact),
        cmocka_unit_test(weights_can_be_read_back),
        cmocka_unit_test(residual_may_be_the_result),
        cmocka_unit_test(residual_comes_before_the_bias_but_after_an_activation),
        cmocka_unit_test(some_outputs_have_the_bits_of_all),
        cmocka_unit_test(no_rows_or_no_outputs_write_nothing),
        cmocka_unit_test(rows_have_the_same_bits_in_any_company),
        cmocka_unit_test(bits_are_the_same_at_any_thread_count),
        cmocka_unit_test(what_is_no_number_keeps_to_its_row),
        cmocka_unit_test(errors_are_in_proportion_to_the_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
