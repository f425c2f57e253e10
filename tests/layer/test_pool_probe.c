/* SPDX-License-Identifier: MIT
 * test_pool_probe.c - attention of a learned query against the same written out, with queries, keys and values of all
 * rows; and what must not change its bits. */
#include "test.h"

#include "layer/pool_probe.h"
#include "support/mats.h"
#include "support/near.h"
#include "support/paths.h"

enum { IMAGES = 3 };

typedef struct scene {
    size_t w, heads, hidden, rows;
    mo_act act;
    float *probe, *in[3], *in_bias[3], *out, *out_bias, *fc1, *fc1_bias, *fc2, *fc2_bias, *x;
    mo_pool_probe p;
} scene;

static mo_view view_of(const float *x, size_t n, size_t k)
{
    return (mo_view){.data = x, .dtype = MO_F32, .n_dims = 2, .shape = {n, k}, .n = n * k};
}

static float *scaled(size_t n, uint32_t seed, double by)
{
    float *x = test_floats(n, seed);
    for (size_t i = 0; i < n; i++) x[i] *= (float)by;
    return x;
}

static void pack_linear(mo_linear *l, const float *w, const float *b, size_t n, size_t k)
{
    const mo_view weight = view_of(w, n, k), bias = view_of(b, 1, n);
    assert_ok(mo_linear_pack(l, &(mo_linear_part){&weight, &bias, false}, 1));
}

static mopd_status pack(scene *s)
{
    const mo_view probe = view_of(s->probe, 1, s->w);
    mo_view weight[3], bias[3];
    for (int i = 0; i < 3; i++)
        weight[i] = view_of(s->in[i], s->w, s->w), bias[i] = view_of(s->in_bias[i], 1, s->w);
    const mo_pool_probe_parts parts = {.width = s->w,
        .n_heads = s->heads,
        .probe = &probe,
        .q = {&weight[0], &bias[0], false},
        .k = {&weight[1], &bias[1], false},
        .v = {&weight[2], &bias[2], false}};
    return mo_pool_probe_pack(&s->p, &parts);
}

static scene open_scene(size_t w, size_t heads, size_t hidden, size_t rows, mo_act act)
{
    const double in = 1 / sqrt((double)w);
    scene s = {.w = w, .heads = heads, .hidden = hidden, .rows = rows, .act = act};
    s.probe = scaled(w, 1, 2);
    for (uint32_t i = 0; i < 3; i++)
        s.in[i] = scaled(w * w, 2 + i, 3 * in), s.in_bias[i] = scaled(w, 5 + i, 1);
    s.out = scaled(w * w, 8, in), s.out_bias = scaled(w, 9, 1);
    s.fc1 = scaled(hidden * w, 10, in), s.fc1_bias = scaled(hidden, 11, 1);
    s.fc2 = scaled(w * hidden, 12, in), s.fc2_bias = scaled(w, 13, 1);
    s.x = scaled(IMAGES * rows * w, 14, 1);
    assert_ok(pack(&s));
    pack_linear(&s.p.out, s.out, s.out_bias, w, w);
    pack_linear(&s.p.fc1, s.fc1, s.fc1_bias, hidden, w);
    pack_linear(&s.p.fc2, s.fc2, s.fc2_bias, w, hidden);
    s.p.act = act;
    s.p.norm_block = scaled(2 * w, 15, 1);
    s.p.norm = (mo_norm){s.p.norm_block, s.p.norm_block + w, w, 1e-6f};
    return s;
}

static void close_scene(scene *s)
{
    float *all[] = {s->probe, s->in[0], s->in[1], s->in[2], s->in_bias[0], s->in_bias[1], s->in_bias[2],
        s->out, s->out_bias, s->fc1, s->fc1_bias, s->fc2, s->fc2_bias, s->x};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) mo_mem_free(all[i]);
    mo_pool_probe_free(&s->p);
}

typedef struct room {
    const scene *s;
    size_t n;
    mo_pool_probe_work work;
} room;

static void take(mo_arena *arena, void *ctx)
{
    room *r = ctx;
    mo_pool_probe_take(&r->work, arena, &r->s->p, r->n, r->s->rows);
}

/* y of pictures first .. first + n - 1. */
static void run(const scene *s, size_t threads, size_t first, size_t n, float *y)
{
    room r = {.s = s, .n = n};
    mo_arena arena = {0};
    mo_pool *pool;
    assert_ok(mo_pool_create(&pool, threads));
    assert_ok(mo_arena_fill(&arena, take, &r));
    mo_pool_probe_fwd(pool, y, s->x + first * s->rows * s->w, &s->p, (const size_t[2]){n, s->rows}, &r.work);
    mo_arena_close(&arena);
    mo_pool_free(pool);
}

/* y [n] = w x + b. */
static void plain(double *y, const float *w, const float *b, const double *x, size_t n, size_t k)
{
    for (size_t o = 0; o < n; o++) {
        y[o] = (double)b[o];
        for (size_t i = 0; i < k; i++) y[o] += (double)w[o * k + i] * x[i];
    }
}

static double activated(double x, mo_act act)
{
    if (act == MO_ACT_GELU) return 0.5 * x * (1 + erf(x / sqrt(2)));
    return 0.5 * x * (1 + tanh(sqrt(2 / acos(-1)) * (x + 0.044715 * x * x * x)));
}

enum { WIDEST = 96, LONGEST = 40 };

/* Softmax of the query's products with all keys, then the values so mixed: head by head. */
static void plain_attention(const scene *s, const float *x, double *a)
{
    const size_t w = s->w, d = w / s->heads;
    static double q[WIDEST], k[LONGEST][WIDEST], v[LONGEST][WIDEST], row[WIDEST];
    for (size_t i = 0; i < w; i++) row[i] = (double)s->probe[i];
    plain(q, s->in[0], s->in_bias[0], row, w, w);
    for (size_t r = 0; r < s->rows; r++) {
        for (size_t i = 0; i < w; i++) row[i] = (double)x[r * w + i];
        plain(k[r], s->in[1], s->in_bias[1], row, w, w);
        plain(v[r], s->in[2], s->in_bias[2], row, w, w);
    }
    for (size_t h = 0; h < s->heads; h++) {
        double p[LONGEST], sum = 0;
        for (size_t r = 0; r < s->rows; r++) {
            double dot = 0;
            for (size_t i = h * d; i < (h + 1) * d; i++) dot += q[i] * k[r][i];
            sum += p[r] = exp(dot / sqrt((double)d));
        }
        for (size_t i = h * d; i < (h + 1) * d; i++) {
            a[i] = 0;
            for (size_t r = 0; r < s->rows; r++) a[i] += p[r] / sum * v[r][i];
        }
    }
}

static void plain_pool(const scene *s, const float *x, double *y)
{
    const size_t w = s->w;
    static double a[WIDEST], norm[WIDEST], hidden[WIDEST], more[WIDEST];
    double mean = 0, var = 0;
    plain_attention(s, x, a);
    plain(y, s->out, s->out_bias, a, w, w);
    for (size_t i = 0; i < w; i++) mean += y[i] / (double)w;
    for (size_t i = 0; i < w; i++) var += (y[i] - mean) * (y[i] - mean) / (double)w;
    for (size_t i = 0; i < w; i++)
        norm[i] =
            (y[i] - mean) / sqrt(var + 1e-6) * (double)s->p.norm_block[i] + (double)s->p.norm_block[w + i];
    plain(hidden, s->fc1, s->fc1_bias, norm, s->hidden, w);
    for (size_t i = 0; i < s->hidden; i++) hidden[i] = activated(hidden[i], s->act);
    plain(more, s->fc2, s->fc2_bias, hidden, w, s->hidden);
    for (size_t i = 0; i < w; i++) y[i] += more[i];
}

/* Heads of 16, of 9 and 18 (as so400m's 72 no multiple of a panel), one head, one row. */
static void check(size_t w, size_t heads, size_t hidden, size_t rows, mo_act act)
{
    scene s = open_scene(w, heads, hidden, rows, act);
    float y[IMAGES * WIDEST], other[IMAGES * WIDEST];
    double want[WIDEST];
    run(&s, 1, 0, IMAGES, y);
    for (size_t i = 0; i < IMAGES; i++) {
        plain_pool(&s, s.x + i * rows * w, want);
        for (size_t o = 0; o < w; o++)
            assert_near_at(y[i * w + o], want[o], 1e-5, "width %zu, %zu heads, %zu rows, picture %zu", w,
                heads, rows, i);
        run(&s, 1 + i, i, 1, other); /* alone */
        assert_memory_equal(other, y + i * w, w * sizeof *y);
    }
    for (size_t threads = 2; threads <= 4; threads++) {
        run(&s, threads, 0, IMAGES, other);
        assert_memory_equal(other, y, IMAGES * w * sizeof *y);
    }
    close_scene(&s);
}

static void sizes(void)
{
    check(32, 2, 48, 9, MO_ACT_GELU);
    check(36, 4, 50, 7, MO_ACT_GELU_TANH);
    check(36, 2, 90, 40, MO_ACT_GELU);
    check(20, 1, 20, 1, MO_ACT_GELU_TANH);
    check(96, 6, 64, 25, MO_ACT_GELU);
}

static void the_pool_is_attention_of_the_probe(void **state)
{
    (void)state;
    test_each_path(sizes);
}

/* A constant in all keys changes nothing: that is why their bias has no part in what is asked. */
static void the_bias_of_keys_does_not_count(void **state)
{
    (void)state;
    scene s = open_scene(32, 2, 48, 9, MO_ACT_GELU);
    float y[IMAGES * WIDEST], other[IMAGES * WIDEST];
    run(&s, 1, 0, IMAGES, y);
    for (size_t i = 0; i < s.w; i++) s.in_bias[1][i] += 100;
    scene again = s;
    again.p = (mo_pool_probe){0};
    assert_ok(pack(&again));
    assert_memory_equal(again.p.ask, s.p.ask, s.heads * s.w * sizeof *y);
    for (size_t i = 0; i < s.w; i++) s.in_bias[0][i] += 1; /* that of queries does */
    mo_pool_probe_free(&again.p);
    assert_ok(pack(&again));
    assert_memory_not_equal(again.p.ask, s.p.ask, s.heads * s.w * sizeof *y);
    (void)other;
    mo_pool_probe_free(&again.p);
    close_scene(&s);
}

static void tensors_that_do_not_fit_are_refused(void **state)
{
    (void)state;
    scene s = open_scene(32, 2, 48, 9, MO_ACT_GELU);
    mo_pool_probe keep = s.p;
    s.p = (mo_pool_probe){0};
    s.heads = 3;
    assert_fails(pack(&s), MOPD_E_MISMATCH, "width 32 cannot be split into 3 heads");
    s.heads = 2;
    const mo_view probe = view_of(s.probe, 1, 32), short_probe = view_of(s.probe, 1, 31),
                  weight = view_of(s.in[0], 32, 32), bias = view_of(s.in_bias[0], 1, 32),
                  few = view_of(s.in[0], 31, 32);
    mo_view integers = weight;
    integers.dtype = MO_I64;
    const mo_linear_part good = {&weight, &bias, false};
    mo_pool_probe_parts parts = {32, 2, &short_probe, good, good, good};
    assert_fails(mo_pool_probe_pack(&s.p, &parts), MOPD_E_MISMATCH, "a probe of 31 numbers, the width is 32");
    parts.probe = &probe;
    parts.k.weight = &few;
    assert_fails(mo_pool_probe_pack(&s.p, &parts), MOPD_E_MISMATCH, "the pool's k is not 32 x 32");
    parts.k = good;
    parts.v.in_out = true;
    assert_fails(mo_pool_probe_pack(&s.p, &parts), MOPD_E_MISMATCH, "the pool's v is not");
    parts.v = good;
    parts.q.weight = &integers;
    assert_fails(mo_pool_probe_pack(&s.p, &parts), MOPD_E_UNSUPPORTED, "type I64");
    mo_pool_probe_free(&s.p);
    mo_pool_probe_free(&s.p);
    mo_pool_probe_free(NULL);
    s.p = keep;
    close_scene(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_pool_is_attention_of_the_probe),
        cmocka_unit_test(the_bias_of_keys_does_not_count),
        cmocka_unit_test(tensors_that_do_not_fit_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
