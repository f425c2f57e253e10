/* SPDX-License-Identifier: MIT
 * test_effnet.c - the EfficientNet tower and its head against the plainest program, and what must not change its bits. */
#include "test.h"

#include "support/plain.h"
#include "support/vision.h"

/* A map [side x side x channels]. */
typedef struct map {
    double *x;
    size_t side, channels;
} map;

static map make_map(size_t side, size_t channels)
{
    return (map){plain_make(side * side * channels), side, channels};
}

/* Padding as TensorFlow's "SAME" has it. */
static size_t before(size_t side, size_t kernel, size_t stride)
{
    const size_t out = (side + stride - 1) / stride, need = (out - 1) * stride + kernel;
    return need > side ? (need - side) / 2 : 0;
}

/* in becomes its convolution with "image_model.CONV.weight" and the batch norm behind it.  shape: channels out,
 * kernel, stride, 1 for one filter a channel.  ReLU6 follows with relu6. */
static void convolve(
    map *in, const mo_weights *w, const char *conv, const char *norm, const size_t shape[4], bool relu6)
{
    const size_t k = shape[1], stride = shape[2], depthwise = shape[3], pad = before(in->side, k, stride);
    const size_t inner = depthwise ? 1 : in->channels;
    map out = make_map((in->side + stride - 1) / stride, shape[0]);
    char stem[80];
    snprintf(stem, sizeof stem, "image_model.%s", conv);
    double *f = plain_get(w, stem, ".weight");
    snprintf(stem, sizeof stem, "image_model.%s", norm);
    double *gamma = plain_get(w, stem, ".weight"), *beta = plain_get(w, stem, ".bias"),
           *mean = plain_get(w, stem, ".running_mean"), *var = plain_get(w, stem, ".running_var");
    for (size_t i = 0; i < out.side * out.side * out.channels; i++) {
        const size_t o = i % out.channels, y = i / out.channels / out.side, x = i / out.channels % out.side;
        double sum = 0;
        for (size_t c = 0; c < inner; c++)
            for (size_t a = 0; a < k * k; a++) {
                const size_t row = y * stride + a / k, col = x * stride + a % k;
                if (row < pad || col < pad || row - pad >= in->side || col - pad >= in->side) continue;
                sum += f[(o * inner + c) * k * k + a] *
                       in->x[((row - pad) * in->side + col - pad) * in->channels + (depthwise ? o : c)];
            }
        sum = (sum - mean[o]) / sqrt(var[o] + 1e-3) * gamma[o] + beta[o];
        out.x[i] = relu6 ? plain_act(sum, MO_ACT_RELU6) : sum;
    }
    free(f);
    free(gamma);
    free(beta);
    free(mean);
    free(var);
    free(in->x);
    *in = out;
}

static void plain_residual(map *m, const mo_weights *w, size_t i, const mo_effnet_block *b)
{
    char conv[60], norm[60];
    map kept = make_map(m->side, m->channels);
    memcpy(kept.x, m->x, m->side * m->side * m->channels * sizeof *m->x);
#define CONV(a, n)                                                                                           \
    (snprintf(conv, sizeof conv, "_blocks.%zu." a, i), snprintf(norm, sizeof norm, "_blocks.%zu." n, i))
    if (b->expand != b->in) {
        CONV("_expand_conv", "_bn0");
        convolve(m, w, conv, norm, (size_t[]){b->expand, 1, 1, 0}, true);
    }
    CONV("_depthwise_conv", "_bn1");
    convolve(m, w, conv, norm, (size_t[]){b->expand, b->kernel, b->stride, 1}, true);
    CONV("_project_conv", "_bn2");
    convolve(m, w, conv, norm, (size_t[]){b->out, 1, 1, 0}, false);
#undef CONV
    for (size_t k = 0; b->stride == 1 && b->in == b->out && k < m->side * m->side * m->channels; k++)
        m->x[k] += kept.x[k];
    free(kept.x);
}

static void unit(double *x, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += x[i] * x[i];
    for (size_t i = 0; i < n; i++) x[i] /= sqrt(sum);
}

/* feature [D] = normalise(softmax(W h + b) names) + mix normalise(projection h). */
static void plain_head(double *feature, const mo_config *c, const mo_weights *w, const double *h)
{
    const size_t classes = c->effnet.classes, features = c->effnet.features, dim = c->dim;
    double *p = plain_make(classes), *branch = plain_make(dim), sum = 0;
    double *names = plain_get(w, "head.names", ".weight"), *mix = plain_get(w, "head.mix", "");
    plain_linear(p, h, w, "image_model._fc", true, (size_t[]){1, classes, features});
    for (size_t i = 0; i < classes; i++) sum += p[i] = exp(p[i]);
    for (size_t d = 0; d < dim; d++) {
        feature[d] = 0;
        for (size_t i = 0; i < classes; i++) feature[d] += p[i] / sum * names[i * dim + d];
    }
    plain_linear(branch, h, w, "head.projection", true, (size_t[]){1, dim, features});
    unit(feature, dim);
    unit(branch, dim);
    for (size_t d = 0; d < dim; d++) feature[d] += *mix * branch[d];
    free(p);
    free(branch);
    free(names);
    free(mix);
}

static void plain_effnet(double *feature, const mo_config *c, const mo_weights *w, const float *picture)
{
    const mo_effnet_config *e = &c->effnet;
    map m = make_map(c->image, 3);
    for (size_t i = 0; i < m.side * m.side * 3; i++)
        m.x[i] = (double)picture[i % 3 * m.side * m.side + i / 3];
    convolve(&m, w, "_conv_stem", "_bn0", (size_t[]){e->stem, 3, 2, 0}, true);
    for (size_t i = 0; i < e->n_blocks; i++) plain_residual(&m, w, i, &e->block[i]);
    convolve(&m, w, "_conv_head", "_bn1", (size_t[]){e->features, 1, 1, 0}, true);
    double *h = plain_make(e->features);
    for (size_t i = 0; i < m.side * m.side * m.channels; i++)
        h[i % m.channels] += m.x[i] / (double)(m.side * m.side);
    plain_head(feature, c, w, h);
    free(h);
    free(m.x);
}

/* Even and odd sides, where padding differs, one that ends as a single position, channels above and below a panel. */
static mo_config config_of(int i)
{
    static const uint32_t sides[] = {30, 33, 7, 48};
    mo_config c = tower_effnet_config();
    c.image = sides[i];
    if (i == 3) {
        static const mo_effnet_block blocks[] = {
            {16, 16, 16, 5, 2}, {16, 64, 16, 5, 1}, {16, 32, 24, 3, 2}, {24, 48, 24, 3, 1}};
        c.effnet = (mo_effnet_config){.stem = 16, .features = 48, .classes = 33, .eps = 1e-3, .n_blocks = 4};
        memcpy(c.effnet.block, blocks, sizeof blocks);
    }
    mo_pixels_effnet(&c.pixels, c.image);
    assert_ok(mo_config_check(&c, "shape"));
    return c;
}
enum { N_SHAPES = 4 };

static void effnet_equals_the_plain_program(void **state)
{
    (void)state;
    for (int i = 0; i < N_SHAPES; i++) {
        const mo_config c = config_of(i);
        mo_weights *w = tower_weights(&c, 40 + (uint32_t)i);
        mo_vision *v;
        float out[VISION_N * VISION_DIM];
        double want[VISION_DIM];
        vision_fill(&c, 3);
        assert_ok(mo_effnet_create(&v, &c, w, false));
        vision_encode(v, 2, VISION_N, out);
        for (size_t n = 0; n < VISION_N; n++) {
            plain_effnet(want, &c, w, vision_pixels + n * 3 * c.image * c.image);
            const double worst = plain_worst(out + n * c.dim, want, c.dim);
            if (!(worst < 1e-5)) fail_msg("shape %d, picture %zu: off by %g", i, n, worst);
        }
        assert_true(test_max_diff(out, out + c.dim, c.dim) > 1e-4); /* pictures differ */
        mo_vision_free(v);
        mo_weights_free(w);
    }
}

static void effnet_bits_do_not_depend_on_company(void **state)
{
    (void)state;
    for (int i = 0; i < N_SHAPES; i++) {
        const mo_config c = config_of(i);
        vision_bits_hold(&c, 50 + (uint32_t)i);
    }
}

/* Floats a picture needs: the largest map between blocks twice, the most of the stem's patches, a block's maps before and
 * after its depthwise convolution and the head's map, and the head's three vectors. */
static size_t floats_of(const mo_config *c)
{
    const mo_effnet_config *e = &c->effnet;
    size_t side = (c->image + 1) / 2, between = side * side * e->stem, most = side * side * 3 * 9;
    for (uint32_t i = 0; i < e->n_blocks; i++) {
        const mo_effnet_block *b = &e->block[i];
        size_t inner = b->expand != b->in ? side * side * b->expand : 0;
        side = (side + b->stride - 1) / b->stride;
        inner += side * side * b->expand;
        if (inner > most) most = inner;
        if (side * side * b->out > between) between = side * side * b->out;
    }
    if (side * side * e->features > most) most = side * side * e->features;
    return 2 * between + most + e->features + e->classes + c->dim;
}

/* Sixteen pictures more take sixteen times that, and nothing is lost to rounding. */
static void work_memory_is_that_of_the_largest_maps(void **state)
{
    (void)state;
    for (int i = 0; i < N_SHAPES; i++) {
        const mo_config c = config_of(i);
        mo_weights *w = tower_weights(&c, 1);
        mo_vision *v;
        assert_ok(mo_effnet_create(&v, &c, w, false));
        assert_ok(v->prepare(v));
        assert_int_equal(v->bytes(v, NULL, 32) - v->bytes(v, NULL, 16), 16 * sizeof(float) * floats_of(&c));
        mo_vision_free(v);
        mo_weights_free(w);
    }
}

/* What the configuration names is made, and is asked for pictures of its size. */
static void the_configuration_names_the_tower(void **state)
{
    (void)state;
    const mo_config effnet = config_of(0), vit = tower_config();
    mo_weights *w = tower_weights(&effnet, 1);
    mo_vision *v;
    assert_ok(mo_vision_create(&v, &effnet, w, false));
    assert_int_equal(v->image, effnet.image);
    assert_int_equal(v->dim, effnet.dim);
    assert_int_equal(v->lane, 1);
    assert_ok(v->prepare(v));
    mo_vision_free(v);
    assert_ok(mo_vision_create(&v, &vit, w, false));
    assert_int_equal(v->image, vit.image);
    assert_fails(v->prepare(v), MOPD_E_INTERNAL, "vision_model.embeddings.class_embedding was never bound");
    mo_vision_free(v);
    mo_vision_free(NULL);
    mo_weights_free(w);
}

static void effnet_survives_failing_memory(void **state)
{
    (void)state;
    const mo_config c = config_of(0);
    vision_survives_failing_memory(&c);
}

static void quantized_features_are_near(void **state)
{
    (void)state;
    const mo_config c = config_of(3);
    vision_quantized_is_near(&c, 60);
}

/* Nothing in a file is as large as the maps of large pictures: 2^32 floats in the first here, none with sizes of 32 bits. */
static void large_pictures_take_what_their_maps_take(void **state)
{
    (void)state;
    mo_config c = config_of(0);
    c.image = 2048;
    c.effnet.stem = c.effnet.block[0].in = 4096;
    mo_pixels_effnet(&c.pixels, c.image);
    assert_ok(mo_config_check(&c, "large"));
    mo_weights *w = tower_weights(&c, 1);
    mo_vision *v;
    void *work;
    assert_ok(mo_effnet_create(&v, &c, w, false));
    assert_ok(v->prepare(v));
    assert_true(v->bytes(v, NULL, 1) > SIZE_MAX / 2 || v->bytes(v, NULL, 1) / sizeof(float) > UINT32_MAX);
    if (sizeof(size_t) == 4)
        assert_fails(v->open(&work, v, NULL, 1), MOPD_E_NOMEM, "a working size overflows");
    mo_vision_free(v);
    mo_weights_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(effnet_equals_the_plain_program),
        cmocka_unit_test(effnet_bits_do_not_depend_on_company),
        cmocka_unit_test(work_memory_is_that_of_the_largest_maps),
        cmocka_unit_test(large_pictures_take_what_their_maps_take),
        cmocka_unit_test(the_configuration_names_the_tower),
        cmocka_unit_test(effnet_survives_failing_memory),
        cmocka_unit_test(quantized_features_are_near),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
