/* SPDX-License-Identifier: MIT
 * bench_gemm.c - our product over packed weights against BLIS's own call, alternately, on the towers' shapes.
 *
 *     bench_gemm [threads [rounds [bf16 or int8]]]
 *
 * Prints GFLOP/s (medians) and the median of the ratios ours / BLIS.  One thread is timed by the
 * processor's time, so that a busy machine disturbs less; more by the wall's.  BLIS always runs on one: its
 * ratios then tell how the pool scales. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "math/gemm.h"
#include "math/ukernel.h"
#include "math/kern.h"
#include "base/view.h"
#include "base/mem.h"

#define MAX_ROUNDS 99

static mo_precision precision;

static double median(double *x, size_t n)
{
    qsort(x, n, sizeof *x, ascending);
    return x[n / 2];
}

static float *floats(size_t n)
{
    float *x = mo_mem_alloc(n, sizeof *x);
    if (!x) exit(1);
    for (size_t i = 0; i < n; i++) x[i] = (float)(i * 2654435761u % 1024) / 512 - 1;
    return x;
}

static void bench(mo_pool *pool, const size_t shape[3], size_t rounds)
{
    const size_t m = shape[0], n = shape[1], k = shape[2];
    float *a = floats(m * k), *w = floats(n * k), *bias = floats(n), *c = floats(m * n);
    const mo_view v = {.data = w, .dtype = MO_F32, .n_dims = 2, .shape = {k, n}, .n = n * k};
    mo_mat mat;
    if (mo_mat_pack(&mat, &(mo_mat_part){&v, true}, 1) != MOPD_OK) exit(1);
    if (mo_mat_quantize(&mat, precision) != MOPD_OK) exit(1);
    const mo_gemm_args g = {.c = c, .ldc = n, .a = a, .lda = k, .m = m, .bias = bias};
    double ours[MAX_ROUNDS], blis[MAX_ROUNDS], ratio[MAX_ROUNDS];
    const double flops = 2e-9 * (double)m * (double)n * (double)k;
    const size_t repeat = 1 + (size_t)(0.5 / flops);
    for (size_t r = 0; r < rounds; r++) {
        double t0 = now();
        for (size_t i = 0; i < repeat; i++) mo_gemm(pool, &mat, &g);
        double t1 = now();
        for (size_t i = 0; i < repeat; i++) mo_ukernel_product(c, a, w, m, n, k);
        double t2 = now();
        ours[r] = flops * (double)repeat * 1e3 / (t1 - t0);
        blis[r] = flops * (double)repeat * 1e3 / (t2 - t1);
        ratio[r] = ours[r] / blis[r];
    }
    printf("%5zu x %4zu x %4zu %6.1f %6.1f %5.2f\n", m, n, k, median(ours, rounds), median(blis, rounds),
        median(ratio, rounds));
    mo_mat_free(&mat);
    mo_mem_free(a), mo_mem_free(w), mo_mem_free(bias), mo_mem_free(c);
}

int main(int argc, char **argv)
{
    const size_t threads = argc > 1 ? (size_t)atoi(argv[1]) : 1,
                 rounds = argc > 2 ? (size_t)atoi(argv[2]) : 11;
    static const size_t shapes[][3] = {{197, 2304, 768}, {197, 768, 768}, {197, 3072, 768}, {197, 768, 3072},
        {50, 2304, 768}, {50, 768, 768}, {50, 3072, 768}, {50, 768, 3072}, {3152, 3072, 768},
        {3152, 768, 3072}, {77, 1536, 512}, {77, 2048, 512}, {77, 512, 2048}, {250, 2048, 512},
        {250, 512, 2048}, {768, 2048, 512}, {1, 3072, 768}, {4, 3072, 768}, {12, 2048, 512}, {24, 2048, 512},
        {48, 512, 2048}, {12544, 32, 27}, {3136, 144, 24}, {3136, 24, 144}, {196, 672, 112}, {49, 1280, 320}};
    if (argc > 3 && !strcmp(argv[3], "bf16")) precision = MO_PRECISION_16;
    if (argc > 3 && !strcmp(argv[3], "int8")) precision = MO_PRECISION_8;
    mo_pool *pool = NULL;
    if (threads > 1 && mo_pool_create(&pool, threads) != MOPD_OK) return 1;
    if (threads > 1) clock_used = CLOCK_MONOTONIC;
    printf("%s, %zu thread(s); GFLOP/s ours, BLIS on one thread, ours / BLIS\n", mo_gemm_name(), threads);
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        bench(pool, shapes[i], rounds < 1 ? 1 : rounds > MAX_ROUNDS ? MAX_ROUNDS : rounds);
    mo_pool_free(pool);
    return 0;
}
