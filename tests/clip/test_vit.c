/* SPDX-License-Identifier: MIT
 * test_vit.c - the vision transformer against the plainest program, and what must not change its bits. */
#include "test.h"

#include "support/plain.h"
#include "support/vision.h"

/* feature [D] of one picture; timm's form is the same with a bias of the projection. */
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
    plain_linear(
        feature, x, w, "visual_projection", c->vit.form == MO_VIT_TIMM, (size_t[]){1, c->dim, s->width});
    free(patch);
    free(x);
    free(position);
    free(class_token);
}

/* The same without a class row and a norm before the blocks, with a bias of the patches, and the feature pooled. */
static void plain_siglip(double *feature, const mo_config *c, const mo_weights *w, const float *picture)
{
    const mo_stack_config *s = &c->vit.stack;
    const size_t p = c->vit.patch, side = c->image, grid = side / p, rows = grid * grid, k = 3 * p * p,
                 width = s->width;
    double *position = plain_get(w, "vision_model.embeddings.position_embedding.weight", "");
    double *x = plain_make((rows + 1) * width), *patch = plain_make(rows * k);
    for (size_t r = 0; r < rows; r++)
        for (size_t i = 0; i < k; i++) {
            const size_t plane = i / (p * p), y = r / grid * p + i / p % p, col = r % grid * p + i % p;
            patch[r * k + i] = (double)picture[(plane * side + y) * side + col];
        }
    plain_linear(x, patch, w, "vision_model.embeddings.patch_embedding", true, (size_t[]){rows, width, k});
    for (size_t i = 0; i < rows * width; i++) x[i] += position[i];
    plain_blocks(x, rows, w, "vision_model", s);
    plain_norm(x, x, w, "vision_model.post_layernorm", s->eps, (size_t[]){rows, width});
    plain_probe(feature, x, rows, w, "vision_model.head", s);
    free(patch);
    free(x);
    free(position);
}

/* out [n x side/k x side/k] of in [planes x side x side]: a convolution without overlap, a batch norm and a GELU behind
 * it, or a bias. */
static double *plain_stem(const double *in, size_t side, const mo_weights *w, size_t i, const size_t size[3])
{
    const size_t n = size[0], planes = size[1], k = size[2], to = side / k;
    char name[80];
    snprintf(name, sizeof name, "vision_model.embeddings.stem.%zu.conv", i);
    double *f = plain_get(w, name, ".weight"), *out = plain_make(n * to * to), *b[4] = {0};
    const char *const ends[] = {".weight", ".bias", ".running_mean", ".running_var"};
    if (i < 2) snprintf(name, sizeof name, "vision_model.embeddings.stem.%zu.bn", i);
    for (int e = i < 2 ? 0 : 1; e < (i < 2 ? 4 : 2); e++) b[e] = plain_get(w, name, ends[e]);
    for (size_t at = 0; at < n * to * to; at++) {
        const size_t o = at / to / to, y = at / to % to, x = at % to;
        double sum = 0;
        for (size_t a = 0; a < planes * k * k; a++)
            sum +=
                f[o * planes * k * k + a] * in[(a / k / k * side + y * k + a / k % k) * side + x * k + a % k];
        out[at] = i < 2 ? plain_act((sum - b[2][o]) / sqrt(b[3][o] + 1e-5) * b[0][o] + b[1][o], MO_ACT_GELU)
                        : sum + b[1][o];
    }
    for (int e = 0; e < 4; e++) free(b[e]);
    free(f);
    return out;
}

/* Patches through three convolutions, positions for them alone, no norm before the blocks, a bias at the end. */
static void plain_mobile(double *feature, const mo_config *c, const mo_weights *w, const float *picture)
{
    const mo_stack_config *s = &c->vit.stack;
    const size_t side = c->image, grid = side / c->vit.patch, width = s->width, q = width / 4,
                 rows = grid * grid + 1;
    double *class_token = plain_get(w, "vision_model.embeddings.class_embedding", ""),
           *position = plain_get(w, "vision_model.embeddings.position_embedding.weight", ""),
           *pixels = plain_make(3 * side * side), *x = plain_make(rows * width);
    for (size_t i = 0; i < 3 * side * side; i++) pixels[i] = (double)picture[i];
    double *cells = plain_stem(pixels, side, w, 0, (size_t[]){q, 3, c->vit.patch / 4}),
           *quarters = plain_stem(cells, grid * 4, w, 1, (size_t[]){q, q, 2}),
           *whole = plain_stem(quarters, grid * 2, w, 2, (size_t[]){width, q, 2});
    for (size_t i = 0; i < rows * width; i++) {
        const size_t r = i / width, o = i % width;
        x[i] = r ? whole[o * (rows - 1) + r - 1] + position[i - width] : class_token[o];
    }
    plain_blocks(x, rows, w, "vision_model", s);
    plain_norm(x, x, w, "vision_model.post_layernorm", s->eps, (size_t[]){1, width});
    plain_linear(feature, x, w, "visual_projection", true, (size_t[]){1, c->dim, width});
    free(class_token), free(position), free(pixels), free(x), free(cells), free(quarters), free(whole);
}

/* Pairs turned by column and row, counted from 1; the class row is not. */
static void turn(double *x, size_t rows, const mo_stack_config *s)
{
    const size_t w = s->width, d = w / s->heads, grid = (size_t)lround(sqrt((double)(rows - 1)));
    for (size_t p = 0; p < grid * grid; p++)
        for (size_t i = 0; i < w; i += 2) {
            const size_t at = i % d, n = d / 4, half = at / (d / 2);
            const double speed = pow(10000, -(double)(at % (d / 2) / 2) / (double)n),
                         angle = (double)((half ? p / grid : p % grid) + 1) * speed;
            double *pair = x + (p + 1) * w + i;
            const double a = pair[0], b = pair[1];
            pair[0] = a * cos(angle) - b * sin(angle);
            pair[1] = b * cos(angle) + a * sin(angle);
        }
}

/* CLIP's rows with rotary positions, pooled by eight heads and projected with a bias. */
static void plain_pe(double *feature, const mo_config *c, const mo_weights *w, const float *picture)
{
    mo_stack_config s = c->vit.stack;
    const size_t p = c->vit.patch, side = c->image, grid = side / p, rows = grid * grid + 1, k = 3 * p * p,
                 width = s.width;
    double *class_token = plain_get(w, "vision_model.embeddings.class_embedding", "");
    double *position = plain_get(w, "vision_model.embeddings.position_embedding.weight", "");
    double *x = plain_make((rows + 1) * width), *patch = plain_make(rows * k), *pooled = plain_make(width);
    for (size_t r = 1; r < rows; r++)
        for (size_t i = 0; i < k; i++) {
            const size_t plane = i / (p * p), y = (r - 1) / grid * p + i / p % p,
                         col = (r - 1) % grid * p + i % p;
            patch[r * k + i] = (double)picture[(plane * side + y) * side + col];
        }
    plain_linear(x, patch, w, "vision_model.embeddings.patch_embedding", false, (size_t[]){rows, width, k});
    for (size_t i = 0; i < width; i++) x[i] = class_token[i];
    for (size_t i = 0; i < rows * width; i++) x[i] += position[i];
    plain_norm(x, x, w, "vision_model.pre_layrnorm", s.eps, (size_t[]){rows, width});
    plain_turn = turn;
    plain_blocks(x, rows, w, "vision_model", &s);
    plain_turn = NULL;
    plain_norm(x, x, w, "vision_model.post_layernorm", s.eps, (size_t[]){rows, width});
    s.heads = 8;
    plain_probe(pooled, x, rows, w, "vision_model.head", &s);
    plain_linear(feature, pooled, w, "visual_projection", true, (size_t[]){1, c->dim, width});
    free(pooled);
    free(patch);
    free(x);
    free(position);
    free(class_token);
}

/* Heads of 12, 16 and 32, one block and several, both activations, one patch and many. */
typedef struct shape {
    uint32_t width, layers, heads, hidden, image, patch, dim;
    mo_act act;
    double eps;
    mo_vit_form form;
} shape;

static const shape shapes[] = {
    {24, 2, 2, 40, 21, 7, 12, MO_ACT_QUICK_GELU, 1e-5, MO_VIT_CLIP},
    {32, 1, 2, 64, 32, 8, 16, MO_ACT_GELU, 1e-5, MO_VIT_CLIP},
    {32, 3, 1, 48, 16, 16, 5, MO_ACT_QUICK_GELU, 1e-6, MO_VIT_CLIP},
    {48, 2, 3, 48, 32, 4, 9, MO_ACT_GELU, 1e-2, MO_VIT_CLIP},
    {20, 4, 5, 80, 30, 10, 1, MO_ACT_QUICK_GELU, 1e-5, MO_VIT_CLIP},
    {16, 2, 1, 40, 21, 7, 16, MO_ACT_GELU_TANH, 1e-6, MO_VIT_SIGLIP},
    {12, 1, 4, 12, 23, 5, 12, MO_ACT_GELU, 1e-6, MO_VIT_SIGLIP}, /* pixels left over */
    {24, 2, 2, 48, 32, 8, 12, MO_ACT_GELU, 1e-6, MO_VIT_MOBILECLIP},
    {32, 2, 2, 64, 32, 8, 9, MO_ACT_GELU, 1e-5, MO_VIT_PE},
    {24, 3, 2, 24, 20, 6, 5, MO_ACT_GELU, 1e-5, MO_VIT_PE},
    {32, 2, 2, 48, 28, 7, 8, MO_ACT_GELU, 1e-5, MO_VIT_TIMM},
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
    c.vit.form = s->form;
    mo_pixels_clip(&c.pixels, s->image);
    assert_ok(mo_config_check(&c, "shape"));
    return c;
}

static void vit_equals_the_plain_program(void **state)
{
    (void)state;
    static void (*const plain[MO_VIT_FORMS])(double *, const mo_config *, const mo_weights *,
        const float *) = {plain_vit, plain_siglip, plain_mobile, plain_pe, plain_vit};
    for (size_t i = 0; i < N_SHAPES; i++) {
        const mo_config c = config_of(&shapes[i]);
        mo_weights *w = tower_weights(&c, 100 * (uint32_t)i);
        mo_vision *v = vision_make(&c, w, false);
        float out[VISION_N * VISION_DIM];
        double want[VISION_DIM], largest = 0;
        vision_fill(&c, 7);
        vision_encode(v, 2, VISION_N, out);
        for (size_t n = 0; n < VISION_N; n++) {
            plain[shapes[i].form](want, &c, w, vision_pixels + n * 3 * c.image * c.image);
            for (size_t d = 0; d < c.dim; d++) largest = fmax(largest, fabs(want[d]));
            const double worst = plain_worst(out + n * c.dim, want, c.dim);
            if (!(worst < 1e-5)) fail_msg("shape %zu, picture %zu: off by %g", i, n, worst);
        }
        assert_true(largest > 0.1);
        mo_vision_free(v);
        mo_weights_free(w);
    }
}

static void vit_bits_do_not_depend_on_company(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_SHAPES; i++) {
        const mo_config c = config_of(&shapes[i]);
        vision_bits_hold(&c, 7 + (uint32_t)i);
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
        mo_vision *v = vision_make(&c, NULL, false);
        assert_int_equal(v->chunk, cases[i].chunk);
        assert_int_equal(v->lane, cases[i].lane);
        assert_int_equal(v->most, cases[i].most);
        mo_vision_free(v);
    }
}

static void quantized_features_are_near(void **state)
{
    (void)state;
    const mo_config c = config_of(&shapes[3]), siglip = config_of(&shapes[5]), mobile = config_of(&shapes[7]);
    vision_quantized_is_near(&c, 11);
    vision_quantized_is_near(&siglip, 11);
    vision_quantized_is_near(&mobile, 11);
    const mo_config pe = config_of(&shapes[8]);
    vision_quantized_is_near(&pe, 11);
}

static void vit_survives_failing_memory(void **state)
{
    (void)state;
    const mo_config c = config_of(&shapes[0]), siglip = config_of(&shapes[5]), mobile = config_of(&shapes[7]);
    vision_survives_failing_memory(&c);
    vision_survives_failing_memory(&siglip);
    vision_survives_failing_memory(&mobile);
    const mo_config pe = config_of(&shapes[8]);
    vision_survives_failing_memory(&pe);
}

/* A failed unpacking leaves nothing behind, and the next one works. */
static void preparing_again_after_a_failure_works(void **state)
{
    (void)state;
    const mo_config c = config_of(&shapes[1]);
    test_count_start();
    mo_weights *w = tower_weights(&c, 1);
    float want[VISION_DIM], got[VISION_DIM];
    vision_fill(&c, 5);
    for (long n = 0;; n++) {
        mo_vision *v = vision_make(&c, w, false);
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
        vision_encode(v, 1, 1, n ? got : want);
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
