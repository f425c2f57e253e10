/* SPDX-License-Identifier: MIT
 * test_vit.c - the vision transformer against the plainest program, and what must not change its bits. */
#include "test.h"

#include "base/pool.h"
#include "clip/vision_inner.h"
#include "support/plain.h"
#include "support/towers.h"

enum { N = 5, MAX_SIDE = 32, MAX_DIM = 16 };

static float pixels[N * 3 * MAX_SIDE * MAX_SIDE];

/* feature [D] of one picture. */
static void plain_vit(double *feature, const mo_config *c, const mo_weights *w, const float *picture)
{
    const mo_stack_config *s = &c->vit.stack;
    const size_t p = c->vit.patch, side = c->image, grid = side / p, rows = grid * grid + 1, k = 3 * p * p;
    double *class_token = plain_get(w, "vision_model.embeddings.class_embedding", "");
    double *position = plain_get(w, "vision_model.embeddings.position_embedding.weight", "");
    double *x = plain_make(rows * s->width), *patch = plain_make(rows * k);
    for (size_t r = 1; r < rows; r++)
        for (size_t i = 0; i < k; i++) {
            const size_t plane = i / (p * p), y = (r - 1) / grid * p + i / p % p,
                         col = (r - 1) % grid * p + i % p;
            patch[r * k + i] = (double)picture[(plane * side + y) * side + col];
        }
    plain_linear(
        x, patch, w, "vision_model.embeddings.patch_embedding", false, (size_t[]){rows, s->width, k});
    for (size_t i = 0; i < s->width; i++) x[i] = class_token[i];
    for (size_t i = 0; i < rows * s->width; i++) x[i] += position[i];
    plain_norm(x, x, w, "vision_model.pre_layrnorm", s->eps, (size_t[]){rows, s->width});
    plain_blocks(x, rows, w, "vision_model", s);
    plain_norm(x, x, w, "vision_model.post_layernorm", s->eps, (size_t[]){1, s->width});
    plain_linear(feature, x, w, "visual_projection", false, (size_t[]){1, c->dim, s->width});
    free(patch);
    free(x);
    free(position);
    free(class_token);
}

static mo_vision *make(const mo_config *c, const mo_weights *w, bool quantized)
{
    mo_vision *v;
    assert_ok(mo_vit_create(&v, c, w, quantized));
    assert_int_equal(v->image, c->image);
    assert_int_equal(v->dim, c->dim);
    return v;
}

static void encode(const mo_vision *v, size_t threads, size_t n, float *out)
{
    mo_pool *pool;
    assert_ok(mo_pool_create(&pool, threads));
    assert_ok(v->prepare(v));
    assert_ok(mo_vision_fwd(v, pool, pixels, n, out));
    mo_pool_free(pool);
}

/* Heads of 12, 16 and 32, one block and several, both activations, one patch and many. */
typedef struct shape {
    uint32_t width, layers, heads, hidden, image, patch, dim;
    mo_act act;
    double eps;
} shape;

static const shape shapes[] = {
    {24, 2, 2, 40, 21, 7, 12, MO_ACT_QUICK_GELU, 1e-5},
    {32, 1, 2, 64, 32, 8, 16, MO_ACT_GELU, 1e-5},
    {32, 3, 1, 48, 16, 16, 5, MO_ACT_QUICK_GELU, 1e-6},
    {48, 2, 3, 48, 32, 4, 9, MO_ACT_GELU, 1e-2},
    {20, 4, 5, 80, 30, 10, 1, MO_ACT_QUICK_GELU, 1e-5},
};
#define N_SHAPES (sizeof shapes / sizeof *shapes)

static mo_config config_of(const shape *s)
{
    mo_config c = tower_config();
    c.dim = s->dim;
    c.image = s->image;
    c.vit.patch = s->patch;
    c.vit.stack = tower_stack(s->width, s->layers, s->heads, s->hidden);
    c.vit.stack.act = s->act;
    c.vit.stack.eps = s->eps;
    mo_pixels_clip(&c.pixels, s->image);
    assert_ok(mo_config_check(&c, "shape"));
    return c;
}

static void vit_equals_the_plain_program(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_SHAPES; i++) {
        const mo_config c = config_of(&shapes[i]);
        mo_weights *w = tower_weights(&c, 100 * (uint32_t)i);
        mo_vision *v = make(&c, w, false);
        float out[N * MAX_DIM];
        double want[MAX_DIM], largest = 0;
        test_random(pixels, N * 3 * (size_t)c.image * c.image, 7);
        encode(v, 2, N, out);
        for (size_t n = 0; n < N; n++) {
            plain_vit(want, &c, w, pixels + n * 3 * c.image * c.image);
            for (size_t d = 0; d < c.dim; d++) largest = fmax(largest, fabs(want[d]));
            const double worst = plain_worst(out + n * c.dim, want, c.dim);
            if (!(worst < 1e-5)) fail_msg("shape %zu, picture %zu: off by %g", i, n, worst);
        }
        assert_true(largest > 0.1);
        mo_vision_free(v);
        mo_weights_free(w);
    }
}

/* Alone, in any company, at any number of threads: the same bits. */
static void vit_bits_do_not_depend_on_company(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_SHAPES; i++) {
        const mo_config c = config_of(&shapes[i]);
        mo_weights *w = tower_weights(&c, 7 + (uint32_t)i);
        mo_vision *v = make(&c, w, false);
        float all[N * MAX_DIM], some[N * MAX_DIM];
        test_random(pixels, N * 3 * (size_t)c.image * c.image, 8);
        encode(v, 1, N, all);
        for (size_t threads = 1; threads <= 4; threads++)
            for (size_t n = 1; n <= N; n++) {
                encode(v, threads, n, some);
                assert_memory_equal(all, some, n * c.dim * sizeof *all);
            }
        mo_vision_free(v);
        mo_weights_free(w);
    }
}

/* Rows at work at once: small pictures go many at a time, a large one alone. */
static void chunks_follow_the_rows_of_a_picture(void **state)
{
    (void)state;
    static const struct {
        uint32_t image, patch;
        size_t chunk, lane, most;
    } cases[] = {{224, 32, 20, 2, 40}, {224, 16, 5, 1, 20}, {336, 14, 1, 1, 7}, {64, 64, 512, 50, 40},
        {8192, 8, 1, 1, 1}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        mo_config c = tower_config();
        c.image = cases[i].image;
        c.vit.patch = cases[i].patch;
        mo_vision *v = make(&c, NULL, false);
        assert_int_equal(v->chunk, cases[i].chunk);
        assert_int_equal(v->lane, cases[i].lane);
        assert_int_equal(v->most, cases[i].most);
        mo_vision_free(v);
    }
}

/* Reduced precision is near, and another set of bits. */
static void quantized_features_are_near(void **state)
{
    (void)state;
    const mo_config c = config_of(&shapes[3]);
    mo_weights *w = tower_weights(&c, 11);
    mo_vision *exact = make(&c, w, false), *reduced = make(&c, w, true);
    float a[N * MAX_DIM], b[N * MAX_DIM], again[N * MAX_DIM];
    test_random(pixels, N * 3 * (size_t)c.image * c.image, 9);
    encode(exact, 1, N, a);
    encode(reduced, 1, N, b);
    encode(reduced, 3, N, again);
    assert_memory_equal(b, again, N * c.dim * sizeof *b);
    const double diff = test_max_diff(a, b, N * c.dim);
    if (!(diff > 0 && diff < 0.05)) fail_msg("off by %g", diff);
    mo_vision_free(reduced);
    mo_vision_free(exact);
    mo_weights_free(w);
}

static mopd_status make_and_encode(const mo_config *c, const mo_weights *w)
{
    mo_vision *v = NULL;
    mo_pool *pool = NULL;
    float out[N * MAX_DIM];
    mopd_status st = mo_vit_create(&v, c, w, false);
    if (st == MOPD_OK) st = mo_pool_create(&pool, 1);
    if (st == MOPD_OK) st = v->prepare(v);
    if (st == MOPD_OK) st = mo_vision_fwd(v, pool, pixels, 2, out);
    mo_pool_free(pool);
    mo_vision_free(v);
    return st;
}

static void vit_survives_failing_memory(void **state)
{
    (void)state;
    const mo_config c = config_of(&shapes[0]);
    test_torture(tower_run, &(tower_torture){tower_write("torture.safetensors", &c, 1), &c, make_and_encode});
    assert_ok(mopd_runtime_set_allocator(NULL));
}

/* A failed unpacking leaves nothing behind, and the next one works. */
static void preparing_again_after_a_failure_works(void **state)
{
    (void)state;
    const mo_config c = config_of(&shapes[1]);
    test_count_start();
    mo_weights *w = tower_weights(&c, 1);
    float want[MAX_DIM], got[MAX_DIM];
    test_random(pixels, 3 * (size_t)c.image * c.image, 5);
    for (long n = 0;; n++) {
        mo_vision *v = make(&c, w, false);
        const long before = test_count_live();
        test_fail_once(n);
        const mopd_status st = v->prepare(v);
        test_fail_once(0);
        if (n && st == MOPD_OK) {
            mo_vision_free(v);
            assert_true(n > 10); /* a tower has more parts than that */
            break;
        }
        if (n) {
            assert_int_equal(st, MOPD_E_NOMEM);
            assert_int_equal(test_count_live(), before);
        }
        encode(v, 1, 1, n ? got : want);
        if (n) assert_memory_equal(got, want, c.dim * sizeof *got);
        mo_vision_free(v);
    }
    mo_weights_free(w);
    assert_int_equal(test_count_live(), 0);
    assert_ok(mopd_runtime_set_allocator(NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vit_equals_the_plain_program),
        cmocka_unit_test(vit_bits_do_not_depend_on_company),
        cmocka_unit_test(chunks_follow_the_rows_of_a_picture),
        cmocka_unit_test(vit_survives_failing_memory),
        cmocka_unit_test(preparing_again_after_a_failure_works),
        cmocka_unit_test(quantized_features_are_near),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
