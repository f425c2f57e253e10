/* SPDX-License-Identifier: MIT
 * bench_effnet.c - the convolutions of EfficientNet-Lite0 at 224 pixels: what the whole pass takes,
 * and each kind.
 *
 *     bench_effnet [threads [rounds [images]]]
 *
 * Medians in milliseconds a pass.  One thread is timed by the processor's time, more by the wall's. */
#include <stdio.h>
#include <stdlib.h>

#include "clock.h"
#include "layer/conv.h"
#include "layer/depthwise.h"
#include "math/kern.h"
#include "base/view.h"
#include "base/mem.h"

#define MAX_ROUNDS 99
#define MAX_BLOCKS 16

static float *floats(size_t n, float size)
{
    float *x = mo_mem_alloc(n, sizeof *x);
    if (!x) exit(1);
    for (size_t i = 0; i < n; i++) x[i] = ((float)(i * 2654435761u % 1024) / 512 - 1) * size;
    return x;
}

static mo_linear linear(size_t n, size_t k)
{
    float *w = floats(n * k, 0.1f), *b = floats(n, 0.1f);
    const mo_view v = {.data = w, .dtype = MO_F32, .n_dims = 2, .shape = {n, k}, .n = n * k},
                  bias = {.data = b, .dtype = MO_F32, .n_dims = 1, .shape = {n}, .n = n};
    mo_linear l;
    if (mo_linear_pack(&l, &(mo_linear_part){&v, &bias, false}, 1) != MOPD_OK) exit(1);
    mo_mem_free(w), mo_mem_free(b);
    return l;
}

typedef struct residual {
    size_t in, mid, out, side; /* side: of the input map */
    mo_linear expand, project;
    mo_depthwise depth;
} residual;

static residual blocks[MAX_BLOCKS];
static size_t n_blocks;

static void build(void)
{
    static const size_t stages[7][5] = {/* repeats, kernel, stride, expansion, outputs */
        {1, 3, 1, 1, 16}, {2, 3, 2, 6, 24}, {2, 5, 2, 6, 40}, {3, 3, 2, 6, 80}, {3, 5, 1, 6, 112},
        {4, 5, 2, 6, 192}, {1, 3, 1, 6, 320}};
    size_t in = 32, side = 112;
    for (size_t s = 0; s < 7; s++)
        for (size_t r = 0; r < stages[s][0]; r++) {
            residual *b = &blocks[n_blocks++];
            const size_t stride = r ? 1 : stages[s][2], mid = in * stages[s][3], k = stages[s][1];
            *b = (residual){.in = in, .mid = mid, .out = stages[s][4], .side = side};
            b->expand = linear(mid, in), b->project = linear(b->out, mid);
            float *w = floats(mid * k * k, 0.1f);
            if (mo_depthwise_pack(&b->depth, w, w, (size_t[]){mid, k, stride}) != MOPD_OK) exit(1);
            mo_mem_free(w);
            in = b->out;
            side = mo_conv_same_out(side, stride);
        }
}

enum { STEM, EXPAND, DEPTH, PROJECT, HEAD, WHOLE, N_PARTS };

int main(int argc, char **argv)
{
    const size_t threads = argc > 1 ? (size_t)atoi(argv[1]) : 1,
                 rounds = argc > 2 ? (size_t)atoi(argv[2]) : 11;
    const size_t n = argc > 3 ? (size_t)atoi(argv[3]) : 1;
    static double t[N_PARTS][MAX_ROUNDS];
    if (rounds < 1 || rounds > MAX_ROUNDS || n < 1 || n > 64) return 1;
    mo_pool *pool = NULL;
    if (threads > 1 && mo_pool_create(&pool, threads) != MOPD_OK) return 1;
    if (threads > 1) clock_used = CLOCK_MONOTONIC;
    build();
    mo_stem stem = {.linear = linear(32, 27), .planes = 3, .kernel = 3, .stride = 2, .act = MO_ACT_RELU6};
    mo_linear head = linear(1280, 320);
    float *x = floats(n * 112 * 112 * 96, 1), *y = floats(n * 112 * 112 * 96, 1),
          *z = floats(n * 112 * 112 * 96, 1);
    for (size_t r = 0; r < rounds; r++) {
        double at[6] = {0}, from = now();
        mo_conv_stem_fwd(pool, x, z, &stem, y, (size_t[]){n, 224, 224});
        t[STEM][r] = now() - from;
        for (size_t i = 0; i < n_blocks; i++) {
            const residual *b = &blocks[i];
            const size_t rows = n * b->side * b->side, side = mo_conv_same_out(b->side, b->depth.stride);
            at[0] = now();
            if (b->in != b->mid)
                mo_linear_fwd(pool, y, x, &b->expand, &(mo_linear_call){.rows = rows, .act = MO_ACT_RELU6});
            at[1] = now();
            mo_depthwise_fwd(pool, z, y, &b->depth, (size_t[]){n, b->side, b->side});
            at[2] = now();
            mo_linear_fwd(pool, x, z, &b->project, &(mo_linear_call){.rows = n * side * side});
            at[3] = now();
            for (size_t j = 0; j < 3; j++) t[EXPAND + j][r] = (i ? t[EXPAND + j][r] : 0) + at[j + 1] - at[j];
        }
        at[4] = now();
        mo_linear_fwd(pool, y, x, &head, &(mo_linear_call){.rows = n * 49, .act = MO_ACT_RELU6});
        t[HEAD][r] = now() - at[4];
        t[WHOLE][r] = now() - from;
    }
    static const char *const names[] = {"stem", "expand", "depthwise", "project", "head", "whole"};
    printf("%s, %zu thread(s), %zu picture(s), ms:", mo_gemm_name(), threads, n);
    for (size_t i = 0; i < N_PARTS; i++) {
        qsort(t[i], rounds, sizeof **t, ascending);
        printf(" %s %.3f", names[i], t[i][rounds / 2]);
    }
    printf("\n");
    mo_pool_free(pool);
    return 0;
}
