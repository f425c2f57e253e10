/* SPDX-License-Identifier: MIT
 * test_block.c - attention and the transformer block: against double precision, against themselves (trees
 * and plain sequences, selected rows, company, threads), and the backward pass against central differences.
 * */
#include "test.h"

#include "layer/block.h"
#include "support/paths.h"
#include "base/view.h"
#include "base/mem.h"

/* A random block, with the floats it was packed from. */
typedef struct model {
    size_t w, heads, hidden;
    float *ln, *qkv, *out, *fc1, *fc2, *bias; /* ln [4 x w], bias [3w + w + hidden + w] */
    mo_block block;
    mo_block_transposed transposed;
} model;

static float *floats(size_t n, uint32_t seed, float size)
{
    float *x = mo_mem_alloc(n ? n : 1, sizeof *x);
    assert_non_null(x);
    test_random(x, n, seed);
    for (size_t i = 0; i < n; i++) x[i] *= size;
    return x;
}

static mo_view vector(const float *x, size_t n)
{
    return (mo_view){.data = x, .dtype = MO_F32, .n_dims = 1, .shape = {n}, .n = n};
}

static mo_view matrix(const float *x, size_t n, size_t k)
{
    return (mo_view){.data = x, .dtype = MO_F32, .n_dims = 2, .shape = {n, k}, .n = n * k};
}

static mopd_status pack_model(mo_block *block, const model *m, mo_act act, bool fused)
{
    const size_t w = m->w, h = m->hidden;
    const float *b = m->bias;
    const mo_view ln[4] = {
        vector(m->ln, w), vector(m->ln + w, w), vector(m->ln + 2 * w, w), vector(m->ln + 3 * w, w)};
    const mo_view q[3] = {
        matrix(m->qkv, fused ? 3 * w : w, w), matrix(m->qkv + w * w, w, w), matrix(m->qkv + 2 * w * w, w, w)};
    const mo_view qb[3] = {vector(b, fused ? 3 * w : w), vector(b + w, w), vector(b + 2 * w, w)};
    const mo_view out = matrix(m->out, w, w), fc1 = matrix(m->fc1, h, w), fc2 = matrix(m->fc2, w, h);
    const mo_view ob = vector(b + 3 * w, w), b1 = vector(b + 4 * w, h), b2 = vector(b + 4 * w + h, w);
    const mo_block_parts parts = {.width = w,
        .n_heads = m->heads,
        .act = act,
        .eps = 1e-5f,
        .ln1_gamma = &ln[0],
        .ln1_beta = &ln[1],
        .ln2_gamma = &ln[2],
        .ln2_beta = &ln[3],
        .qkv = {{&q[0], &qb[0], false}, {&q[1], &qb[1], false}, {&q[2], &qb[2], false}},
        .n_qkv = fused ? 1 : 3,
        .out = {&out, &ob, false},
        .fc1 = {&fc1, &b1, false},
        .fc2 = {&fc2, &b2, false}};
    return mo_block_pack(block, &parts);
}

static model open_model(size_t w, size_t heads, size_t hidden, mo_act act)
{
    model m = {.w = w, .heads = heads, .hidden = hidden};
    m.ln = floats(4 * w, 1, 0.3f);
    for (size_t i = 0; i < w; i++) m.ln[i] += 1, m.ln[2 * w + i] += 1;
    m.qkv = floats(3 * w * w, 2, 0.5f);
    m.out = floats(w * w, 3, 0.3f);
    m.fc1 = floats(hidden * w, 4, 0.3f);
    m.fc2 = floats(w * hidden, 5, 0.3f);
    m.bias = floats(5 * w + hidden, 6, 0.2f);
    assert_ok(pack_model(&m.block, &m, act, w % 2));
    assert_ok(mo_block_transposed_pack(&m.transposed, &m.block));
    return m;
}

static void close_model(model *m)
{
    mo_block_free(&m->block);
    mo_block_transposed_free(&m->transposed);
    mo_mem_free(m->ln), mo_mem_free(m->qkv), mo_mem_free(m->out), mo_mem_free(m->fc1), mo_mem_free(m->fc2),
        mo_mem_free(m->bias);
}

/* y [n_select or rows x w] = block(x); the workspace lives for the call. */
static void run_as(const model *m, float *y, const float *x, mo_block_run run)
{
    mo_arena arena = {0};
    mo_block_work work;
    const mo_block_size size = {run.rows->rows, mo_attention_longest(run.rows), run.pool};
    mo_block_work_take(&work, &arena, &m->block, &size);
    assert_ok(mo_arena_open(&arena));
    mo_block_work_take(&work, &arena, &m->block, &size);
    run.work = &work;
    mo_block_fwd(&m->block, y, x, &run);
    mo_arena_close(&arena);
}

static void run_model(const model *m, float *y, const float *x, const mo_rows *rows, mo_pool *pool,
    const uint32_t *select, size_t n_select)
{
    run_as(m, y, x, (mo_block_run){.pool = pool, .rows = rows, .select = select, .n_select = n_select});
}

/* Which rows a row sees, written out. */
static bool sees(const mo_rows *rows, size_t a, size_t b)
{
    if (!rows->segs) return a / rows->seq_len == b / rows->seq_len;
    size_t s = 0;
    while (a >= rows->segs[s].first + rows->segs[s].n) s++;
    if (b >= rows->segs[s].first && b <= a) return true;
    for (int32_t p = rows->segs[s].parent; p >= 0; p = rows->segs[p].parent)
        if (b >= rows->segs[p].first && b < rows->segs[p].first + rows->segs[p].n) return true;
    return false;
}

static void norm_double(double *y, const double *x, const float *g, size_t w)
{
    double mean = 0, var = 0;
    for (size_t i = 0; i < w; i++) mean += x[i] / (double)w;
    for (size_t i = 0; i < w; i++) var += (x[i] - mean) * (x[i] - mean) / (double)w;
    for (size_t i = 0; i < w; i++) y[i] = (x[i] - mean) / sqrt(var + 1e-5) * g[i] + g[w + i];
}

static void linear_double(
    double *y, const double *x, const float *weights, const float *bias, size_t n, size_t k)
{
    for (size_t o = 0; o < n; o++) {
        y[o] = bias[o];
        for (size_t i = 0; i < k; i++) y[o] += weights[o * k + i] * x[i];
    }
}

/* One row of softmax(q k^T / sqrt d) v over all heads. */
static void attend_double(double *y, const double *qkv, const model *m, const mo_rows *rows, size_t r)
{
    const size_t w = m->w, d = w / m->heads;
    memset(y, 0, w * sizeof *y);
    for (size_t h = 0; h < m->heads; h++) {
        double sum = 0;
        for (size_t s = 0; s < rows->rows; s++) {
            double score = 0;
            for (size_t i = h * d; i < (h + 1) * d; i++) score += qkv[r * 3 * w + i] * qkv[s * 3 * w + w + i];
            const double e = sees(rows, r, s) ? exp(score / sqrt((double)d)) : 0;
            sum += e;
            for (size_t i = h * d; i < (h + 1) * d; i++) y[i] += e * qkv[s * 3 * w + 2 * w + i];
        }
        for (size_t i = h * d; i < (h + 1) * d; i++) y[i] /= sum;
    }
}

static void block_double(double *y, const double *x, const model *m, const mo_rows *rows, mo_act act)
{
    const size_t w = m->w, h = m->hidden;
    double *qkv = malloc(rows->rows * 3 * w * sizeof *qkv), *t = malloc(w * sizeof *t),
           *u = malloc(h * sizeof *u);
    assert_true(qkv && t && u);
    for (size_t r = 0; r < rows->rows; r++) {
        norm_double(t, x + r * w, m->ln, w);
        linear_double(qkv + r * 3 * w, t, m->qkv, m->bias, 3 * w, w);
    }
    for (size_t r = 0; r < rows->rows; r++) {
        double *to = y + r * w;
        attend_double(t, qkv, m, rows, r);
        linear_double(to, t, m->out, m->bias + 3 * w, w, w);
        for (size_t i = 0; i < w; i++) to[i] += x[r * w + i];
        norm_double(t, to, m->ln + 2 * w, w);
        linear_double(u, t, m->fc1, m->bias + 4 * w, h, w);
        for (size_t i = 0; i < h; i++)
            u[i] =
                act == MO_ACT_GELU ? 0.5 * u[i] * (1 + erf(u[i] / sqrt(2))) : u[i] / (1 + exp(-1.702 * u[i]));
        double z[64];
        linear_double(z, u, m->fc2, m->bias + 4 * w + h, w, h);
        for (size_t i = 0; i < w; i++) to[i] += z[i];
    }
    free(qkv), free(t), free(u);
}

/* Every row of up to 300 asks: as the last block goes about its few rows. */
static void run_asked(const model *m, float *y, const float *x, const mo_rows *rows)
{
    uint32_t every[300];
    for (uint32_t r = 0; r < 300; r++) every[r] = r;
    run_model(m, y, x, rows, NULL, every, rows->rows);
}

static void against_double(const model *m, const mo_rows *rows, mo_act act)
{
    const size_t n = rows->rows * m->w;
    float *x = floats(n, 9, 1), *y = floats(n, 10, 1), *z = floats(n, 11, 1);
    double *xd = calloc(n, sizeof *xd), *want = malloc(n * sizeof *want);
    assert_true(xd && want);
    for (size_t i = 0; i < n; i++) xd[i] = x[i];
    block_double(want, xd, m, rows, act);
    run_model(m, y, x, rows, NULL, NULL, 0);
    for (size_t i = 0; i < n; i++)
        if (!(fabs(y[i] - want[i]) < 2e-5)) fail_msg("row %zu: %g, not %g", i / m->w, (double)y[i], want[i]);
    memcpy(z, x, n * sizeof *x);
    run_model(m, x, x, rows, NULL, NULL, 0); /* in place: the same bits */
    assert_memory_equal(x, y, n * sizeof *x);
    run_asked(m, y, z, rows);
    for (size_t i = 0; i < n; i++)
        if (!(fabs(y[i] - want[i]) < 2e-5))
            fail_msg("row %zu that asks: %g, not %g", i / m->w, (double)y[i], want[i]);
    mo_mem_free(x), mo_mem_free(y), mo_mem_free(z), free(xd), free(want);
}

/* 5 rows, then 2 below them, 3 and 1 below those, and a second root of 4. */
static const mo_segment tree_segs[] = {{0, 5, -1}, {5, 2, 0}, {7, 3, 1}, {10, 1, 1}, {11, 4, 0}, {15, 4, -1}};
static const mo_rows tree = {.rows = 19, .segs = tree_segs, .n_segs = 6};

static void doubles(void)
{
    model a = open_model(24, 3, 50, MO_ACT_QUICK_GELU), b = open_model(33, 3, 40, MO_ACT_GELU);
    against_double(&a, &tree, MO_ACT_QUICK_GELU);
    against_double(&b, &tree, MO_ACT_GELU);
    against_double(&a, &(mo_rows){.rows = 21, .n_seqs = 3, .seq_len = 7}, MO_ACT_QUICK_GELU);
    against_double(&b, &(mo_rows){.rows = 90, .n_seqs = 2, .seq_len = 45}, MO_ACT_GELU);
    against_double(&a, &(mo_rows){.rows = 270, .n_seqs = 1, .seq_len = 270}, MO_ACT_QUICK_GELU);
    model c = open_model(48, 3, 60, MO_ACT_GELU), d = open_model(32, 1, 60, MO_ACT_QUICK_GELU);
    against_double(&c, &tree, MO_ACT_GELU);
    against_double(&d, &tree, MO_ACT_QUICK_GELU);
    against_double(&c, &(mo_rows){.rows = 90, .n_seqs = 2, .seq_len = 45}, MO_ACT_GELU);
    against_double(&d, &(mo_rows){.rows = 51, .n_seqs = 3, .seq_len = 17}, MO_ACT_QUICK_GELU);
    close_model(&a), close_model(&b), close_model(&c), close_model(&d);
}

static void block_matches_double(void **state)
{
    (void)state;
    test_each_path(doubles);
}

/* Each leaf of the tree as a plain causal sequence of its own gives its rows the same bits. */
static void trees(void)
{
    model m = open_model(32, 2, 48, MO_ACT_QUICK_GELU);
    float *x = floats(19 * 32, 9, 1), *y = floats(19 * 32, 10, 1), *xs = floats(19 * 32, 1, 1),
          *ys = floats(19 * 32, 2, 1), *asked = floats(19 * 32, 3, 1);
    run_model(&m, y, x, &tree, NULL, NULL, 0);
    run_asked(&m, asked, x, &tree);
    for (size_t leaf = 0; leaf < 6; leaf++) {
        uint32_t row[19], n = 0;
        for (uint32_t r = 0; r < 19; r++)
            if (sees(&tree, tree_segs[leaf].first + tree_segs[leaf].n - 1, r)) row[n++] = r;
        /* cut anywhere: two segments instead of one or three */
        const mo_segment alone[2] = {{0, n - 1, -1}, {n - 1, 1, 0}};
        const mo_rows rows = {.rows = n, .segs = alone, .n_segs = 2};
        for (size_t i = 0; i < n; i++) memcpy(xs + i * 32, x + row[i] * 32, 32 * sizeof *x);
        run_model(&m, ys, xs, &rows, NULL, NULL, 0);
        for (size_t i = 0; i < n; i++) assert_memory_equal(ys + i * 32, y + row[i] * 32, 32 * sizeof *x);
        run_asked(&m, ys, xs, &rows);
        for (size_t i = 0; i < n; i++) assert_memory_equal(ys + i * 32, asked + row[i] * 32, 32 * sizeof *x);
    }
    mo_mem_free(x), mo_mem_free(y), mo_mem_free(xs), mo_mem_free(ys), mo_mem_free(asked);
    close_model(&m);
}

static void tree_has_the_bits_of_its_sequences(void **state)
{
    (void)state;
    test_each_path(trees);
}

static void select_case(const model *m, const mo_rows *rows, const uint32_t *select, size_t n)
{
    const size_t w = m->w;
    float *x = floats(rows->rows * w, 9, 1), *all = floats(rows->rows * w, 10, 1),
          *some = floats(rows->rows * w, 11, 1), *asked = floats(rows->rows * w, 12, 1);
    run_model(m, all, x, rows, NULL, NULL, 0);
    run_asked(m, asked, x, rows);
    for (size_t threads = 1; threads <= 3; threads++) {
        mo_pool *pool;
        assert_ok(mo_pool_create(&pool, threads));
        run_model(m, some, x, rows, pool, NULL, 0);
        assert_memory_equal(some, all, rows->rows * w * sizeof *all);
        run_model(m, some, x, rows, pool, select, n);
        for (size_t i = 0; i < n; i++)
            assert_memory_equal(some + i * w, asked + select[i] * w, w * sizeof *all);
        run_model(m, some, x, rows, pool, select + n / 2, 1);
        assert_memory_equal(some, asked + select[n / 2] * w, w * sizeof *all);
        mo_pool_free(pool);
    }
    mo_mem_free(x), mo_mem_free(all), mo_mem_free(some), mo_mem_free(asked);
}

static void selections(void)
{
    model a = open_model(24, 3, 50, MO_ACT_QUICK_GELU), b = open_model(32, 4, 40, MO_ACT_GELU);
    const mo_rows full = {.rows = 51, .n_seqs = 3, .seq_len = 17};
    const uint32_t ends[] = {4, 8, 9, 10, 14, 18}, firsts[] = {0, 17, 34};
    select_case(&a, &tree, ends, 6);
    select_case(&b, &tree, ends, 6);
    select_case(&a, &full, firsts, 3);
    select_case(&b, &full, firsts, 3);
    model c = open_model(48, 3, 60, MO_ACT_GELU);
    select_case(&c, &tree, ends, 6);
    select_case(&c, &full, firsts, 3);
    close_model(&c);
    /* the second sequence alone */
    float *x = floats(51 * 32, 9, 1), *y = floats(51 * 32, 10, 1), *one = floats(17 * 32, 11, 1);
    run_model(&b, y, x, &full, NULL, NULL, 0);
    run_model(&b, one, x + 17 * 32, &(mo_rows){.rows = 17, .n_seqs = 1, .seq_len = 17}, NULL, NULL, 0);
    assert_memory_equal(one, y + 17 * 32, 17 * 32 * sizeof *y);
    mo_mem_free(x), mo_mem_free(y), mo_mem_free(one);
    close_model(&a), close_model(&b);
}

static void rows_have_the_same_bits_selected_and_at_any_thread_count(void **state)
{
    (void)state;
    test_each_path(selections);
}

/* 51 rows, some of them different; where the MLP lends too little room for these, all are made. */
static void twins_case(size_t hidden, uint32_t different)
{
    enum { R = 51, W = 24 };
    model m = open_model(W, 3, hidden, MO_ACT_GELU);
    const mo_rows rows = {.rows = R, .n_seqs = 3, .seq_len = 17};
    float *x = floats(R * W, 9, 1), *want = floats(R * W, 10, 1), *got = floats(R * W, 11, 1);
    uint32_t first[R], of[R];
    for (uint32_t r = 0; r < R; r++) {
        first[r] = r;
        of[r] = r < different ? r : r * r % different;
        memcpy(x + r * W, x + of[r] * W, W * sizeof *x);
    }
    run_model(&m, want, x, &rows, NULL, NULL, 0);
    run_as(&m, got, x, (mo_block_run){.rows = &rows, .duplicates = &(mo_duplicates){different, first, of}});
    assert_memory_equal(got, want, R * W * sizeof *got);
    mo_mem_free(x), mo_mem_free(want), mo_mem_free(got);
    close_model(&m);
}

static void duplicates(void)
{
    twins_case(96, 7);
    twins_case(24, 17);
    twins_case(24, 18);
    twins_case(96, 51);
}

static void rows_alike_have_the_bits_of_rows(void **state)
{
    (void)state;
    test_each_path(duplicates);
}

/* dx against central differences of sum(y r), and the same bits at 1, 2, 3 threads. */
static void gradient_case(const model *m, const uint32_t *select, size_t n_select)
{
    const size_t w = m->w, n = tree.rows * w, n_out = (select ? n_select : tree.rows) * w;
    float *x = floats(n, 9, 1), *y = floats(n, 10, 1), *r = floats(n_out, 12, 1), *dx = floats(n, 13, 1),
          *again = floats(n, 14, 1);
    for (size_t threads = 1; threads <= 3; threads++) {
        mo_pool *pool;
        assert_ok(mo_pool_create(&pool, threads));
        mo_arena arena = {0};
        mo_block_work work;
        mo_block_cache cache;
        for (int pass = 0; pass < 2; pass++) {
            mo_block_work_take(
                &work, &arena, &m->block, &(mo_block_size){tree.rows, mo_attention_longest(&tree), pool});
            mo_block_cache_take(&cache, &arena, &m->block, tree.rows, n_select);
            if (!pass) assert_ok(mo_arena_open(&arena));
        }
        const mo_block_run run = {
            .pool = pool, .rows = &tree, .select = select, .n_select = n_select, .work = &work};
        mo_block_fwd_for_backward(&m->block, y, x, &run, &cache);
        run_model(m, again, x, &tree, NULL, select, n_select);
        for (size_t i = 0; i < n_out; i++) assert_true(fabsf(again[i] - y[i]) < 1e-5f);
        if (!select || m->w / m->heads % 16) assert_memory_equal(again, y, n_out * sizeof *y);
        mo_block_bwd(
            &m->block, &m->transposed, &(mo_block_grad){threads == 1 ? dx : again, r, x}, &run, &cache);
        if (threads > 1) assert_memory_equal(dx, again, n * sizeof *dx);
        mo_arena_close(&arena);
        mo_pool_free(pool);
    }
    for (size_t i = 0; i < n; i += 5) {
        const float keep = x[i], h = 1.0f / 128;
        double sum = 0;
        for (int side = 1; side >= -1; side -= 2) {
            x[i] = keep + (float)side * h;
            run_model(m, y, x, &tree, NULL, select, n_select);
            for (size_t j = 0; j < n_out; j++) sum += side * (double)y[j] * r[j];
        }
        x[i] = keep;
        const double want = sum / (2 * (double)h);
        if (!(fabs(want - dx[i]) < 3e-3 * (1 + fabs(want))))
            fail_msg("dx[%zu] = %g, differences say %g", i, (double)dx[i], want);
    }
    mo_mem_free(x), mo_mem_free(y), mo_mem_free(r), mo_mem_free(dx), mo_mem_free(again);
}

static void gradients(void)
{
    model a = open_model(24, 3, 50, MO_ACT_QUICK_GELU), b = open_model(32, 4, 40, MO_ACT_GELU);
    const uint32_t ends[] = {4, 8, 9, 10, 14, 18};
    gradient_case(&a, NULL, 0);
    gradient_case(&a, ends, 6);
    gradient_case(&b, NULL, 0);
    gradient_case(&b, ends, 6);
    model c = open_model(48, 3, 60, MO_ACT_GELU);
    gradient_case(&c, ends, 6);
    close_model(&a), close_model(&b), close_model(&c);
}

static void block_bwd_matches_differences(void **state)
{
    (void)state;
    test_each_path(gradients);
}

static void block_refuses_shapes_that_do_not_fit(void **state)
{
    (void)state;
    model m = open_model(24, 3, 50, MO_ACT_GELU);
    mo_block b;
    m.heads = 5;
    assert_fails(
        pack_model(&b, &m, MO_ACT_GELU, true), MOPD_E_MISMATCH, "width 24 cannot be split into 5 heads");
    m.heads = 3;
    m.hidden = 20;
    assert_fails(pack_model(&b, &m, MO_ACT_GELU, true), MOPD_E_UNSUPPORTED, "MLP of 20");
    const mo_view v = vector(m.ln, 24), q = matrix(m.qkv, 48, 24);
    mo_block_parts parts = {.width = 24,
        .n_heads = 3,
        .ln1_gamma = &v,
        .ln1_beta = &v,
        .ln2_gamma = &v,
        .ln2_beta = &v,
        .qkv = {{&q, NULL, false}},
        .n_qkv = 1,
        .out = {&q, NULL, false},
        .fc1 = {&q, NULL, false},
        .fc2 = {&q, NULL, false}};
    assert_fails(mo_block_pack(&b, &parts), MOPD_E_MISMATCH, "48 x 24, expected 72 x 24");
    const mo_view narrow = vector(m.ln, 23);
    parts.ln2_beta = &narrow;
    assert_fails(mo_block_pack(&b, &parts), MOPD_E_MISMATCH, "second norm's bias has 23");
    m.hidden = 50;
    close_model(&m);
}

static float small[4096];

static mopd_status pack_once(void *ctx)
{
    (void)ctx;
    const model m = {.w = 8,
        .heads = 2,
        .hidden = 16,
        .ln = small,
        .qkv = small,
        .out = small,
        .fc1 = small,
        .fc2 = small,
        .bias = small};
    mo_block block;
    mo_block_transposed transposed = {0};
    mopd_status st = pack_model(&block, &m, MO_ACT_GELU, false);
    if (st != MOPD_OK) return st;
    st = mo_block_transposed_pack(&transposed, &block);
    mo_block_free(&block);
    mo_block_transposed_free(&transposed);
    return st;
}

static void block_survives_lack_of_memory(void **state)
{
    (void)state;
    test_torture(pack_once, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(block_survives_lack_of_memory),
        cmocka_unit_test(block_matches_double),
        cmocka_unit_test(tree_has_the_bits_of_its_sequences),
        cmocka_unit_test(rows_have_the_same_bits_selected_and_at_any_thread_count),
        cmocka_unit_test(rows_alike_have_the_bits_of_rows),
        cmocka_unit_test(block_bwd_matches_differences),
        cmocka_unit_test(block_refuses_shapes_that_do_not_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
