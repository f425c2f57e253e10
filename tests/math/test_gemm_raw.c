/* SPDX-License-Identifier: MIT
 * test_gemm_raw.c - products of two matrices that nobody packed: every order of their elements, against sums in
 * double; company and threads; nothing to add up. */
#include "test.h"

#include "math/gemm.h"
#include "support/mats.h"
#include "support/near.h"
#include "support/paths.h"

static const size_t shapes[][3] = {{1, 1, 1}, {1, 16, 5}, {2, 17, 3}, {3, 31, 16}, {5, 33, 255}, {6, 48, 256},
    {7, 15, 257}, {13, 64, 511}, {14, 32, 512}, {15, 47, 513}, {29, 96, 64}, {50, 97, 300}, {61, 16, 768},
    {197, 40, 70}, {241, 33, 20}, {500, 3, 7}, {4, 1030, 40}};
#define N_SHAPES (sizeof shapes / sizeof *shapes)

/* Which of a and b lie turned. */
enum { PLAIN, A_TURNED, B_TURNED, BOTH_TURNED, N_FORMS };

typedef struct problem {
    size_t m, n, k;
    float *a, *b, *c, *was, *other;
} problem;

static problem open_problem(const size_t shape[3])
{
    problem p = {.m = shape[0], .n = shape[1], .k = shape[2]};
    p.a = test_floats(p.m * p.k, 1);
    p.b = test_floats(p.n * p.k, 2);
    p.c = test_floats(p.m * (p.n + 2), 3);
    p.was = test_floats(p.m * (p.n + 2), 3);
    p.other = test_floats(p.m * (p.n + 2), 3);
    return p;
}

static void close_problem(problem *p)
{
    mo_mem_free(p->a), mo_mem_free(p->b), mo_mem_free(p->c), mo_mem_free(p->was), mo_mem_free(p->other);
}

static mo_gemm_raw_args args_of(const problem *p, int form)
{
    const bool at = form & A_TURNED, bt = form & B_TURNED;
    return (mo_gemm_raw_args){.c = p->c,
        .ldc = p->n + 2,
        .a = p->a,
        .ars = at ? 1 : p->k,
        .acs = at ? p->m : 1,
        .b = p->b,
        .brs = bt ? 1 : p->n,
        .bcs = bt ? p->k : 1,
        .m = p->m,
        .n = p->n,
        .k = p->k,
        .alpha = 0.5f};
}

/* alpha a b (+ what was there), and two floats behind each row that stay. */
static void compare(const problem *p, const mo_gemm_raw_args *g)
{
    for (size_t i = 0; i < p->m; i++) {
        for (size_t j = 0; j < p->n; j++) {
            double want = g->add ? p->was[i * g->ldc + j] : 0;
            for (size_t q = 0; q < p->k; q++)
                want += (double)g->alpha * (double)g->a[i * g->ars + q * g->acs] *
                        (double)g->b[q * g->brs + j * g->bcs];
            assert_near_at(p->c[i * g->ldc + j], want, 1e-6 * (4 + (double)p->k / 16),
                "%zu x %zu x %zu at %zu, %zu", p->m, p->n, p->k, i, j);
        }
        assert_memory_equal(p->c + i * g->ldc + p->n, p->was + i * g->ldc + p->n, 2 * sizeof(float));
    }
}

static void every_form(void)
{
    for (size_t s = 0; s < N_SHAPES; s++) {
        problem p = open_problem(shapes[s]);
        for (int form = PLAIN; form < N_FORMS; form++)
            for (int add = 0; add < 2; add++) {
                mo_gemm_raw_args g = args_of(&p, form);
                g.add = add;
                memcpy(p.c, p.was, p.m * g.ldc * sizeof *p.c);
                mo_gemm_raw(NULL, &g);
                compare(&p, &g);
            }
        close_problem(&p);
    }
}

static void products_match_sums_in_double(void **state)
{
    (void)state;
    test_each_path(every_form);
}

static void company_and_threads(void)
{
    for (size_t s = 0; s < N_SHAPES; s++) {
        problem p = open_problem(shapes[s]);
        mo_gemm_raw_args g = args_of(&p, A_TURNED);
        g.add = s & 1;
        mo_gemm_raw(NULL, &g);
        for (size_t threads = 2; threads <= 3; threads++) {
            mo_pool *pool;
            assert_ok(mo_pool_create(&pool, threads));
            memcpy(p.other, p.was, p.m * g.ldc * sizeof *p.c);
            g.c = p.other;
            mo_gemm_raw(pool, &g);
            mo_pool_free(pool);
            assert_memory_equal(p.other, p.c, p.m * g.ldc * sizeof *p.c);
        }
        for (size_t r = 0; r < p.m; r += 1 + p.m / 6) { /* a row alone */
            memcpy(p.other, p.was, p.m * g.ldc * sizeof *p.c);
            g.c = p.other + r * g.ldc, g.a = p.a + r * g.ars, g.m = 1;
            mo_gemm_raw(NULL, &g);
            assert_memory_equal(g.c, p.c + r * g.ldc, p.n * sizeof *p.c);
        }
        close_problem(&p);
    }
}

static void rows_have_the_same_bits_in_any_company_and_at_any_thread_count(void **state)
{
    (void)state;
    test_each_path(company_and_threads);
}

static void sums_over_nothing_are_zero_or_what_was_there(void **state)
{
    (void)state;
    problem p = open_problem((size_t[3]){5, 19, 4});
    mo_gemm_raw_args g = args_of(&p, PLAIN);
    g.k = 0, g.add = true;
    mo_gemm_raw(NULL, &g);
    assert_memory_equal(p.c, p.was, p.m * g.ldc * sizeof *p.c);
    g.add = false;
    mo_gemm_raw(NULL, &g);
    for (size_t i = 0; i < p.m * g.ldc; i++) assert_true(p.c[i] == (i % g.ldc < p.n ? 0 : p.was[i]));
    close_problem(&p);
}

static void no_rows_or_no_columns_write_nothing(void **state)
{
    (void)state;
    problem p = open_problem((size_t[3]){5, 19, 4});
    mo_gemm_raw_args g = args_of(&p, PLAIN);
    g.m = 0;
    mo_gemm_raw(NULL, &g);
    g.m = p.m, g.n = 0;
    mo_gemm_raw(NULL, &g);
    g.k = 0;
    mo_gemm_raw(NULL, &g);
    assert_memory_equal(p.c, p.was, p.m * g.ldc * sizeof *p.c);
    close_problem(&p);
}

/* alpha is multiplied into b once: a power of two changes no bit of a sum. */
static void alpha_scales_the_product(void **state)
{
    (void)state;
    problem p = open_problem((size_t[3]){9, 20, 30});
    mo_gemm_raw_args g = args_of(&p, PLAIN);
    g.alpha = 1;
    mo_gemm_raw(NULL, &g);
    g.c = p.other, g.alpha = -4;
    mo_gemm_raw(NULL, &g);
    for (size_t i = 0; i < p.m; i++)
        for (size_t j = 0; j < p.n; j++) assert_true(p.other[i * g.ldc + j] == -4 * p.c[i * g.ldc + j]);
    g.alpha = 0;
    mo_gemm_raw(NULL, &g);
    for (size_t i = 0; i < p.m; i++)
        for (size_t j = 0; j < p.n; j++) assert_true(p.other[i * g.ldc + j] == 0);
    close_problem(&p);
}

static void not_a_number_keeps_to_its_row_and_column(void)
{
    problem p = open_problem((size_t[3]){13, 50, 40});
    mo_gemm_raw_args g = args_of(&p, B_TURNED);
    p.a[4 * p.k + 11] = NAN;
    p.b[7 * p.k + 2] = NAN;
    mo_gemm_raw(NULL, &g);
    for (size_t i = 0; i < p.m; i++)
        for (size_t j = 0; j < p.n; j++) assert_true(isnan(p.c[i * g.ldc + j]) == (i == 4 || j == 7));
    close_problem(&p);
}

static void what_is_no_number_stays_so(void **state)
{
    (void)state;
    test_each_path(not_a_number_keeps_to_its_row_and_column);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(products_match_sums_in_double),
        cmocka_unit_test(rows_have_the_same_bits_in_any_company_and_at_any_thread_count),
        cmocka_unit_test(sums_over_nothing_are_zero_or_what_was_there),
        cmocka_unit_test(no_rows_or_no_columns_write_nothing),
        cmocka_unit_test(alpha_scales_the_product),
        cmocka_unit_test(what_is_no_number_stays_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
